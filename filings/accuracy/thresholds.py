"""The thresholds of the two accuracy figures, kept as data, and how a figure is shown.

Source: 工信部信管函〔2019〕87号, 一(一) (identity information, not below 99.95 %) and 一(二) (form
information, 100 %). Whole numbers only: a threshold is a pair of integers and the test is a product.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

PPM: Final = 1_000_000
NO_FIGURE: Final = "--"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest share of errors that still meets a rule: `allowed` errors in every `per` units."""

    allowed: int
    per: int = PPM

    def __post_init__(self) -> None:
        if not 0 <= self.allowed < self.per:
            raise ValueError(f"a threshold allows between 0 and {self.per - 1} errors in {self.per}")

    @property
    def rate(self) -> Fraction:
        """The allowed share of errors, exact."""
        return Fraction(self.allowed, self.per)

    def allowance(self, n: int) -> int:
        """The most errors that `n` units may hold and still meet the threshold."""
        return n * self.allowed // self.per

    def met(self, errors: int, n: int) -> bool | None:
        """Whether `errors` in `n` units meet the threshold; None where there is nothing to judge.

        Raises ValueError unless 0 <= errors <= n.
        """
        check_counts(errors, n)
        return errors * self.per <= n * self.allowed if n else None


M1: Final = Threshold(allowed=500)
"""主体真实身份信息准确率 ≥ 99.95 %, that is errors * 2000 <= n."""

M2: Final = Threshold(allowed=0)
"""核验单信息准确率 = 100 %, that is no error at all."""

UNDETERMINABLE_ALERT: Final = Threshold(allowed=10_000)
"""Share of undeterminable comparisons (1 %) beyond which the supervisor is alerted."""


def check_counts(errors: int, n: int) -> None:
    """Raise ValueError unless 0 <= errors <= n."""
    if not 0 <= errors <= n:
        raise ValueError(f"{errors} errors in {n} units: expected 0 <= errors <= units")


def shown(errors: int, n: int) -> str:
    """The accuracy as a percentage with four decimals, truncated, never rounded: `99.9499%`.

    Because of the truncation a figure reads 100.0000% only when there is no error, and 99.9500% or
    more only when M1 is met. Without units there is no figure: `--`.
    Raises ValueError unless 0 <= errors <= n.
    """
    check_counts(errors, n)
    return percent((n - errors) * PPM // n) if n else NO_FIGURE


def percent(ppm: int) -> str:
    """Write parts per million as a percentage with four decimals."""
    whole, decimals = divmod(ppm, PPM // 100)
    return f"{whole}.{decimals:04d}%"
