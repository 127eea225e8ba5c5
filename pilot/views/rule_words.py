"""Programme rules as pages show them: the list, one rule with its history, what a new value would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from pilot import policy
from pilot.actors import Actor
from pilot.language import on_record
from pilot.masking import staff
from pilot.models import AuditEntry, Person, Programme, ProgrammeRule
from pilot.registry import rule_effects
from pilot.rule_kinds import DATED, KINDS, Area, RuleKind, Shape
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Link, PlainPage, Row, Section


def home() -> list[Link]:
    """The way to the list."""
    return [Link(_("首页"), reverse("home"))]


def listing(programme: Programme) -> PlainPage:
    """Every rule that the code knows, with the value in force and its basis."""
    held = programmes.rules_in_force(programme)
    return PlainPage(
        title=_("项目规则"),
        crumbs=home(),
        intro=_(
            "%(number)s未写明的期限、阈值和措施，由部机关在此录入并注明依据；文书只引用通知条款或这里的依据。"
        )
        % {"number": programme.number},
        sections=[
            Section(
                str(area.label),
                columns=[
                    Column("label", _("规则")),
                    Column("value", _("现行值")),
                    Column("basis", _("依据")),
                    Column("from", _("生效日期")),
                ],
                rows=[_line(kind, held.get(kind.key)) for kind in KINDS.values() if kind.area == area],
            )
            for area in Area
        ],
    )


def _line(kind: RuleKind, row: ProgrammeRule | None) -> Row:
    url = reverse("rule_detail", args=[kind.key])
    if row is None:
        return Row(url, [str(kind.label), kind.written(None), None, None])
    with on_record():  # a basis is kept as it was entered, whatever the reader reads
        said = f"：{kind.label}"
    basis = row.basis.removesuffix(said)  # what a house rule is about stands beside it already
    return Row(
        url, [str(kind.label), kind.written(row.value), basis, row.valid_from or _from_the_start(kind)]
    )


def _from_the_start(kind: RuleKind) -> str | None:
    """What stands for the day of a rule that holds since the programme began; of others no day is told."""
    return _("自试点开始") if kind.key in DATED else None


def detail(programme: Programme, kind: RuleKind, actor: Actor) -> PlainPage:
    """One rule: what it governs, what holds now and what is to come, every change on record."""
    tools = []
    if policy.may_open("rule_enter", actor.role):
        tools.append(Link(_("修改规则"), reverse("rule_enter", args=[kind.key]), "pencil"))
    facts = [Fact(_("规则"), str(kind.label)), Fact(_("作用"), str(kind.governs))]
    sections = [Section(_("规则内容"), facts=[*facts, *_current(programme, kind)])]
    if kind.key in DATED:
        sections.append(_validity(kind, programmes.rule_rows(programme, kind.key)))
    return PlainPage(
        title=str(kind.label),
        crumbs=crumbs(),
        sections=[*sections, _history(kind, programmes.rule_changes(programme, kind.key))],
        toolbar=tools,
    )


def crumbs(kind: RuleKind | None = None) -> list[Link]:
    """The way to the list, or to one rule."""
    way = [*home(), Link(_("项目规则"), reverse("rule_list"))]
    return [*way, Link(str(kind.label), reverse("rule_detail", args=[kind.key]))] if kind else way


def _current(programme: Programme, kind: RuleKind) -> list[Fact]:
    row = programmes.rules_in_force(programme).get(kind.key)
    return [
        Fact(_("现行值"), kind.written(row.value if row else None)),
        Fact(_("依据"), row.basis if row else None),
    ]


def _validity(kind: RuleKind, rows: Sequence[ProgrammeRule]) -> Section:
    return Section(
        _("适用时间"),
        columns=[
            Column("from", _("生效日期")),
            Column("value", _("值")),
            Column("basis", _("依据")),
        ],
        rows=[
            Row("", [row.valid_from or _("自试点开始"), kind.written(row.value), row.basis])
            for row in reversed(rows)
        ],
        empty=_("没有规定"),
        note=_("每一天按当天有效的一行判定；新的一行不改变此前各日。"),
    )


def _history(kind: RuleKind, entries: Sequence[AuditEntry]) -> Section:
    people: Mapping[Any, Person] = Person.objects.in_bulk({e.person_id for e in entries if e.person_id})
    return Section(
        _("修改记录"),
        columns=[
            Column("at", _("修改时间")),
            Column("value", _("值")),
            Column("from", _("生效日期")),
            Column("basis", _("依据")),
            Column("reason", _("理由")),
            Column("by", _("修改人")),
        ],
        rows=[_change(kind, entry, people) for entry in entries],
        empty=_("试点项目设立以来没有修改"),
    )


def _change(kind: RuleKind, entry: AuditEntry, people: Mapping[Any, Person]) -> Row:
    detail, person = entry.detail, people.get(entry.person_id)
    return Row(
        "",
        [
            entry.business_at,
            _("废止") if detail["value"] is None else kind.written(detail["value"]),
            detail.get("valid_from"),
            detail.get("basis"),
            detail.get("reason"),
            staff(person) if person else entry.actor,
        ],
    )


# --- before it is entered ----------------------------------------------------------------------------
def notes(programme: Programme, kind: RuleKind, value: Any, valid_from: date | None) -> list[str]:
    """What would change, in words: in general, then for the cases that there are."""
    lines = [str(kind.governs)]
    if valid_from is not None:
        lines.append(_("%(day)s 起生效，此前各日的判定不变") % {"day": valid_from.isoformat()})
    return [*lines, *rule_effects(programme, kind.key, value)]


def comparison(programme: Programme, kind: RuleKind, value: Any, basis: str) -> Section:
    """What holds, beside what is to hold."""
    row = programmes.rules_in_force(programme).get(kind.key)
    new = _("废止") if value is None and kind.shape != Shape.SWITCH else kind.written(value)
    return Section(
        _("修改前后对比"),
        columns=[Column("what", ""), Column("before", _("现行")), Column("after", _("修改后"))],
        rows=[
            Row("", [_("值"), kind.written(row.value if row else None), new]),
            Row("", [_("依据"), row.basis if row else None, basis]),
        ],
    )
