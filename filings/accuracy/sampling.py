"""Drawing a sample that anybody can repeat, and how large a sample has to be.

The seed is committed to before the frame is frozen and revealed after; the rank of a form depends on
nothing but the seed and its number. Sizes are exact (see `intervals`).
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from hashlib import sha256
from heapq import nsmallest
from typing import Final

from .intervals import CONFIDENCE, compare_binomial, compare_hypergeometric
from .thresholds import Threshold

SECOND_LABEL: Final = "second"
"""What follows the seed where the forms to be read twice are drawn from the sample."""


def rank(seed: str, form_no: str) -> str:
    """The place of a form in the draw: SHA-256 of `seed:form_no` in UTF-8, as hexadecimal digits."""
    return sha256(f"{seed}:{form_no}".encode()).hexdigest()


def frame_digest(form_nos: Iterable[str]) -> str:
    """The digest that freezes a frame: SHA-256 of its sorted form numbers joined by line feeds."""
    return sha256("\n".join(sorted(form_nos)).encode()).hexdigest()


def draw(form_nos: Collection[str], seed: str, size: int) -> tuple[str, ...]:
    """The first `size` forms of the frame by ascending rank; the whole frame if it is no larger.

    Raises ValueError for a negative size, or a form number that stands twice in the frame.
    """
    if size < 0:
        raise ValueError("a sample size is not negative")
    if len(set(form_nos)) != len(form_nos):
        raise ValueError("a form number stands twice in the frame")
    return tuple(nsmallest(size, form_nos, key=lambda form_no: (rank(seed, form_no), form_no)))


def draw_stratified(
    strata: Mapping[str, Collection[str]], seed: str, sizes: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """The same draw within each stratum.

    Raises ValueError unless `sizes` names the same strata, or as `draw` does.
    """
    if strata.keys() != sizes.keys():
        raise ValueError("every stratum needs its own sample size")
    return {name: draw(form_nos, seed, sizes[name]) for name, form_nos in strata.items()}


def allocate(strata: Mapping[str, int], size: int) -> dict[str, int]:
    """Share a sample of `size` over strata in proportion to their numbers of forms.

    By largest remainder; equal remainders go to the stratum named first. No stratum receives more
    than it holds. Raises ValueError unless 0 <= size <= forms in all strata.
    """
    forms = sum(strata.values())
    if not 0 <= size <= forms:
        raise ValueError(f"cannot draw {size} of {forms} forms")
    if not forms:
        return dict.fromkeys(strata, 0)
    shares = {name: size * count // forms for name, count in strata.items()}
    by_remainder = sorted(strata, key=lambda name: -(size * strata[name] % forms))
    for name in by_remainder[: size - sum(shares.values())]:
        shares[name] += 1
    return shares


def allocate_each(strata: Mapping[str, int], size: int) -> dict[str, int]:
    """The same allocation with at least one form from every stratum that holds any.

    What such a stratum lacks is taken from the largest shares (of equal ones from the stratum named last).
    Raises ValueError for a size below the number of strata that hold forms, or as `allocate` does.
    """
    filled = [name for name, count in strata.items() if count]
    if size < len(filled):
        raise ValueError(f"{len(filled)} strata need at least {len(filled)} forms, not {size}")
    shares = allocate(strata, size)
    for name in filled:
        if not shares[name]:
            shares[max(reversed(shares), key=lambda other: shares[other])] -= 1
            shares[name] = 1
    return shares


def second_readings(drawn: Collection[str], seed: str, percent: int) -> tuple[str, ...]:
    """Which of the drawn forms a second person reads: the same draw from the sample, under a label of its own.

    The number is `percent` of the sample, rounded up. Raises ValueError unless 0 <= percent <= 100.
    """
    if not 0 <= percent <= 100:
        raise ValueError("a share lies between 0 and 100 percent")
    return draw(drawn, f"{seed}:{SECOND_LABEL}", -(-len(drawn) * percent // 100))


def process_sample_size(threshold: Threshold, errors: int = 0, confidence: Fraction = CONFIDENCE) -> int:
    """The smallest n at which `errors` errors still prove the threshold for the process (binomial).

    Raises ValueError where the threshold allows no error: no sample proves 100 %.
    """
    if not threshold.allowed:
        raise ValueError("no sample proves that a process makes no error")

    def proves(n: int) -> bool:
        return compare_binomial(errors, n, threshold.rate, 1 - confidence) <= 0

    enough = errors + 1
    while not proves(enough):
        enough *= 2
    return bisect_left(range(enough), True, key=proves)


def frame_sample_size(
    frame: int, threshold: Threshold, confidence: Fraction = CONFIDENCE, errors: int = 0
) -> int:
    """The smallest sample in which `errors` errors still prove the threshold for a frame (hypergeometric).

    Raises ValueError for an empty frame, or where the frame as a whole may not hold so many errors.
    """
    if frame < 1:
        raise ValueError("an empty frame proves nothing")
    allowed = threshold.allowance(frame)
    if errors > allowed:
        raise ValueError(f"a frame of {frame} may hold {allowed} errors, not {errors}")

    def proves(n: int) -> bool:
        level = 1 - confidence
        return compare_hypergeometric(errors, drawn=n, bad=allowed + 1, frame=frame, level=level) <= 0

    return bisect_left(range(frame + 1), True, key=proves)
