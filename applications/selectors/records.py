"""What a bureau told an applicant, each with whether the act was taken back, and how the applicant urged it."""

from __future__ import annotations

from applications.models import Application, CompletenessNotice, Refusal, Urge
from applications.selectors import cases


def notices(case: Application) -> list[tuple[CompletenessNotice, bool]]:
    """All completeness notices with their items, oldest first."""
    rows = CompletenessNotice.unscoped.filter(application=case).order_by("number").prefetch_related("items")
    reverted = _steps_taken_back(case)
    return [(notice, notice.step in reverted) for notice in rows]


def refusals(case: Application) -> list[tuple[Refusal, bool]]:
    """All refusals with their conditions, oldest first."""
    rows = Refusal.unscoped.filter(application=case).order_by("step").select_related("condition")
    reverted = _steps_taken_back(case)
    return [(refusal, refusal.step in reverted) for refusal in rows]


def urges(case: Application) -> list[Urge]:
    """Every request to hurry, oldest first, with who made it."""
    rows = Urge.unscoped.filter(application=case).order_by("pk").select_related("by")
    return list(rows)


def _steps_taken_back(case: Application) -> set[int]:
    """A reversal is the step right after the one it takes back."""
    return {step.number - 1 for step in cases.history(case) if step.name == "revert"}
