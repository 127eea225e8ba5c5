"""What this app does when something happens below: an upheld objection changes the sanction it was against."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from filings.models import Sanction
from pilot.models import Objection
from pilot.signals import objection_upheld
from pilot.workflow import fire


@receiver(objection_upheld, dispatch_uid="filings.annul_sanction")
def annul_sanction(sender: Any, *, objection: Objection, actor: Any, at: Any, **kwargs: Any) -> None:
    """The sanction objected to is annulled in the same transaction."""
    if objection.against_machine == Sanction.slug():
        sanction = Sanction.unscoped.get(pk=objection.against_id)
        fire(sanction, "annul", actor=actor.downward(), at=at, reason=objection.finding)
