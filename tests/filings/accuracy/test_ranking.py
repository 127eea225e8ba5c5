"""A rank only where it is certain."""

from __future__ import annotations

from fractions import Fraction

from filings.accuracy.intervals import Interval, clopper_pearson
from filings.accuracy.ranking import Rank, ranks


def span(low: int, high: int) -> Interval:
    return Interval(Fraction(low, 100), Fraction(high, 100))


def test_units_apart_have_their_place_and_units_that_overlap_have_none() -> None:
    assert ranks([span(10, 20), span(90, 99), span(50, 60), span(55, 70)]) == [
        Rank(4),
        Rank(1),
        Rank(None, (3,)),
        Rank(None, (2,)),
    ]


def test_intervals_that_touch_overlap_and_equal_ones_share_no_place() -> None:
    assert ranks([span(10, 20), span(20, 30)]) == [Rank(None, (1,)), Rank(None, (0,))]
    assert ranks([span(10, 20), span(10, 20)]) == [Rank(None, (1,)), Rank(None, (0,))]


def test_a_unit_without_a_figure_takes_no_part() -> None:
    assert ranks([None, span(10, 20), None]) == [Rank(None), Rank(1), Rank(None)]
    assert ranks([]) == []


def test_real_figures_differ_only_beyond_chance() -> None:
    good, small, bad = clopper_pearson(1, 20_000), clopper_pearson(0, 100), clopper_pearson(300, 20_000)
    assert [rank.place for rank in ranks([good, bad])] == [1, 2]
    assert ranks([good, small, bad]) == [Rank(None, (1,)), Rank(None, (0, 2)), Rank(None, (1,))]
