"""Whether a sample contradicts a claimed level of quality (GB/T 2828.4: 声称质量水平 DQL, limit L).

The sample contradicts the claim if it holds more than L wrong units. L is the smallest number at which a true claim is
contradicted wrongly at most once in twenty. It says nothing about accepting a lot and proves no level: a claim that
is not contradicted is not thereby shown to be true.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from .intervals import compare_binomial, process_lower_bound
from .thresholds import check_counts

WRONG_REJECTION: Final = Fraction(5, 100)
MISS: Final = Fraction(10, 100)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim tested: at most `limit` wrong units in `n` are compatible with the claimed rate `claimed`.

    `detectable`: the smallest true rate of wrong units that stays unnoticed at most once in ten.
    """

    n: int
    claimed: Fraction
    limit: int
    detectable: Fraction

    @property
    def ratio(self) -> Fraction:
        """The limiting quality ratio (LQR): `detectable` as a multiple of the claimed rate."""
        return self.detectable / self.claimed

    def contradicted(self, errors: int) -> bool:
        """Whether so many wrong units contradict the claim. Raises ValueError unless 0 <= errors <= n."""
        check_counts(errors, self.n)
        return errors > self.limit


def limit_for(n: int, claimed: Fraction) -> int:
    """The smallest L with P(X > L) <= 5 %, X being the wrong units among n at the claimed rate.

    Raises ValueError for an empty sample or a rate outside (0, 1).
    """
    if n < 1 or not 0 < claimed < 1:
        raise ValueError("a claim is tested on at least one unit, at a rate between 0 and 1")
    limit = 0
    while compare_binomial(limit, n, claimed, 1 - WRONG_REJECTION) < 0:
        limit += 1
    return limit


def claim(n: int, claimed: Fraction) -> Claim:
    """The test of a claimed rate on n units. Raises ValueError as `limit_for` does."""
    limit = limit_for(n, claimed)
    detectable = Fraction(1) if limit >= n else 1 - process_lower_bound(limit, n, 1 - MISS)
    return Claim(n, claimed, limit, detectable)
