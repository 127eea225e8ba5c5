"""Exact statements on a frame that was drawn stratum by stratum.

Without strata the number of errors found is hypergeometric. With strata it is a sum of hypergeometric numbers, so a
sum of independent yes-or-no trials (Vatutin & Mikhailov 1982); its mean is smallest where the errors lie in the strata
drawn least of. By Hoeffding (1956) such a sum falls far below its mean no more often than the binomial with the same
number of trials and the smallest mean possible, and far above no more often than with the largest. So the bounds hold
wherever the errors lie; they are a little wider than those of a simple random sample. Strata that were drawn as a
whole are known, not estimated.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .intervals import CONFIDENCE, Interval, compare_binomial, frame_error_bounds
from .thresholds import check_counts
from .verdicts import M1Verdict


@dataclass(frozen=True, slots=True)
class Stratum:
    """How many forms a stratum holds, how many were drawn of them, and how many of these are wrong."""

    frame: int
    drawn: int
    errors: int = 0

    def __post_init__(self) -> None:
        check_counts(self.errors, self.drawn)
        check_counts(self.drawn, self.frame)


def frame_bounds(strata: Sequence[Stratum], confidence: Fraction = CONFIDENCE) -> tuple[int, int]:
    """The fewest and the most errors the whole frame can hold, each at one-sided `confidence`.

    One stratum: the hypergeometric bounds. Several: the bounds that hold wherever the errors lie.
    """
    known = sum(s.errors for s in strata if s.drawn == s.frame)
    open_strata = [s for s in strata if s.drawn < s.frame]
    if not open_strata:
        return known, known
    if len(open_strata) == 1:
        (only,) = open_strata
        fewest, most = frame_error_bounds(
            only.errors, drawn=only.drawn, frame=only.frame, confidence=confidence
        )
        return known + fewest, known + most
    fewest, most = _bounds(open_strata, confidence)
    return known + fewest, known + most


def frame_interval(fewest: int, most: int, frame: int) -> Interval:
    """The accuracy of a frame that holds between `fewest` and `most` errors."""
    return Interval(Fraction(frame - most, frame), Fraction(frame - fewest, frame))


def verdict_of(fewest: int, most: int, allowed: int) -> M1Verdict:
    """达标 if even the most errors are allowed, 不达标 if even the fewest are too many, else 尚不能判定."""
    if most <= allowed:
        return M1Verdict.ACHIEVED
    return M1Verdict.NOT_ACHIEVED if fewest > allowed else M1Verdict.UNDECIDED


def _bounds(strata: Sequence[Stratum], confidence: Fraction) -> tuple[int, int]:
    errors = sum(s.errors for s in strata)
    unseen = sum(s.frame - s.drawn for s in strata)
    rising = sorted(strata, key=lambda s: Fraction(s.drawn, s.frame))
    possible = range(errors, unseen + errors + 1)

    def too_many(bad: int) -> bool:
        """So many errors would show no more than were found too rarely (Hoeffding holds well below the mean only)."""
        rate = _mean(bad, rising) / bad if bad else Fraction(0)
        return bad * rate >= errors + 1 and compare_binomial(errors, bad, rate, 1 - confidence) <= 0

    def enough(bad: int) -> bool:
        """So many errors would show as many as were found not too rarely (it holds well above the mean only)."""
        rate = _mean(bad, rising[::-1]) / bad if bad else Fraction(0)
        return bad * rate + 1 > errors or compare_binomial(errors - 1, bad, rate, confidence) < 0

    first = bisect_left(possible, True, key=enough)
    last = bisect_left(possible, True, key=too_many)
    return possible[first], possible[last - 1]


def _mean(bad: int, strata: Sequence[Stratum]) -> Fraction:
    """How many of `bad` errors are drawn on average if the strata named first hold as many of them as they can."""
    left, mean = bad, Fraction(0)
    for stratum in strata:
        here = min(left, stratum.frame)
        mean += Fraction(here * stratum.drawn, stratum.frame)
        left -= here
    return mean
