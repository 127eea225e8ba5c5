"""Who begins a case: always a person of an organisation, never the system."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.errors import Refused


class Beginner(NamedTuple):
    """The ids of a person and of the organisation that person acts for."""

    person: int
    organisation: int


def beginner(actor: Actor) -> Beginner:
    """Person and organisation of an actor; raises :class:`Refused` where there is none of either."""
    if actor.person_id is None or actor.organisation_id is None:
        raise Refused(_("此事项须由人员办理"))
    return Beginner(actor.person_id, actor.organisation_id)
