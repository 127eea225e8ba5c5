"""What is open for a pilot unit: the grid of provinces and filing types, its changes, and what a switch would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from pilot import scope as spans
from pilot.actors import Actor
from pilot.enums import FilingType, Province, UnitStatusKind
from pilot.masking import staff
from pilot.models import ScopeChange, UnitStatus
from pilot.rules import local_day
from pilot.scope import Scope, Span
from pilot.services.register import Switch
from pilot.ui import Column, Fact, Link, Row, Section, Tag, Words

HALF = 16  # rows of the first of the two columns in which the 31 provinces stand


@dataclass(frozen=True, slots=True)
class ScopeCell:
    """One province and filing type: open or not, and what is planned."""

    open: bool
    planned: str = ""


@dataclass(frozen=True, slots=True)
class ScopeGrid:
    """31 provinces × 4 filing types as of a moment, in two halves side by side."""

    lead: str  # of when, before the moment
    at: datetime
    summary: str
    heads: Sequence[Words]
    halves: Sequence[Sequence[tuple[Words, Sequence[ScopeCell]]]]
    form: Any


def grid(scope: Scope, *, at: datetime, left: UnitStatus | None = None, form: Any) -> ScopeGrid:
    """The grid as of ``at``; ``form`` asks for another day.

    A unit that ``left`` the pilot by then has nothing open: then it is the grid of that moment.
    """
    lead = _("截至")
    if left is not None:
        at, removed = left.during.lower, left.kind == UnitStatusKind.REMOVED
        lead = _("退出试点时的开通范围，截至") if removed else _("试点结束时的开通范围，截至")
    lines = [
        (province.label, [_cell(scope.get((province, kind), ()), at) for kind in FilingType])
        for province in Province
    ]
    opened = sum(any(cell.open for cell in cells) for _label, cells in lines)
    pairs = sum(cell.open for _label, cells in lines for cell in cells)
    return ScopeGrid(
        lead=lead,
        at=at,
        summary=_("开通 %(provinces)s 个省，共 %(pairs)s 项（省 × 备案类型）")
        % {"provinces": opened, "pairs": pairs},
        heads=[kind.label for kind in FilingType],
        halves=[lines[:HALF], lines[HALF:]],
        form=form,
    )


def _cell(times: Sequence[Span], at: datetime) -> ScopeCell:
    turn, opened = spans.next_turn(times, at), spans.is_open(times, at)
    if turn is None:
        return ScopeCell(opened)
    return ScopeCell(opened, _turns(turn, closing=opened, at=at))


def _turns(turn: datetime, *, closing: bool, at: datetime) -> str:
    """Until or from which day, short: the year only where it is another one than of the grid."""
    words = _("至 %(day)s") if closing else _("自 %(day)s")
    day, today = localtime(turn), localtime(at)
    return words % {"day": day.strftime("%m-%d" if day.year == today.year else "%Y-%m-%d")}


def _moment(at: datetime) -> str:
    """A day, with the time of day where it is not the day's beginning."""
    local = localtime(at)
    return local.strftime("%Y-%m-%d" if local.time().isoformat() == "00:00:00" else "%Y-%m-%d %H:%M")


def changes(rows: Sequence[ScopeChange], actor: Actor, *, now: datetime) -> Section:
    """The history of switches, newest first. Providers read the office, not the person."""
    return Section(
        _("开通与关闭记录"),
        columns=[
            Column("at", _("决定时间")),
            Column("act", _("变更")),
            Column("provinces", _("省份")),
            Column("types", _("备案类型")),
            Column("from", _("生效时间")),
            Column("reason", _("理由")),
            Column("by", _("决定人")),
        ],
        rows=[
            Row(
                "",
                [
                    change.decided_at,
                    Tag(_("开通"), "success") if change.opened else Tag(_("关闭"), "warning"),
                    provinces_words(change.provinces),
                    types_words(change.filing_types),
                    _effect(change.effective_from, now),
                    change.reason,
                    _("部机关") if actor.is_provider else staff(change.decided_by),
                ],
            )
            for change in rows
        ],
        empty=_("列入名录以来没有变更"),
        note=_("后作出的变更自其生效时间起取代先前的安排；关闭生效前采集的核验单仍计入。") if rows else "",
    )


def opened(scope: Scope, *, at: datetime) -> Section:
    """What is open at ``at``, shortly: every set of filing types with its provinces, the largest set first."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for province in Province:
        kinds = tuple(kind.value for kind in FilingType if spans.is_open(scope.get((province, kind), ()), at))
        if kinds:
            groups.setdefault(kinds, []).append(int(province))
    return Section(
        _("现行开通范围"),
        facts=[
            Fact(types_words(kinds), provinces_words(groups[kinds]))
            for kinds in sorted(groups, key=len, reverse=True)
        ],
        empty=_("没有开通的省份"),
    )


def _effect(at: datetime, now: datetime) -> Any:
    return at if at <= now else _("%(at)s（未生效）") % {"at": _moment(at)}


def provinces_words(codes: Sequence[int]) -> str:
    """The provinces by name; all of them in a word."""
    if len(codes) == len(Province):
        return _("全部 31 个省")
    return _("、").join(str(Province(code).label) for code in sorted(codes))


def types_words(kinds: Sequence[str]) -> str:
    """The filing types by name; all of them in a word."""
    if len(kinds) == len(FilingType):
        return _("全部类型")
    return _("、").join(str(kind.label) for kind in FilingType if kind in kinds)


# --- the page before a switch -----------------------------------------------------------------------
@dataclass(slots=True)
class SwitchPage:
    """The form of a switch, or what it would do, to be confirmed. ``carried``: what the confirmation sends again."""

    title: str
    number: str
    back: str
    crumbs: Sequence[Link]
    form: Any
    opened: Section | None = None  # beside the form: what is open now
    facts: Sequence[Fact] = ()
    preview: Section | None = None
    notes: Sequence[str] = ()
    carried: Sequence[tuple[str, str]] = ()
    danger: bool = False
    submit_label: str = ""


def preview(plan: Switch) -> Section:
    """The provinces and filing types that change, before and after."""
    rows = []
    for province in plan.provinces:
        kinds = [kind for kind in FilingType if (province, kind) in plan.after]
        dropped = [kind for kind in kinds if spans.next_turn(plan.before[province, kind], plan.moment)]
        rows.append(
            Row(
                "",
                [
                    str(Province(province).label),
                    types_words(kinds),
                    _state(plan.before, province, kinds, plan.moment),
                    Tag(_("开通"), "success") if plan.opened else Tag(_("关闭"), "warning"),
                    types_words(dropped) if dropped else None,
                ],
            )
        )
    return Section(
        _("将变更 %(count)s 个省") % {"count": len(rows)},
        columns=[
            Column("province", _("省份")),
            Column("types", _("备案类型")),
            Column("before", _("生效前")),
            Column("after", _("生效后")),
            Column("dropped", _("被取代的后续安排")),
        ],
        rows=rows,
    )


def _state(scope: Mapping[Any, Sequence[Span]], province: int, kinds: Sequence[str], at: datetime) -> Tag:
    """How the cells stand right before the switch."""
    opened = sum(spans.is_open(scope[province, kind], at) for kind in kinds)
    if opened == len(kinds):
        return Tag(_("开通"), "success")
    return Tag(_("部分开通"), "info") if opened else Tag(_("关闭"), "muted")


def notes(plan: Switch) -> list[str]:
    """What else to know before confirming."""
    lines = []
    if plan.same:
        lines.append(_("所选范围中另有 %(count)s 项已是如此，不受影响") % {"count": plan.same})
    if not plan.opened:
        lines.append(_("生效前采集的核验单仍按原范围接收并计入，生效后采集的将被拒收"))
    lines.append(_("确认后立即通知试点单位、其注册省和所涉省份的通信管理局"))
    return lines


def effect_fact(plan: Switch) -> Fact:
    """From when the switch holds."""
    today = local_day(plan.moment)
    midnight = localtime(plan.moment).time().isoformat() == "00:00:00"
    return Fact(
        _("生效时间"), today if midnight else _("%(day)s，确认后立即生效") % {"day": today.isoformat()}
    )
