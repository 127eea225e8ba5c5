"""What a checklist recommends, when scores agree, and what they settle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assessment.enums import ItemVerdict


@dataclass(frozen=True, slots=True)
class Scores:
    """One score sheet as figures: points in all, and whether every criterion reached its least points."""

    total: int
    must_pass_met: bool


@dataclass(frozen=True, slots=True)
class Weight:
    """What a criterion is worth: full points, and the least without which the whole fails (0: none)."""

    points: int
    must_pass: int


def recommends(verdicts: Iterable[str]) -> bool:
    """The overall verdict follows from the items: a condition that is not met forbids a recommendation (R03)."""
    return ItemVerdict.NOT_MET not in verdicts


def sum_up(scores: Mapping[str, int], catalogue: Mapping[str, Weight]) -> Scores:
    """Add up a sheet that holds every criterion of the catalogue."""
    return Scores(
        total=sum(scores[code] for code in catalogue),
        must_pass_met=all(scores[code] >= weight.must_pass for code, weight in catalogue.items()),
    )


def apart(sheets: Sequence[Scores], *, margin: int) -> bool:
    """Whether sheets disagree: totals further apart than ``margin`` points, or one fails what another passes."""
    totals = [sheet.total for sheet in sheets]
    return max(totals) - min(totals) > margin or len({sheet.must_pass_met for sheet in sheets}) > 1


def settle(sheets: Sequence[Scores], *, pass_points: int) -> tuple[int, bool]:
    """Points (the mean, rounded down) and whether the applicant passed, from the sheets that count."""
    points = sum(sheet.total for sheet in sheets) // len(sheets)
    return points, points >= pass_points and all(sheet.must_pass_met for sheet in sheets)


def mean(points: Sequence[int]) -> str:
    """The mean of points as it is printed: one decimal, truncated; ``--`` of none."""
    if not points:
        return "--"
    whole, tenth = divmod(sum(points) * 10 // len(points), 10)
    return f"{whole}.{tenth}" if tenth else f"{whole}"


def unexplained(
    scores: Mapping[str, int], words: Mapping[str, str], catalogue: Mapping[str, Weight]
) -> list[str]:
    """The criteria scored below their least points without a word about it: the applicant has to know why."""
    return [
        code
        for code, weight in catalogue.items()
        if code in scores and scores[code] < weight.must_pass and not words.get(code, "").strip()
    ]
