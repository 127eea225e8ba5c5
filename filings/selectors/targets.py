"""What the programme asks of the figures, as it holds at the end of the period they are of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from filings.accuracy import thresholds
from filings.accuracy.thresholds import Threshold
from filings.periods import EVER, Period
from pilot import clock
from pilot.models import Programme
from pilot.rules import local_day
from pilot.selectors import programmes

type Targets = tuple[Threshold, Threshold]  # of M1 and M2


def judged_on(period: Period, today: date | None = None) -> date:
    """The day whose rules judge a period: its last one, or today while it runs."""
    today = today or local_day(clock.now())
    return today if period.end is None else min(period.end - timedelta(days=1), today)


def targets(programme: Programme, period: Period = EVER) -> Targets:
    """The programme's thresholds of M1 and M2 (87号 一（一）、一（二） where it sets none of its own)."""
    return targets_on(programme, [judged_on(period)])[judged_on(period)]


def targets_on(programme: Programme, days: Iterable[date]) -> dict[date, Targets]:
    """The thresholds as they hold on each of these days, in two queries."""
    m1 = programmes.rule_history(programme, "identity_accuracy")
    m2 = programmes.rule_history(programme, "form_accuracy")
    return {day: (_target(m1(day), thresholds.M1), _target(m2(day), thresholds.M2)) for day in days}


def confidence(programme: Programme, period: Period = EVER) -> Fraction:
    """The one-sided confidence of verdicts on a period."""
    return Fraction(programmes.rule(programme, "verdict_confidence", on=judged_on(period)) or "0.95")


def _target(value: Any, default: Threshold) -> Threshold:
    return Threshold(allowed=value["errors"], per=value["out_of"]) if value else default
