"""What a planned sample can tell, against SciPy and the published figures."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from filings.accuracy import claims, intervals, planning, stratified
from filings.accuracy.agreement import agreement
from filings.accuracy.sampling import allocate, allocate_each, draw, second_readings
from filings.accuracy.stratified import Stratum
from filings.accuracy.thresholds import M1, Threshold
from filings.accuracy.verdicts import frame_verdict

CLAIMED = Fraction(1, 2000)


@given(st.integers(1, 400), st.data())
def test_the_chance_to_find_few_is_the_hypergeometric_one(frame: int, data: st.DataObject) -> None:
    drawn, bad = data.draw(st.integers(0, frame)), data.draw(st.integers(0, frame))
    errors = data.draw(st.integers(0, frame))
    exact = intervals.at_most(errors, drawn=drawn, bad=bad, frame=frame)
    assert float(exact) == pytest.approx(stats.hypergeom.cdf(errors, frame, bad, drawn), abs=1e-9)


@pytest.mark.parametrize(
    ("frame", "sizes"), [(1_999, [1_900, None]), (2_000, [1_553, 1_950]), (20_000, [4_767, 7_286])]
)
def test_sizes_with_errors_accepted(frame: int, sizes: list[int | None]) -> None:
    found = planning.sizes(frame, M1, most=1)
    assert [one.size for one in found] == sizes
    for one in found:
        if one.size is None:
            continue
        bad = M1.allowance(frame) + 1
        assert stats.hypergeom.cdf(one.errors, frame, bad, one.size) <= 0.05
        assert stats.hypergeom.cdf(one.errors, frame, bad, one.size - 1) > 0.05


def test_what_is_missed_is_rounded_up() -> None:
    found = planning.misses(2_000, 1_553, accepted=0, tolerated=M1)
    assert [(one.bad, one.shown) for one in found] == [
        (2, "4.99%"),
        (4, "0.25%"),
        (10, "0.01%"),
        (20, "0.01%"),
    ]
    assert planning.misses(5, 5, accepted=0, tolerated=M1)[0].shown == "0.00%"


def test_what_each_outcome_means() -> None:
    found = planning.outcomes([Stratum(2_000, 1_553)], M1)
    assert [(one.errors, one.fewest, one.most, str(one.on_frame)) for one in found] == [
        (0, 0, 1, "achieved"),
        (1, 1, 3, "undecided"),
        (2, 2, 5, "not_achieved"),
        (3, 3, 6, "not_achieved"),
    ]
    assert [one.on_process for one in planning.outcomes([Stratum(50, 5), Stratum(50, 5)], M1)] == [None] * 4
    with pytest.raises(ValueError, match="empty sample"):
        planning.outcomes([Stratum(3, 0)], M1)


@given(st.integers(1, 300), st.data())
def test_one_stratum_is_judged_as_a_simple_sample(frame: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(0, frame))
    errors = data.draw(st.integers(0, drawn))
    threshold = Threshold(data.draw(st.integers(0, 500_000)))
    bounds = stratified.frame_bounds([Stratum(frame, drawn, errors)])
    assert bounds == intervals.frame_error_bounds(errors, drawn=drawn, frame=frame)
    verdict = stratified.verdict_of(*bounds, threshold.allowance(frame))
    assert verdict == frame_verdict(errors, drawn=drawn, frame=frame, threshold=threshold)


@pytest.mark.parametrize(
    "strata", [[(40, 8), (25, 4)], [(30, 6), (20, 5), (6, 1)], [(12, 12), (60, 15), (8, 2)]]
)
def test_stratified_bounds_hold_wherever_the_errors_lie(strata: list[tuple[int, int]]) -> None:
    """For every placement of errors, the chance that the bounds miss their number is at most five percent a side."""
    placements = [[]]
    for frame, _drawn in strata:
        placements = [[*before, bad] for before in placements for bad in range(0, frame + 1, 4)]
    laws = [[stats.hypergeom(frame, bad, drawn) for bad in range(frame + 1)] for frame, drawn in strata]
    cache: dict[tuple[int, ...], tuple[int, int]] = {}
    for placement in placements:
        outcomes = [((), 1.0)]
        for (_frame, drawn), law, bad in zip(strata, laws, placement, strict=True):
            chances = law[bad].pmf(range(drawn + 1))
            outcomes = [
                ((*found, x), p * q) for found, p in outcomes for x, q in enumerate(chances) if p * q > 1e-9
            ]
        below = above = 0.0
        for found, chance in outcomes:
            if found not in cache:
                parts = [Stratum(f, d, x) for (f, d), x in zip(strata, found, strict=True)]
                cache[found] = stratified.frame_bounds(parts)
            fewest, most = cache[found]
            below += chance * (most < sum(placement))
            above += chance * (fewest > sum(placement))
        assert max(below, above) <= 0.05 + 1e-6, placement


def test_strata_drawn_as_a_whole_are_known() -> None:
    assert stratified.frame_bounds([Stratum(3, 3, 1), Stratum(5, 5, 2)]) == (3, 3)
    with pytest.raises(ValueError):
        Stratum(3, 4)


# --- claims (GB/T 2828.4) -----------------------------------------------------------------------------
def test_limits_of_a_claim() -> None:
    """The largest sample for each limit."""
    for limit, n in enumerate((102, 711, 1_635, 2_733, 3_941, 5_227)):
        assert (claims.limit_for(n, CLAIMED), claims.limit_for(n + 1, CLAIMED)) == (limit, limit + 1)
        assert stats.binom.sf(limit, n, 0.0005) <= 0.05 < stats.binom.sf(limit, n + 1, 0.0005)


def test_one_error_in_a_hundred_contradicts_the_claim() -> None:
    tested = claims.claim(102, CLAIMED)
    assert [tested.contradicted(errors) for errors in (0, 1)] == [False, True]
    assert stats.binom.cdf(0, 102, float(tested.detectable)) == pytest.approx(0.1, abs=1e-5)
    assert tested.ratio == tested.detectable / CLAIMED
    with pytest.raises(ValueError, match="at least one unit"):
        claims.claim(0, CLAIMED)


# --- agreement ----------------------------------------------------------------------------------------
def test_agreement_of_two_readers() -> None:
    pairs = (
        [("right", "right")] * 20
        + [("form", "form")] * 15
        + [("right", "form")] * 5
        + [("form", "right")] * 10
    )
    found = agreement(pairs)
    assert (found.pairs, found.agreeing, found.kappa) == (50, 35, Fraction(2, 5))
    assert found.kappa_shown == "0.400"


def test_agreement_without_anything_to_tell_apart() -> None:
    assert agreement([]).kappa is None
    assert agreement([("right", "right")] * 3).kappa_shown == "--"
    assert agreement([("right", "form"), ("form", "right")]).kappa_shown == "-1.000"


# --- draws --------------------------------------------------------------------------------------------
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 300)), st.data())
def test_every_stratum_gets_a_form(strata: dict[str, int], data: st.DataObject) -> None:
    filled = sum(count > 0 for count in strata.values())
    size = data.draw(st.integers(filled, sum(strata.values())))
    shares = allocate_each(strata, size)
    assert sum(shares.values()) == size
    assert all(
        (shares[name] > 0 if count else shares[name] == 0) and shares[name] <= count
        for name, count in strata.items()
    )
    if all(share for name, share in allocate(strata, size).items() if strata[name]):
        assert shares == allocate(strata, size)


def test_a_sample_smaller_than_the_strata_is_refused() -> None:
    with pytest.raises(ValueError, match="2 strata need"):
        allocate_each({"a": 5, "b": 5, "c": 0}, 1)


def test_second_readings_are_drawn_by_the_same_seed() -> None:
    drawn = [f"HYD-{number:02}" for number in range(1, 11)]
    assert second_readings(drawn, "2019-06/PU-01/a7", 25) == draw(drawn, "2019-06/PU-01/a7:second", 3)
    assert second_readings(drawn, "s", 0) == ()
    with pytest.raises(ValueError, match="percent"):
        second_readings(drawn, "s", 101)
