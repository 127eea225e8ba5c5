from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import beta, hypergeom

from filings.accuracy.intervals import (
    GRID,
    Interval,
    _integer_sign,
    clopper_pearson,
    compare_binomial,
    compare_hypergeometric,
    frame_error_bounds,
    process_lower_bound,
    process_upper_bound,
)

HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("errors", "n", "lower", "upper"),
    [
        (0, 1_000, "99.6318", "100.0000"),
        (0, 5_990, "99.9384", "100.0000"),
        (1, 2_000, "99.7217", "99.9987"),
        (1, 10_000, "99.9443", "99.9997"),
        (5, 10_000, "99.8834", "99.9838"),
        (10, 30_000, "99.9387", "99.9840"),
        (30, 100_000, "99.9572", "99.9798"),
        (50, 100_000, "99.9341", "99.9629"),
    ],
)
def test_clopper_pearson_table(errors: int, n: int, lower: str, upper: str) -> None:
    interval = clopper_pearson(errors, n)
    assert f"{float(interval.lower) * 100:.4f}" == lower
    assert f"{float(interval.upper) * 100:.4f}" == upper


def test_one_sided_lower_bound_of_the_smallest_proving_sample() -> None:
    assert process_lower_bound(0, 5_989) < Fraction("0.9995") <= process_lower_bound(0, 5_990)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, min(n, 300)), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_bounds_agree_with_scipy(counts: tuple[int, int]) -> None:
    errors, n = counts
    worst = 1.0 if errors == n else beta.ppf(0.95, errors + 1, n - errors)
    best = 0.0 if errors == 0 else beta.ppf(0.05, errors, n - errors + 1)
    assert float(1 - process_lower_bound(errors, n)) == pytest.approx(worst, abs=1.1 / GRID)
    assert float(1 - process_upper_bound(errors, n)) == pytest.approx(best, abs=1.1 / GRID)


@given(st.integers(1, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=30, deadline=None)
def test_bounds_lie_outside_by_at_most_one_step(counts: tuple[int, int]) -> None:
    errors, n = counts
    alpha = Fraction(1, 20)
    worst, best = 1 - process_lower_bound(errors, n), 1 - process_upper_bound(errors, n)
    assert worst == 1 or compare_binomial(errors, n, worst, alpha) <= 0
    assert compare_binomial(errors, n, worst - Fraction(1, GRID), alpha) > 0
    if errors:
        assert compare_binomial(errors - 1, n, best, 1 - alpha) >= 0
        assert compare_binomial(errors - 1, n, best + Fraction(1, GRID), 1 - alpha) < 0


@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))),
    st.fractions(Fraction(1, 10_000), Fraction(9_999, 10_000), max_denominator=10_000),
    st.fractions(Fraction(1, 1_000), Fraction(999, 1_000), max_denominator=1_000),
)
@settings(deadline=None)
def test_the_enclosure_decides_like_whole_numbers(
    counts: tuple[int, int], rate: Fraction, level: Fraction
) -> None:
    errors, n = counts
    assert compare_binomial(errors, n, rate, level) == _integer_sign(errors, n, rate, level)


@pytest.mark.parametrize(("errors", "n"), [(0, 1), (1, 3), (2, 5), (500, 1001)])
def test_exact_equality_is_seen_as_equality(errors: int, n: int) -> None:
    assert compare_binomial(errors, n, HALF, HALF) == 0
    assert compare_binomial(errors, n, HALF, HALF + Fraction(1, 10**60)) == -1
    assert compare_binomial(errors, n, HALF, HALF - Fraction(1, 10**60)) == 1


@pytest.mark.parametrize(
    ("errors", "n", "rate", "sign"),
    [(-1, 5, HALF, -1), (5, 5, HALF, 1), (0, 5, Fraction(0), 1), (4, 5, Fraction(1), -1), (0, 0, HALF, 1)],
)
def test_degenerate_distributions(errors: int, n: int, rate: Fraction, sign: int) -> None:
    assert compare_binomial(errors, n, rate, HALF) == sign


@pytest.mark.parametrize("level", [Fraction(0), Fraction(1), Fraction(3, 2)])
def test_a_level_lies_between_zero_and_one(level: Fraction) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        compare_binomial(0, 1, HALF, level)
    with pytest.raises(ValueError, match="strictly between"):
        compare_hypergeometric(0, drawn=1, bad=1, frame=2, level=level)


@given(st.data())
@settings(deadline=None)
def test_hypergeometric_agrees_with_scipy(data: st.DataObject) -> None:
    frame = data.draw(st.integers(1, 5_000))
    bad = data.draw(st.integers(0, frame))
    drawn = data.draw(st.integers(0, frame))
    errors = data.draw(st.integers(-1, drawn))
    level = data.draw(st.sampled_from([Fraction(1, 20), HALF, Fraction(19, 20)]))
    distance = hypergeom.cdf(errors, frame, bad, drawn) - float(level)
    assume(abs(distance) > 1e-6)
    sign = compare_hypergeometric(errors, drawn=drawn, bad=bad, frame=frame, level=level)
    assert sign == (1 if distance > 0 else -1)


def test_hypergeometric_equality() -> None:
    assert compare_hypergeometric(0, drawn=475, bad=1, frame=500, level=Fraction(1, 20)) == 0


@pytest.mark.parametrize(("drawn", "bad"), [(11, 1), (1, 11)])
def test_neither_sample_nor_bad_units_exceed_the_frame(drawn: int, bad: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        compare_hypergeometric(0, drawn=drawn, bad=bad, frame=10, level=HALF)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_frame_bounds_are_the_extreme_frames_a_sample_does_not_rule_out(data: st.DataObject) -> None:
    frame = data.draw(st.integers(1, 60))
    drawn = data.draw(st.integers(0, frame))
    errors = data.draw(st.integers(0, drawn))
    alpha = Fraction(1, 20)

    def at_most(found: int, bad: int, level: Fraction) -> int:
        return compare_hypergeometric(found, drawn=drawn, bad=bad, frame=frame, level=level)

    possible = range(errors, frame - drawn + errors + 1)
    expected = (
        min(bad for bad in possible if at_most(errors - 1, bad, 1 - alpha) < 0),
        max(bad for bad in possible if at_most(errors, bad, alpha) > 0),
    )
    assert frame_error_bounds(errors, drawn=drawn, frame=frame) == expected


@pytest.mark.parametrize("errors", [0, 3, 40])
def test_a_frame_drawn_whole_leaves_no_doubt(errors: int) -> None:
    assert frame_error_bounds(errors, drawn=4_000, frame=4_000) == (errors, errors)


def test_nothing_drawn_leaves_every_doubt() -> None:
    assert frame_error_bounds(0, drawn=0, frame=40) == (0, 40)


def test_an_interval_is_shown_rounded_outwards() -> None:
    assert Interval(Fraction("0.99999999"), Fraction("0.99999999")).shown == "99.9999% ～ 100.0000%"
    assert clopper_pearson(50, 100_000).shown == "99.9340% ～ 99.9629%"


def test_without_units_anything_is_possible() -> None:
    assert clopper_pearson(0, 0) == Interval(Fraction(0), Fraction(1))
    assert clopper_pearson(7, 7).lower == 0
