"""How far two readers agree: counts, and Cohen's kappa.

Source: Cohen, Educational and Psychological Measurement 20 (1960). Kappa informs; it decides nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pairs of readings, how many agree, and kappa (None where both always say the same one thing, or no pair)."""

    pairs: int
    agreeing: int
    kappa: Fraction | None

    @property
    def kappa_shown(self) -> str:
        """Kappa with three decimals, truncated towards minus infinity; ``--`` where there is none."""
        if self.kappa is None:
            return "--"
        thousandths = self.kappa.numerator * 1000 // self.kappa.denominator
        sign = "-" if thousandths < 0 else ""
        return f"{sign}{abs(thousandths) // 1000}.{abs(thousandths) % 1000:03d}"


def agreement(readings: Iterable[tuple[str, str]]) -> Agreement:
    """The agreement of pairs (what the first said, what the second said)."""
    pairs = list(readings)
    n, same = len(pairs), sum(first == second for first, second in pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[said] * seconds[said] for said in firsts)
    if by_chance == n * n:
        return Agreement(n, same, None)
    return Agreement(n, same, Fraction(same * n - by_chance, n * n - by_chance))
