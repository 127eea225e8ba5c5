"""Which applications have a clock that ran out or nearly did."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q

from applications.enums import ApplicationState
from applications.models import Application
from pilot.models import Programme
from pilot.selectors import programmes


def deems_acceptance(programme: Programme) -> bool:
    """Whether the programme holds the rule that a bureau's silence counts as acceptance."""
    return programmes.rule(programme, "deemed_acceptance") is True


def reminder_bound(programme: Programme, at: datetime) -> datetime:
    """Clocks that end up to here have no more than the programme's reminder days left."""
    days = programmes.rule(programme, "correction_reminder_days")
    return programmes.deadline(programme, start=at, days=days)


def due(programme: Programme, *, at: datetime, limit: int) -> list[int]:
    """Ids of the applications whose clock asks for an act or a message at ``at``, the most overdue first."""
    told = Q(alerted_due_at=F("due_at"), alerted_due_at__isnull=False)
    overdue = Q(due_at__lte=at)
    returned = Q(state=ApplicationState.RETURNED) & (
        overdue | (Q(due_at__lte=reminder_bound(programme, at)) & ~told)
    )
    silent = Q(state=ApplicationState.SUBMITTED) & overdue
    if not deems_acceptance(programme):
        silent &= ~told
    rows = Application.unscoped.filter(returned | silent, programme=programme).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])
