"""What the programme asks of the figures, as it holds at the end of the period they are of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from filings.accuracy import thresholds
from filings.accuracy.thresholds import Threshold
from filings.periods import EVER, Period
from pilot import clock
from pilot.models import Programme
from pilot.rules import local_day
from pilot.selectors import programmes

RULES: Final = ("identity_accuracy", "form_accuracy")

type Targets = tuple[Threshold, Threshold]  # of M1 and M2


def judged_on(period: Period, today: date | None = None) -> date:
    """The day whose rules judge a period: its last one, or today while it runs."""
    today = today or local_day(clock.now())
    return today if period.end is None else min(period.end - timedelta(days=1), today)


def targets(programme: Programme, period: Period = EVER) -> Targets:
    """The programme's thresholds of M1 and M2 (87号 一（一）、一（二） where it sets none of its own)."""
    return targets_on(programme, [judged_on(period)])[judged_on(period)]


def targets_on(programme: Programme, days: Iterable[date]) -> dict[date, Targets]:
    """The thresholds as they hold on each of these days, in one query."""
    held = programmes.rule_history(programme, *RULES)
    m1, m2 = RULES
    return {
        day: (_target(held(m1, day), thresholds.M1), _target(held(m2, day), thresholds.M2)) for day in days
    }


def confidence(programme: Programme, period: Period = EVER) -> Fraction:
    """The one-sided confidence of verdicts on a period."""
    return Fraction(programmes.rule(programme, "verdict_confidence", on=judged_on(period)) or "0.95")


def _target(value: Any, default: Threshold) -> Threshold:
    return Threshold(allowed=value["errors"], per=value["out_of"]) if value else default
