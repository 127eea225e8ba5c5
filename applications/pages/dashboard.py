"""What intake shows on a bureau's first page (R01)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.selectors import review, workbench
from pilot.actors import Actor
from pilot.registry import on_dashboard
from pilot.ui import Tile, Tone


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """The bureau's clocks and desks stand on top."""
    if actor.is_bureau:
        board.tiles = [*tiles(actor), *board.tiles]


def tiles(actor: Actor) -> list[Tile]:
    """What is due, answered, claimed; each opens exactly the rows it counts."""
    rows: list[tuple[str, str, Q, Tone]] = [
        (_("今日到期"), "due=today", workbench.due_today(), "warning"),
        (_("即将到期（≤ 3 个工作日）"), "due=soon", workbench.due_soon(), "warning"),
        (_("已逾期"), "due=overdue", workbench.overdue(), "danger"),
        (_("补正已提交待看"), "answered=yes", workbench.answered(), "info"),
        (_("我已认领"), "desk=mine", review.on_desk_of(actor.person_id), "info"),
        (_("待认领"), "desk=unclaimed", review.on_no_desk(actor), "info"),
    ]
    numbers = workbench.counts([condition for _label, _query, condition, _tone in rows], actor)
    url = reverse("application_list")
    return [
        Tile(label, f"{number:,}", f"{url}?{query}", tone=tone if number else "neutral")
        for (label, query, _condition, tone), number in zip(rows, numbers, strict=True)
    ]
