"""Sudden changes: exact, against a table of Fisher's test counted by hand, and at the edge of the factor."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import pytest

from filings.accuracy.changes import share_change, volume_change

ONE_PERCENT = Fraction(1, 100)


def by_hand(e0: int, n0: int, e1: int, n1: int, level: Fraction) -> str | None:
    """The same test over every way of laying the errors, one by one."""
    units = range(n0 + n1)
    ways = list(combinations(units, e0 + e1))
    later = [sum(unit >= n0 for unit in way) for way in ways]
    up = e1 * n0 > e0 * n1
    tail = sum(k >= e1 for k in later) if up else sum(k <= e1 for k in later)
    assert len(ways) == comb(n0 + n1, e0 + e1)
    return ("up" if up else "down") if Fraction(2 * tail, len(ways)) <= level else None


@pytest.mark.parametrize("level", [ONE_PERCENT, Fraction(1, 10), Fraction(1, 2)])
def test_the_share_is_judged_as_by_counting_every_way(level: Fraction) -> None:
    for n0, n1 in [(5, 7), (8, 4)]:
        for e0 in range(n0 + 1):
            for e1 in range(n1 + 1):
                expected = by_hand(e0, n0, e1, n1, level) if e0 + e1 else None
                assert share_change(e0, n0, e1, n1, level=level) == expected, (e0, n0, e1, n1)


def test_a_share_without_units_says_nothing() -> None:
    assert share_change(0, 0, 3, 10, level=ONE_PERCENT) is None
    assert share_change(3, 10, 0, 0, level=ONE_PERCENT) is None
    with pytest.raises(ValueError, match="expected"):
        share_change(2, 1, 0, 1, level=ONE_PERCENT)


def test_a_large_month_is_judged_exactly() -> None:
    # 3 in 30,000 against 3 in 30,000 is nothing; against 40 it is no chance.
    assert share_change(3, 30_000, 3, 30_000, level=ONE_PERCENT) is None
    assert share_change(3, 30_000, 40, 30_000, level=ONE_PERCENT) == "up"
    assert share_change(40, 30_000, 3, 30_000, level=ONE_PERCENT) == "down"


@pytest.mark.parametrize(
    ("after", "expected"), [(600, None), (601, "up"), (67, None), (66, "down"), (0, "down")]
)
def test_the_volume_is_judged_per_working_day(after: int, expected: str | None) -> None:
    # 200 forms in 10 days before; 10 days after: three times is 600, a third is 66 2/3.
    assert volume_change(200, 10, after, 10, times=3) == expected
    assert volume_change(200, 10, 2 * after, 20, times=3) == expected


def test_without_days_there_is_no_rate() -> None:
    assert volume_change(200, 0, 5, 10, times=3) is None
    assert volume_change(200, 10, 5, 0, times=3) is None
