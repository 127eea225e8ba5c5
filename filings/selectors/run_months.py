"""The months of a programme's run phase: all of them, those that have begun, those that are over."""

from __future__ import annotations

from datetime import datetime, timedelta

from filings.periods import Period, months
from pilot.enums import WindowKind
from pilot.models import Programme
from pilot.rules import local_day
from pilot.selectors import programmes


def of(programme: Programme) -> list[Period]:
    """Every month of the run phase."""
    opens, closes = programmes.window(programme, WindowKind.RUN)
    return months(local_day(opens), local_day(closes - timedelta(microseconds=1)))


def begun(*, at: datetime) -> list[Period]:
    """Those that have begun, the latest first: what an inspection may be about."""
    return [month for month in of(programmes.current()) if month.opens is not None and month.opens <= at][
        ::-1
    ]


def ended(*, at: datetime) -> list[Period]:
    """Those that are over: what a bulletin may be about."""
    return [month for month in of(programmes.current()) if month.closes is not None and month.closes <= at]
