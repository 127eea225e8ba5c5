from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filings.accuracy.intervals import frame_error_bounds, process_lower_bound, process_upper_bound
from filings.accuracy.thresholds import M1, M2, Threshold
from filings.accuracy.verdicts import M1Verdict, M2Verdict, form_verdict, frame_verdict, process_verdict

ONE_PERCENT = Threshold(allowed=10_000)


@pytest.mark.parametrize(
    ("errors", "n", "verdict"),
    [
        (0, 0, M1Verdict.UNDECIDED),
        (0, 5_989, M1Verdict.UNDECIDED),
        (0, 5_990, M1Verdict.ACHIEVED),
        (1, 9_485, M1Verdict.UNDECIDED),
        (1, 9_486, M1Verdict.ACHIEVED),
        (1, 102, M1Verdict.NOT_ACHIEVED),
        (1, 103, M1Verdict.UNDECIDED),
        (50, 100_000, M1Verdict.UNDECIDED),
        (100_000, 100_000, M1Verdict.NOT_ACHIEVED),
    ],
)
def test_process_verdict(errors: int, n: int, verdict: M1Verdict) -> None:
    assert process_verdict(errors, n, M1) is verdict


@given(st.integers(0, 20_000).flatmap(lambda n: st.tuples(st.integers(0, min(n, 40)), st.just(n))))
@settings(max_examples=60, deadline=None)
def test_process_verdict_follows_the_bounds(counts: tuple[int, int]) -> None:
    errors, n = counts
    verdict = process_verdict(errors, n, M1)
    # The bounds lie outside the exact ones by up to 1e-8, so they prove in one direction only.
    if process_lower_bound(errors, n) >= Fraction("0.9995"):
        assert verdict is M1Verdict.ACHIEVED
    elif process_upper_bound(errors, n) < Fraction("0.9995"):
        assert verdict is M1Verdict.NOT_ACHIEVED
    else:
        assert verdict is M1Verdict.UNDECIDED


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_frame_verdict_follows_the_exact_bounds(data: st.DataObject) -> None:
    frame = data.draw(st.integers(1, 900))
    drawn = data.draw(st.integers(0, frame))
    errors = data.draw(st.integers(0, min(drawn, 30)))
    fewest, most = frame_error_bounds(errors, drawn=drawn, frame=frame)
    allowed = ONE_PERCENT.allowance(frame)
    verdict = frame_verdict(errors, drawn=drawn, frame=frame, threshold=ONE_PERCENT)
    expected = {(True, True): M1Verdict.ACHIEVED, (False, False): M1Verdict.NOT_ACHIEVED}
    assert verdict is expected.get((most <= allowed, fewest <= allowed), M1Verdict.UNDECIDED)


@given(st.integers(1, 8_000), st.integers(0, 6))
@settings(deadline=None)
def test_a_census_is_judged_by_the_plain_test(frame: int, errors: int) -> None:
    errors = min(errors, frame)
    verdict = frame_verdict(errors, drawn=frame, frame=frame, threshold=M1)
    assert verdict is (M1Verdict.ACHIEVED if M1.met(errors, frame) else M1Verdict.NOT_ACHIEVED)


def test_an_empty_frame_stays_undecided() -> None:
    assert frame_verdict(0, drawn=0, frame=0, threshold=M1) is M1Verdict.UNDECIDED


def test_a_sample_never_proves_a_process_without_error() -> None:
    assert process_verdict(0, 10_000_000, M2) is M1Verdict.UNDECIDED
    assert process_verdict(1, 10_000_000, M2) is M1Verdict.NOT_ACHIEVED


@pytest.mark.parametrize(
    ("errors", "n", "verdict"),
    [(0, 0, None), (0, 500, M2Verdict.NO_ERROR_FOUND), (1, 500, M2Verdict.NOT_ACHIEVED)],
)
def test_form_verdict(errors: int, n: int, verdict: M2Verdict | None) -> None:
    assert form_verdict(errors, n) is verdict


def test_more_errors_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        process_verdict(2, 1, M1)
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        frame_verdict(0, drawn=2, frame=1, threshold=M1)
    with pytest.raises(ValueError, match="expected 0 <= errors <= units"):
        form_verdict(2, 1)
