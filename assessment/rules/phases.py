"""How a phase's working days are shared out: one share after the other, each half-open by the working-day calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pilot import rules


class Standing(StrEnum):
    """Where a share stands at a moment."""

    BEFORE = "before"
    RUNNING = "running"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``days`` working days: ``[opens, closes)``. Days off at an end belong to the share that follows."""

    key: str
    days: int
    opens: datetime
    closes: datetime

    def standing(self, at: datetime) -> Standing:
        """Not begun, running or over."""
        if at < self.opens:
            return Standing.BEFORE
        return Standing.RUNNING if at < self.closes else Standing.OVER

    def day(self, at: datetime, calendar: Mapping[date, bool]) -> int:
        """How many of its working days have begun: the n of "day n of m". 0 before, and on days off at its start."""
        return min(self.days, max(0, begun(self.opens, at, calendar)))

    def days_left(self, at: datetime, calendar: Mapping[date, bool]) -> int:
        """Working days after today until its last one: 0 on the last day, negative once days have passed since."""
        last = rules.local_day(self.closes - timedelta(microseconds=1))
        return rules.working_days_between(rules.local_day(at), last, calendar)


def begun(opens: datetime, at: datetime, calendar: Mapping[date, bool]) -> int:
    """Working days that have begun since a phase opened, its first day and today among them."""
    before = rules.local_day(opens) - timedelta(days=1)
    return rules.working_days_between(before, rules.local_day(at), calendar)


def shares(
    opens: datetime, given: Iterable[tuple[str, int]], calendar: Mapping[date, bool]
) -> tuple[Share, ...]:
    """The shares (key, working days) of a phase that opens at midnight, in their order."""
    found: list[Share] = []
    for key, days in given:
        start = found[-1].closes if found else opens
        eve = rules.local_day(start) - timedelta(days=1)
        closes = rules.end_of(rules.add_working_days(eve, days, calendar))
        found.append(Share(key, days, start, closes))
    return tuple(found)
