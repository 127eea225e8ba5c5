"""Of which months a bulletin can be compiled, and which comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from filings.enums import BulletinState
from filings.models import Bulletin
from filings.periods import Period, months
from pilot.enums import WindowKind
from pilot.models import Programme
from pilot.rules import local_day
from pilot.selectors import programmes


def run_months(programme: Programme) -> list[Period]:
    """Every month of the run phase."""
    opens, closes = programmes.window(programme, WindowKind.RUN)
    return months(local_day(opens), local_day(closes - timedelta(microseconds=1)))


def ended_months(*, at: datetime) -> list[Period]:
    """The months of the run phase that are over."""
    return [
        month for month in run_months(programmes.current()) if month.closes is not None and month.closes <= at
    ]


def next_month(ended: Sequence[Period]) -> str:
    """The first of these months without a bulletin; empty where all have theirs."""
    rows = Bulletin.unscoped.filter(programme=programmes.current()).exclude(state=BulletinState.DISCARDED)
    told = set(rows.values_list("period", flat=True))
    return next((month.name for month in ended if month.name not in told), "")
