"""Until when a rectification order is, or was, to be answered, also after its clock has stopped; and how late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Case, F, OuterRef, Subquery, When

from filings.enums import RectificationState
from filings.models import Rectification
from pilot import clock, rules
from pilot.models import TransitionRecord

PREFETCHED: Final = ("unit__programme__calendar",)


def deadline_parts() -> dict[str, Any]:
    """What the functions below read of an order, as annotations; the calendar they read is ``PREFETCHED``, once.

    ``running_due`` puts an order whose time is over where its deadline was: it is dated to that moment.
    """
    begun = TransitionRecord.objects.filter(
        machine=Rectification.slug(), object_id=OuterRef("pk"), name__in=["issue", "reject"]
    )
    return {
        "round_began": Subquery(begun.order_by("-number").values("at")[:1]),
        "running_due": running_due(),
    }


def running_due() -> Case:
    """When the clock of an order runs out, or ran out if its time is over."""
    return Case(When(state=RectificationState.OVERDUE, then=F("state_since")), default=F("due_at"))


def answer_end(order: Any) -> datetime | None:
    """The end of the time to answer in the order's present round (half-open); None before it is issued."""
    if order.running_due is not None:
        end: datetime = order.running_due
        return end
    if order.round_began is None:
        return None
    begun = rules.local_day(order.round_began)
    return rules.end_of(rules.add_working_days(begun, order.days, _calendar(order)))


def days_over(case: Any, end: datetime) -> int:
    """Whole working days since a deadline of a unit's case passed, today among them; 0 until the first one has come."""
    last, today = rules.local_day(rules.last_moment(end)), rules.local_day(clock.now())
    return max(rules.working_days_between(last, today, _calendar(case)), 0)


def _calendar(case: Any) -> Mapping[date, bool]:
    return {day.day: day.working for day in case.unit.programme.calendar.all()}
