"""The periods figures are asked for: a day, a month, or everything to date. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from pilot.rules import SHANGHAI

TO_DATE: Final = "to-date"
_MONTH: Final = re.compile(r"([12]\d{3})-(\d{2})", re.ASCII).fullmatch
_DAY: Final = re.compile(r"[12]\d{3}-\d{2}-\d{2}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open range of local days ``[first, end)``; both are None to date."""

    name: str
    first: date | None = None
    end: date | None = None

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``2019-06``, ``2019-06-18`` or ``to-date``; raises ValueError for anything else."""
        if text == TO_DATE:
            return cls(text)
        if match := _MONTH(text):
            first = date(int(match[1]), int(match[2]), 1)
            return cls(text, first, (first + timedelta(days=31)).replace(day=1))
        if _DAY(text):
            day = date.fromisoformat(text)
            return cls(text, day, day + timedelta(days=1))
        raise ValueError(f"{text!r} is no period: expected YYYY-MM, YYYY-MM-DD or {TO_DATE}")

    @classmethod
    def month_of(cls, day: date) -> Period:
        """The month in which a day lies."""
        return cls.parse(f"{day:%Y-%m}")

    @property
    def is_month(self) -> bool:
        return bool(_MONTH(self.name))

    @property
    def opens(self) -> datetime | None:
        """The first moment of the period in Asia/Shanghai."""
        return None if self.first is None else datetime.combine(self.first, time.min, SHANGHAI)

    @property
    def closes(self) -> datetime | None:
        """The first moment after the period in Asia/Shanghai."""
        return None if self.end is None else datetime.combine(self.end, time.min, SHANGHAI)

    @property
    def words(self) -> str:
        """The period as official papers write it: 2019年6月, 2019年6月18日, 截至目前."""
        if self.first is None:
            return "截至目前"
        month = f"{self.first.year}年{self.first.month}月"
        return month if self.is_month else f"{month}{self.first.day}日"

    def previous_month(self) -> Period:
        """The month before; only a month has one (ValueError otherwise)."""
        if not self.is_month or self.first is None:
            raise ValueError(f"{self.name} is no month")
        return Period.month_of(self.first - timedelta(days=1))


EVER: Final = Period(TO_DATE)


def months(first: date, last: date) -> list[Period]:
    """Every month from the one of ``first`` to the one of ``last``."""
    found = [Period.month_of(first)]
    while (end := found[-1].end) is not None and end <= last:
        found.append(Period.month_of(end))
    return found
