"""Figures of a province or of a list, beside those of another one (O04)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from applications.models import Application
from applications.selectors import workbench
from assessment.models import ApprovalList
from assessment.rules import comparison as rules
from assessment.selectors import stages
from assessment.selectors.stages import Stage
from pilot.actors import Actor
from pilot.enums import Province
from pilot.machines import NOTHING


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared. ``query`` asks the list of applications for its rows.

    ``whole``: the reader may see every case of it, so every number is told and can be opened.
    """

    key: str
    label: str
    query: tuple[str, str | int]
    condition: Q
    whole: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of a side; None is a small one that is not told."""

    stages: dict[Stage, int | None]
    returned: int | None
    overdue: int | None


def sides(actor: Actor) -> dict[str, Side]:
    """Key → what this official may choose from: every province, and the lists he or she may know of, newest first."""
    provinces = [
        Side(
            f"province-{int(province)}",
            str(province.label),
            ("province", int(province)),
            Q(province=province),
            whole=actor.is_ministry or actor.province == province,
        )
        for province in Province
    ]
    return {side.key: side for side in [*provinces, *_lists(actor)]}


def _lists(actor: Actor) -> list[Side]:
    return [
        Side(
            f"batch-{row.pk}",
            str(row),
            ("batch", row.pk),
            Q(list_entries__approval_list=row.pk),
            whole=actor.is_ministry,
        )
        for row in ApprovalList.objects.visible_to(actor).order_by("-pk")
    ]


def choices(actor: Actor) -> list[tuple[str, str]]:
    """The lists by which the ministry, which sees all their applications, can filter."""
    if not actor.is_ministry:
        return []
    return [(str(row.pk), str(row)) for row in ApprovalList.objects.visible_to(actor).order_by("-pk")]


def batch(value: str, actor: Actor) -> Q:
    """The filter of the list by the approval list that decided."""
    return Q(list_entries__approval_list=value) if value in dict(choices(actor)) else NOTHING


def figures(side: Side) -> Figures:
    """How far the applications of a side have come; as far as told to this reader."""
    rows = Application.unscoped.filter(side.condition, submitted_at__isnull=False)
    counted: dict[str, Any] = rows.aggregate(
        **{str(stage): Count("pk", filter=Q(state__in=stages.REACHED[stage])) for stage in Stage},
        returned=Count("pk", filter=stages.was_returned("yes", Actor.system("comparison"))),
        overdue=Count("pk", filter=workbench.overdue()),
    )
    numbers: list[int] = [counted[stage] for stage in Stage]
    if side.whole:
        return Figures(dict(zip(Stage, numbers, strict=True)), counted["returned"], counted["overdue"])
    return Figures(
        dict(zip(Stage, rules.told(numbers), strict=True)),
        rules.told([numbers[0], counted["returned"]])[1],
        rules.told([numbers[0], counted["overdue"]])[1],
    )
