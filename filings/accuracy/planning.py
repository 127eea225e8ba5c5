"""What a sample of some size can tell before it is drawn: sizes, chances to miss, and what each outcome would mean.

All of it exact (hypergeometric on the frame, Clopper–Pearson on the process); nothing is estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from .intervals import CONFIDENCE, Interval, at_most, process_lower_bound, process_upper_bound
from .sampling import frame_sample_size
from .stratified import Stratum, frame_bounds, frame_interval, verdict_of
from .thresholds import Threshold
from .verdicts import M1Verdict, process_verdict

MULTIPLES: Final = (1, 2, 5, 10)
HUNDREDTHS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Size:
    """The smallest sample that proves the tolerated rate although it holds `errors` errors; None: no sample does."""

    errors: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Miss:
    """With `bad` wrong forms in the frame: the chance that no more than the accepted number is found."""

    bad: int
    chance: Fraction

    @property
    def shown(self) -> str:
        """The chance as a percentage with two decimals, rounded up: never smaller than it is."""
        hundredths = -(-self.chance.numerator * HUNDREDTHS // self.chance.denominator)
        return f"{hundredths // 100}.{hundredths % 100:02d}%"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What could be said after finding `errors` errors: bounds of the frame and of the process, and both verdicts.

    A sample drawn in several strata speaks of the frame alone.
    """

    errors: int
    fewest: int
    most: int
    frame: Interval
    on_frame: M1Verdict
    process: Interval | None
    on_process: M1Verdict | None


def sizes(
    frame: int, tolerated: Threshold, *, confidence: Fraction = CONFIDENCE, most: int = 3
) -> list[Size]:
    """The size for 0 … `most` accepted errors. Raises ValueError for an empty frame."""
    found = []
    for errors in range(most + 1):
        possible = errors <= tolerated.allowance(frame)
        size = frame_sample_size(frame, tolerated, confidence, errors) if possible else None
        found.append(Size(errors, size))
    return found


def misses(frame: int, drawn: int, *, accepted: int, tolerated: Threshold) -> list[Miss]:
    """How likely frames of 1, 2, 5 and 10 times the first intolerable number of errors pass unnoticed.

    Raises ValueError unless 0 <= drawn <= frame.
    """
    one_too_many = tolerated.allowance(frame) + 1
    numbers = dict.fromkeys(min(one_too_many * times, frame) for times in MULTIPLES)
    return [Miss(bad, at_most(accepted, drawn=drawn, bad=bad, frame=frame)) for bad in numbers]


def outcomes(
    strata: Sequence[Stratum], threshold: Threshold, *, confidence: Fraction = CONFIDENCE, most: int = 3
) -> list[Outcome]:
    """What 0 … `most` errors in the sample would let one say; errors lie where they tell least.

    Raises ValueError for a sample without forms.
    """
    drawn, frame = sum(s.drawn for s in strata), sum(s.frame for s in strata)
    if not drawn:
        raise ValueError("an empty sample tells nothing")
    found = []
    for errors in range(min(most, drawn) + 1):
        placed = _placed(strata, errors)
        fewest, high = frame_bounds(placed, confidence)
        process, on_process = None, None
        if len(strata) == 1:
            process = process_interval(errors, drawn, confidence)
            on_process = process_verdict(errors, drawn, threshold, confidence)
        on_frame = verdict_of(fewest, high, threshold.allowance(frame))
        shown = frame_interval(fewest, high, frame)
        found.append(Outcome(errors, fewest, high, shown, on_frame, process, on_process))
    return found


def process_interval(errors: int, n: int, confidence: Fraction = CONFIDENCE) -> Interval:
    """Both one-sided Clopper–Pearson bounds of the process behind n units."""
    return Interval(process_lower_bound(errors, n, confidence), process_upper_bound(errors, n, confidence))


def _placed(strata: Sequence[Stratum], errors: int) -> list[Stratum]:
    """The strata with these errors, each in those that were drawn least of."""
    left, placed = errors, []
    for stratum in sorted(strata, key=lambda s: Fraction(s.drawn, s.frame) if s.frame else Fraction(1)):
        here = min(left, stratum.drawn)
        left -= here
        placed.append(Stratum(stratum.frame, stratum.drawn, here))
    return placed
