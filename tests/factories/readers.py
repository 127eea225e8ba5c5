"""Who reads: one of each kind of the people of a case, for what has to hold for all of them."""

from __future__ import annotations

from pilot.actors import Actor
from tests.factories.cases import Cast


def everybody(cast: Cast) -> tuple[Actor, ...]:
    """The two sides, the agency, and an administrator who may read no case."""
    return (
        cast.provider,
        cast.reviewer,
        cast.lead,
        cast.officer,
        cast.approver,
        cast.assessor,
        cast.security_admin,
    )
