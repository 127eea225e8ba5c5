"""What a figure lets the regulator say, with the error of a sample taken into account.

A process truly at 99.95 % fails the plain test four times in ten, so a sample has three answers, not
two; and a sample that shows no error never proves 100 %. Confidence is one-sided.
"""

from enum import StrEnum
from fractions import Fraction

from .intervals import CONFIDENCE, compare_binomial, compare_hypergeometric
from .thresholds import Threshold, check_counts


class M1Verdict(StrEnum):
    """达标 / 不达标 / 尚不能判定."""

    ACHIEVED = "achieved"
    NOT_ACHIEVED = "not_achieved"
    UNDECIDED = "undecided"


class M2Verdict(StrEnum):
    """不达标 / 未发现差错（抽查 n 份）."""

    NOT_ACHIEVED = "not_achieved"
    NO_ERROR_FOUND = "no_error_found"


def process_verdict(
    errors: int, n: int, threshold: Threshold, confidence: Fraction = CONFIDENCE
) -> M1Verdict:
    """Judge the process behind `n` units by its exact Clopper–Pearson bounds.

    Achieved: the lower bound of the accuracy reaches the threshold. Not achieved: the upper bound
    stays below it. Raises ValueError unless 0 <= errors <= n.
    """
    check_counts(errors, n)
    # The bound reaches the threshold exactly where the tail at the threshold reaches alpha.
    if compare_binomial(errors, n, threshold.rate, 1 - confidence) <= 0:
        return M1Verdict.ACHIEVED
    if compare_binomial(errors - 1, n, threshold.rate, confidence) > 0:
        return M1Verdict.NOT_ACHIEVED
    return M1Verdict.UNDECIDED


def frame_verdict(
    errors: int, *, drawn: int, frame: int, threshold: Threshold, confidence: Fraction = CONFIDENCE
) -> M1Verdict:
    """Judge a frozen frame by `errors` in a simple random sample of `drawn` of its units, exactly.

    A frame drawn as a whole is judged as it is. An empty frame stays undecided.
    Raises ValueError unless 0 <= errors <= drawn <= frame.
    """
    check_counts(errors, drawn)
    check_counts(drawn, frame)
    if not frame:
        return M1Verdict.UNDECIDED
    allowed = threshold.allowance(frame)
    one_too_many = compare_hypergeometric(
        errors, drawn=drawn, bad=allowed + 1, frame=frame, level=1 - confidence
    )
    if one_too_many <= 0:
        return M1Verdict.ACHIEVED
    at_limit = compare_hypergeometric(errors - 1, drawn=drawn, bad=allowed, frame=frame, level=confidence)
    return M1Verdict.NOT_ACHIEVED if at_limit >= 0 else M1Verdict.UNDECIDED


def form_verdict(errors: int, n: int) -> M2Verdict | None:
    """Judge M2 on `n` inspected forms: one error is too many; None where nothing was inspected.

    Raises ValueError unless 0 <= errors <= n.
    """
    check_counts(errors, n)
    if not n:
        return None
    return M2Verdict.NOT_ACHIEVED if errors else M2Verdict.NO_ERROR_FOUND
