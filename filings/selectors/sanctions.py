"""Suspension and removal: who decided."""

from __future__ import annotations

from filings.enums import SanctionState
from filings.models import Sanction
from pilot.models import Person, TransitionRecord


def decider(sanction: Sanction) -> Person | None:
    """Who decided: an approver, or whoever gave the proposal up."""
    if sanction.state != SanctionState.DROPPED:
        return sanction.approved_by
    steps = TransitionRecord.objects.filter(machine=Sanction.slug(), object_id=sanction.pk, name="drop")
    return steps.select_related("person").latest("pk").person
