"""Rules of the kernel that need no database: working days and deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
SERVED = timedelta(seconds=60)  # how long a request that arrived before a bell may still be on its way


def is_working_day(day: date, exceptions: Mapping[date, bool]) -> bool:
    """Whether ``day`` is worked: Monday to Friday unless the calendar says otherwise (holiday or 调休)."""
    return exceptions.get(day, day.weekday() < 5)


def add_working_days(day: date, days: int, exceptions: Mapping[date, bool]) -> date:
    """The last day of a period of ``days`` working days that starts on the day after ``day``."""
    while days > 0:
        day += timedelta(days=1)
        if is_working_day(day, exceptions):
            days -= 1
    return day


def working_days_between(start: date, end: date, exceptions: Mapping[date, bool]) -> int:
    """Working days after ``start`` up to and including ``end``; negative when ``end`` lies before ``start``."""
    if end < start:
        return -working_days_between(end, start, exceptions)
    span = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(is_working_day(day, exceptions) for day in span)


def working_days_within(opens: datetime, closes: datetime, exceptions: Mapping[date, bool]) -> int:
    """Working days of a half-open window, its first and its last day among them if they are worked."""
    before = local_day(opens) - timedelta(days=1)
    return working_days_between(before, local_day(closes - timedelta(microseconds=1)), exceptions)


def end_of(day: date) -> datetime:
    """The first moment after ``day`` in Asia/Shanghai: deadlines are half-open like windows."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


def last_moment(end: datetime) -> datetime:
    """A half-open end as people read it: the last second before it, so that midnight never names the wrong day."""
    return end - timedelta(seconds=1)


def local_day(moment: datetime) -> date:
    """The calendar day of a moment in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()
