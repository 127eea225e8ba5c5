"""Exact bounds on an accuracy: Clopper–Pearson for a process, hypergeometric for a frozen frame.

Every question is "is this distribution function below, at or above that level?". Binomial sums are
enclosed between two decimals that are rounded apart at every step; if level and enclosure ever touch,
the sum is compared as whole numbers. Hypergeometric sums are whole numbers from the start. So a
verdict is never decided by a rounding error. Source: Clopper & Pearson, Biometrika 26 (1934).
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile
from math import comb
from typing import Final

from .thresholds import PPM, check_counts, percent

CONFIDENCE: Final = Fraction(95, 100)
GRID: Final = 100 * PPM
"""Bounds are given on a grid of 1e-8, on the outer side of the exact bound."""

_DIGITS: Final = 40
_FLOOR: Final = Context(prec=_DIGITS, rounding=ROUND_FLOOR, Emin=MIN_EMIN, Emax=MAX_EMAX)
_CEILING: Final = Context(prec=_DIGITS, rounding=ROUND_CEILING, Emin=MIN_EMIN, Emax=MAX_EMAX)


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of an accuracy as shares between 0 and 1, each at most 1e-8 outside the exact one."""

    lower: Fraction
    upper: Fraction

    @property
    def ppm(self) -> tuple[int, int]:
        """Both bounds in parts per million, rounded outwards: never narrower than proved."""
        lower = self.lower.numerator * PPM // self.lower.denominator
        upper = -(-self.upper.numerator * PPM // self.upper.denominator)
        return lower, upper

    @property
    def shown(self) -> str:
        """Both bounds as percentages with four decimals."""
        lower, upper = self.ppm
        return f"{percent(lower)} ～ {percent(upper)}"


def compare_binomial(errors: int, n: int, rate: Fraction, level: Fraction) -> int:
    """The sign of P(X <= errors) - level, for X ~ Binomial(n, rate) and 0 < level < 1; exact."""
    _check_level(level)
    if errors < 0:
        return -1
    if errors >= n or rate <= 0:
        return 1
    if rate >= 1:
        return -1
    if 2 * errors > n:  # the shorter side: P(X <= e) = 1 - P(n - X <= n - e - 1)
        return -compare_binomial(n - errors - 1, n, 1 - rate, 1 - level)
    return _enclosed_sign(errors, n, rate, level) or _integer_sign(errors, n, rate, level)


def compare_hypergeometric(errors: int, *, drawn: int, bad: int, frame: int, level: Fraction) -> int:
    """The sign of P(X <= errors) - level, X being the bad units among `drawn` of a frame; exact.

    `bad` of the `frame` units are bad; 0 < level < 1. Raises ValueError if either exceeds the frame.
    """
    _check_level(level)
    check_counts(bad, frame)
    check_counts(drawn, frame)
    few, many = sorted((drawn, bad))  # X has the same law with the two exchanged
    ways = 0
    for found, term in _hypergeometric_terms(few, many, frame):
        if found > errors:
            break
        ways += term
    return _sign(ways * level.denominator - comb(frame, few) * level.numerator)


def at_most(errors: int, *, drawn: int, bad: int, frame: int) -> Fraction:
    """P(X <= errors), X being the bad units among `drawn` of a frame that holds `bad`; exact.

    Raises ValueError if either exceeds the frame.
    """
    check_counts(bad, frame)
    check_counts(drawn, frame)
    few, many = sorted((drawn, bad))
    ways = sum(
        term
        for found, term in takewhile(lambda step: step[0] <= errors, _hypergeometric_terms(few, many, frame))
    )
    return Fraction(ways, comb(frame, few))


def process_lower_bound(errors: int, n: int, confidence: Fraction = CONFIDENCE) -> Fraction:
    """One-sided Clopper–Pearson lower bound of the accuracy of the process behind `n` units.

    On the grid, at or just below the exact bound; 0 where n == 0 or every unit is wrong.
    """
    check_counts(errors, n)
    alpha = 1 - confidence
    worst = bisect_left(
        range(GRID), True, key=lambda step: compare_binomial(errors, n, Fraction(step, GRID), alpha) <= 0
    )
    return 1 - Fraction(worst, GRID)


def process_upper_bound(errors: int, n: int, confidence: Fraction = CONFIDENCE) -> Fraction:
    """One-sided Clopper–Pearson upper bound of that accuracy, at or just above the exact bound."""
    check_counts(errors, n)
    if not errors:
        return Fraction(1)
    above = bisect_left(
        range(GRID),
        True,
        key=lambda step: compare_binomial(errors - 1, n, Fraction(step, GRID), confidence) < 0,
    )
    return 1 - Fraction(above - 1, GRID)


def clopper_pearson(errors: int, n: int, confidence: Fraction = CONFIDENCE) -> Interval:
    """The two-sided Clopper–Pearson interval of the accuracy."""
    each_side = (1 + confidence) / 2
    return Interval(process_lower_bound(errors, n, each_side), process_upper_bound(errors, n, each_side))


def frame_error_bounds(
    errors: int, *, drawn: int, frame: int, confidence: Fraction = CONFIDENCE
) -> tuple[int, int]:
    """The fewest and the most errors a frame can hold, each at one-sided `confidence`, exact.

    `errors` were found in a simple random sample of `drawn` units out of `frame`.
    Raises ValueError unless 0 <= errors <= drawn <= frame.
    """
    check_counts(errors, drawn)
    check_counts(drawn, frame)
    possible = range(errors, frame - drawn + errors + 1)

    def compare(found: int, bad: int, level: Fraction) -> int:
        return compare_hypergeometric(found, drawn=drawn, bad=bad, frame=frame, level=level)

    fewest = bisect_left(possible, True, key=lambda bad: compare(errors - 1, bad, confidence) < 0)
    too_many = bisect_left(possible, True, key=lambda bad: compare(errors, bad, 1 - confidence) <= 0)
    return possible[fewest], possible[too_many - 1]


def _check_level(level: Fraction) -> None:
    if not 0 < level < 1:
        raise ValueError("a probability level lies strictly between 0 and 1")


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _enclosed_sign(errors: int, n: int, rate: Fraction, level: Fraction) -> int:
    """The sign from decimals rounded apart, or 0 where they cannot tell.

    Sums from the largest number of errors downwards; below the mode what is left out is smaller than
    the geometric series that starts with the last term.
    """
    bad, whole = rate.numerator, rate.denominator
    good = whole - bad
    level_low, level_high = (_share(context, level) for context in (_FLOOR, _CEILING))
    low, high = (_point_mass(context, errors, n, rate) for context in (_FLOOR, _CEILING))
    sum_low, sum_high = low, high
    for found in range(errors, 0, -1):
        times, by = Decimal(found * good), Decimal((n - found + 1) * bad)
        if times < by:
            left = _CEILING.divide(_CEILING.multiply(high, times), _FLOOR.subtract(by, times))
            if _CEILING.add(sum_high, left) < level_low:
                return -1
        low = _FLOOR.divide(_FLOOR.multiply(low, times), by)
        high = _CEILING.divide(_CEILING.multiply(high, times), by)
        sum_low, sum_high = _FLOOR.add(sum_low, low), _CEILING.add(sum_high, high)
        if sum_low > level_high:
            return 1
    return int(sum_low > level_high) - int(sum_high < level_low)


def _point_mass(context: Context, errors: int, n: int, rate: Fraction) -> Decimal:
    """P(X = errors), rounded to the context's side."""
    ways = context.plus(_choices(n, errors))
    wrong = _power(context, _share(context, rate), errors)
    right = _power(context, _share(context, 1 - rate), n - errors)
    return context.multiply(context.multiply(ways, wrong), right)


@lru_cache(maxsize=64)
def _choices(n: int, errors: int) -> Decimal:
    """C(n, errors), exact; kept because a bound asks for the same one at every step."""
    return Decimal(comb(n, errors))


def _share(context: Context, share: Fraction) -> Decimal:
    return context.divide(Decimal(share.numerator), Decimal(share.denominator))


def _power(context: Context, base: Decimal, exponent: int) -> Decimal:
    """base ** exponent, every step rounded to the context's side."""
    result = Decimal(1)
    while exponent:
        if exponent & 1:
            result = context.multiply(result, base)
        base = context.multiply(base, base)
        exponent >>= 1
    return result


def _integer_sign(errors: int, n: int, rate: Fraction, level: Fraction) -> int:
    """The same sign from whole numbers: slower, but never undecided."""
    bad, whole = rate.numerator, rate.denominator
    good = whole - bad
    term = good**errors
    ways = term
    for found in range(errors):
        term = term * (n - found) * bad // ((found + 1) * good)
        ways += term
    return _sign(ways * good ** (n - errors) * level.denominator - whole**n * level.numerator)


def _hypergeometric_terms(few: int, many: int, frame: int) -> Iterator[tuple[int, int]]:
    """For each possible number of bad units drawn: in how many of C(frame, few) draws it happens."""
    found = max(0, few + many - frame)
    term = comb(many, found) * comb(frame - many, few - found)
    while True:
        yield found, term
        if found == few:
            return
        term = term * (many - found) * (few - found) // ((found + 1) * (frame - many - few + found + 1))
        found += 1
