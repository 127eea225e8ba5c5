"""What the run phase would do otherwise with a programme rule set to another value, before that is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from filings.enums import CoordinationState, FindingState, RectificationState, SanctionState
from filings.models import CoordinationCase, Finding, Rectification, Sanction, UnitMonthKey
from filings.services import retention
from pilot import clock
from pilot.models import Programme
from pilot.registry import on_rule_change
from pilot.rules import local_day
from pilot.selectors import programmes

_RUNNING: dict[str, Callable[[Programme], Any]] = {
    "dispute_days": lambda programme: Finding.unscoped.filter(
        unit__programme=programme, state=FindingState.OPEN
    ),
    "rectification_days": lambda programme: Rectification.unscoped.filter(
        unit__programme=programme, state=RectificationState.ISSUED
    ),
    "hearing_days": lambda programme: Sanction.unscoped.filter(
        unit__programme=programme, state=SanctionState.HEARING
    ),
    "coordination_days": lambda programme: CoordinationCase.unscoped.filter(
        unit__programme=programme, state=CoordinationState.OPEN
    ),
}


@on_rule_change
def effects(programme: Programme, key: str, value: Any) -> Sequence[str]:
    """How many cases run on as they began, or what becomes possible."""
    if key in _RUNNING:
        return [_("正在计算期限的 %(count)s 件不变") % {"count": f"{_RUNNING[key](programme).count():,}"}]
    if key == "sanctions":
        return _sanctions(programme, bool(value))
    if key == retention.RULE:
        return _retention(programme, value)
    return ()


def _sanctions(programme: Programme, held: bool) -> list[str]:
    under_way = (SanctionState.PROPOSED, SanctionState.HEARING, SanctionState.HEARD)
    count = Sanction.unscoped.filter(unit__programme=programme, state__in=under_way).count()
    return [
        _("省局和部经办人员可以提出暂停或退出") if held else _("不能再提出暂停或退出"),
        _("已提出、尚未决定的 %(count)s 件按提出时的依据继续办理") % {"count": count},
    ]


def _retention(programme: Programme, days: int | None) -> list[str]:
    """How many unit-months are past their time by the new rule, and how many are by the present one."""
    before = _past(programme, programmes.rule(programme, retention.RULE))
    after = _past(programme, days)
    words = _("已满保存期限、内容可以销毁的单位月份由 %(before)s 个变为 %(after)s 个")
    return [words % {"before": before, "after": after}]


def _past(programme: Programme, days: int | None) -> int:
    if days is None:
        return 0
    # A month ends on the first of the next one: what began before that month's first day is over.
    last = (local_day(clock.now()) - timedelta(days=days)).replace(day=1)
    keys = UnitMonthKey.objects.filter(Q(month__lt=last), unit__programme=programme, destroyed_at=None)
    return keys.count()
