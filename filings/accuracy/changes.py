"""Whether a share of errors or a volume differs suddenly from the period before: exact, whole numbers only.

The share is judged by Fisher's exact test: given all errors of both periods, the number of ways in which so many (or so
few) of them fall into the later period, over all ways. The volume is judged per working day, by a factor.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Literal

from filings.accuracy.thresholds import check_counts

type Direction = Literal["up", "down"]


@lru_cache(maxsize=1024)
def share_change(
    errors_before: int, n_before: int, errors_after: int, n_after: int, *, level: Fraction
) -> Direction | None:
    """In which direction the share of errors changed beyond chance at ``level`` (two-sided); None where it did not.

    Without units in either period there is nothing to compare. Raises ValueError unless 0 <= errors <= n.
    """
    check_counts(errors_before, n_before)
    check_counts(errors_after, n_after)
    total = errors_before + errors_after
    if not n_before or not n_after or not total:
        return None
    if errors_after * n_before > errors_before * n_after:
        ways, direction = _ways(range(errors_after, min(total, n_after) + 1), n_before, n_after, total), "up"
    else:
        ways = _ways(range(max(0, total - n_before), errors_after + 1), n_before, n_after, total)
        direction = "down"
    # Each direction has half of the level.
    rare = 2 * ways * level.denominator <= comb(n_before + n_after, total) * level.numerator
    return direction if rare else None  # type: ignore[return-value]


def _ways(later: range, n_before: int, n_after: int, total: int) -> int:
    """In how many ways ``k`` of all errors fall into the later period, summed over ``k`` in ``later``."""
    k = later.start
    term = comb(n_after, k) * comb(n_before, total - k)
    found = 0
    for k in later:
        found += term
        term = term * (n_after - k) * (total - k) // ((k + 1) * (n_before - total + k + 1))
    return found


def volume_change(
    before: int, days_before: int, after: int, days_after: int, *, times: int
) -> Direction | None:
    """Whether the volume per working day is more than ``times`` times, or less than one such part of, that before.

    Without working days in either period there is nothing to compare.
    """
    if not days_before or not days_after:
        return None
    earlier, later = before * days_after, after * days_before
    if later > times * earlier:
        return "up"
    return "down" if earlier > times * later else None
