from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filings.accuracy.sampling import (
    allocate,
    draw,
    draw_stratified,
    frame_digest,
    frame_sample_size,
    process_sample_size,
    rank,
)
from filings.accuracy.thresholds import M1, M2

FRAME = tuple(f"HYD-{number:02}" for number in range(1, 11))
SEED = "2019-06/PU-01/a7"
FORM_NOS = st.sets(st.text("ABC-0123456789", min_size=6, max_size=12), max_size=30).map(sorted)
P95, P99 = Fraction(95, 100), Fraction(99, 100)


def test_published_vector() -> None:
    assert frame_digest(FRAME) == "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b"
    assert draw(FRAME, SEED, 3) == ("HYD-07", "HYD-01", "HYD-08")


@given(FORM_NOS, st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_draw_depends_on_seed_and_frame_only(form_nos: list[str], size: int, random: object) -> None:
    shuffled = list(form_nos)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    drawn = draw(shuffled, SEED, size)
    assert drawn == draw(form_nos, SEED, size)
    assert frame_digest(shuffled) == frame_digest(form_nos)
    assert drawn == tuple(sorted(form_nos, key=lambda form_no: rank(SEED, form_no))[:size])


def test_another_seed_draws_others() -> None:
    assert draw(FRAME, "2019-06/PU-01/a8", 3) != draw(FRAME, SEED, 3)


def test_the_whole_frame_is_drawn_at_most() -> None:
    assert sorted(draw(FRAME, SEED, 99)) == list(FRAME)


def test_a_frame_holds_each_form_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        draw([*FRAME, "HYD-01"], SEED, 3)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        draw(FRAME, SEED, -1)


def test_a_stratified_draw_is_the_same_draw_in_each_stratum() -> None:
    strata = {"unit": FRAME[:6], "person": FRAME[6:]}
    assert draw_stratified(strata, SEED, {"unit": 2, "person": 1}) == {
        "unit": draw(FRAME[:6], SEED, 2),
        "person": draw(FRAME[6:], SEED, 1),
    }


def test_every_stratum_needs_a_size() -> None:
    with pytest.raises(ValueError, match="every stratum"):
        draw_stratified({"unit": FRAME}, SEED, {})


def test_allocation_by_largest_remainder() -> None:
    assert allocate({"a": 50, "b": 30, "c": 20}, 7) == {"a": 4, "b": 2, "c": 1}
    assert allocate({"a": 1, "b": 1, "c": 1}, 2) == {"a": 1, "b": 1, "c": 0}
    assert allocate({}, 0) == {}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 500)), st.data())
def test_allocation_is_whole_proportional_and_possible(strata: dict[str, int], data: st.DataObject) -> None:
    forms = sum(strata.values())
    size = data.draw(st.integers(0, forms))
    shares = allocate(strata, size)
    assert sum(shares.values()) == size
    for name, count in strata.items():
        assert 0 <= shares[name] <= count
        assert not forms or abs(Fraction(size * count, forms) - shares[name]) < 1


def test_more_than_all_forms_cannot_be_allocated() -> None:
    with pytest.raises(ValueError, match="cannot draw 4 of 3 forms"):
        allocate({"a": 3}, 4)


@pytest.mark.parametrize(
    ("confidence", "size"),
    [
        (Fraction(90, 100), 4_605),
        (P95, 5_990),
        (Fraction(975, 1000), 7_376),
        (P99, 9_209),
        (Fraction(999, 1000), 13_813),
    ],
)
def test_sample_without_error_that_proves_m1(confidence: Fraction, size: int) -> None:
    assert process_sample_size(M1, confidence=confidence) == size


@pytest.mark.parametrize(
    ("confidence", "sizes"),
    [
        (Fraction(90, 100), [7_778, 10_643, 13_360]),
        (P95, [9_486, 12_590, 15_505, 18_305, 21_024]),
        (P99, [13_274, 16_809, 20_087]),
    ],
)
def test_sample_with_errors_that_proves_m1(confidence: Fraction, sizes: list[int]) -> None:
    found = [process_sample_size(M1, errors, confidence) for errors in range(1, len(sizes) + 1)]
    assert found == sizes


@pytest.mark.parametrize(
    ("frame", "at_95", "at_99"),
    [
        (500, 475, 495),
        (1_000, 950, 990),
        (1_999, 1_900, 1_980),
        (2_000, 1_553, 1_800),
        (5_000, 3_158, 3_922),
        (10_000, 3_930, 5_358),
        (20_000, 4_767, 6_840),
        (50_000, 5_441, 8_115),
        (100_000, 5_704, 8_632),
        (1_000_000, 5_961, 9_148),
    ],
)
def test_sample_of_a_finite_frame(frame: int, at_95: int, at_99: int) -> None:
    assert frame_sample_size(frame, M1, P95) == at_95
    assert frame_sample_size(frame, M1, P99) == at_99


def test_no_sample_proves_a_process_without_error() -> None:
    with pytest.raises(ValueError, match="no sample proves"):
        process_sample_size(M2)


def test_an_empty_frame_needs_no_sample() -> None:
    with pytest.raises(ValueError, match="empty frame"):
        frame_sample_size(0, M1)
