"""Readable numbers of an application: 申办流水号 at submission, 受理编号 at acceptance."""

from __future__ import annotations

from datetime import datetime

from pilot.rules import local_day
from pilot.services import numbers


def case_number(*, province: int, at: datetime) -> str:
    """The next 申办流水号 of a province and year, e.g. ``SQ2019-44-00001``."""
    return _next("SQ", province, at)


def acceptance_number(*, province: int, at: datetime) -> str:
    """The next 受理编号 of a province and year, e.g. ``SL2019-44-00001``."""
    return _next("SL", province, at)


def _next(prefix: str, province: int, at: datetime) -> str:
    series = f"{prefix}{local_day(at).year}-{province}"
    return f"{series}-{numbers.next_in(series):05d}"
