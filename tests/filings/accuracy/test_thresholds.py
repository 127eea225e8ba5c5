from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filings.accuracy.thresholds import M1, M2, UNDETERMINABLE_ALERT, Threshold, shown

COUNTS = st.integers(1, 2_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("n", "allowed"),
    [
        (0, 0),
        (1, 0),
        (1_999, 0),
        (2_000, 1),
        (3_999, 1),
        (4_000, 2),
        (10_000, 5),
        (20_000, 10),
        (100_000, 50),
    ],
)
def test_census_allowance_of_m1(n: int, allowed: int) -> None:
    assert M1.allowance(n) == allowed
    if n:
        assert M1.met(allowed, n) is True
        assert M1.met(allowed + 1, n) is False


@given(COUNTS)
def test_m1_is_two_thousand_errors_to_one(counts: tuple[int, int]) -> None:
    errors, n = counts
    assert M1.met(errors, n) is (errors * 2000 <= n)
    assert M2.met(errors, n) is (errors == 0)


@pytest.mark.parametrize("threshold", [M1, M2, UNDETERMINABLE_ALERT])
def test_nothing_to_judge_is_neither_met_nor_missed(threshold: Threshold) -> None:
    assert threshold.met(0, 0) is None
    assert shown(0, 0) == "--"


@pytest.mark.parametrize(
    ("errors", "n", "text"),
    [
        (0, 7, "100.0000%"),
        (1, 2_000, "99.9500%"),
        (1, 1_999, "99.9499%"),
        (501, 1_000_000, "99.9499%"),
        (1, 100_000_000, "99.9999%"),
        (1, 956, "99.8953%"),
        (1, 3, "66.6666%"),
        (7, 7, "0.0000%"),
        (99, 100, "1.0000%"),
    ],
)
def test_shown_is_truncated_to_four_decimals(errors: int, n: int, text: str) -> None:
    assert shown(errors, n) == text


@given(COUNTS)
def test_shown_never_rounds_up_and_never_loses_more_than_its_last_digit(counts: tuple[int, int]) -> None:
    errors, n = counts
    figure = Fraction(shown(errors, n).removesuffix("%")) / 100
    exact = Fraction(n - errors, n)
    assert figure <= exact < figure + Fraction(1, 1_000_000)


@given(COUNTS)
def test_a_shown_figure_agrees_with_the_verdict(counts: tuple[int, int]) -> None:
    errors, n = counts
    figure = Fraction(shown(errors, n).removesuffix("%"))
    assert (figure >= Fraction("99.95")) is M1.met(errors, n)
    assert (figure == 100) is M2.met(errors, n)


@pytest.mark.parametrize(("errors", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(errors: int, n: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        shown(errors, n)
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        M1.met(errors, n)


@pytest.mark.parametrize("allowed", [-1, 1_000_000])
def test_a_threshold_allows_a_share_below_one(allowed: int) -> None:
    with pytest.raises(ValueError, match="a threshold allows between"):
        Threshold(allowed=allowed)


def test_rate_is_exact() -> None:
    assert M1.rate == Fraction(1, 2000)
    assert M2.rate == 0
