"""The catalogue of criteria as a page: what is in force, by which rules it decides, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.models import CatalogueEdition, Criterion
from assessment.pages import common
from assessment.selectors import capability
from assessment.services import criteria
from pilot import policy
from pilot.actors import Actor
from pilot.context import EXTRA
from pilot.masking import staff
from pilot.models import Programme
from pilot.registry import Group
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Link, PlainPage, Row, Section

EXTRA.append((Group.PROGRAMME, "criteria", gettext_lazy("评估指标"), "ruler"))


def page(programme: Programme, actor: Actor, *, version: int | None = None) -> PlainPage | None:
    """The page of one version, of the one in force without ``version``; None for a version there is not."""
    newest, current = criteria.in_force(programme)
    shown = current
    if version is not None and version != newest:
        shown = list(capability.catalogue(programme, version).values())
        if not shown:
            return None
    older = version is not None and version != newest
    title = _("评估指标（第 %(n)s 版）") % {"n": version if older else newest} if newest else _("评估指标")
    tools = []
    if older:
        tools.append(Link(_("现行版本"), reverse("criteria"), "undo-2"))
    elif policy.may_open("criteria_edit", actor.role):
        tools.append(Link(_("修订评估指标"), reverse("criteria_edit"), "pencil"))
    return PlainPage(
        title=title,
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=_("这一版已被取代，只用于它有效时开始的评估")
        if older
        else _("分派评估人员时固定所用版本；修订只影响以后分派的评估，进行中和已结束的评估不变"),
        sections=[_catalogue(programme, shown), _rules(programme), _editions(programme)],
        toolbar=tools,
    )


def _catalogue(programme: Programme, shown: Sequence[Criterion]) -> Section:
    """Criterion by criterion; in the line of totals stands the least that a whole sheet has to reach."""
    least: int | None = programmes.rule(programme, "assessment_pass_points")
    rows: list[Row] = [
        Row("", [n, str(criterion), criterion.hint, criterion.points, criterion.must_pass or None])
        for n, criterion in enumerate(shown, start=1)
    ]
    if rows:
        points = sum(criterion.points for criterion in shown)
        rows.append(Row("", [common.BLANK, _("合计"), common.BLANK, points, least or common.BLANK]))
    return Section(
        _("指标"),
        columns=[
            Column("n", _("序号"), "end"),
            Column("title", _("评估指标")),
            Column("guidance", _("评分要点")),
            Column("points", _("满分"), "end"),
            Column("least", _("最低要求"), "end"),
        ],
        rows=rows,
        empty=_("本试点项目还没有评估指标"),
        note=_failing(least) if rows else "",
    )


def _failing(least: int | None) -> str:
    if least is None:
        return _("任何一项低于最低要求的，不通过")
    return _("合计不足 %(n)s 分或任何一项低于最低要求的，不通过") % {"n": least}


def _rules(programme: Programme) -> Section:
    def fact(label: str, key: str, unit: str) -> Fact:
        value = programmes.rule(programme, key)
        return Fact(
            label, None if value is None else unit % {"n": value}, programmes.rule_basis(programme, key)
        )

    return Section(
        _("合格分和分差限值"),
        facts=[
            fact(_("合格分"), "assessment_pass_points", _("%(n)s 分及以上为合格")),
            fact(_("分差限值"), "assessment_margin", _("合计分相差超过 %(n)s 分的，由第三人复议")),
        ],
        note=_("由试点项目的规则设定，不随评估指标修订"),
    )


def _editions(programme: Programme) -> Section:
    editions = list(CatalogueEdition.objects.filter(programme=programme).select_related("issued_by"))
    found: dict[int, dict[str, Criterion]] = {}
    for criterion in Criterion.objects.filter(programme=programme).order_by("version", "position"):
        found.setdefault(criterion.version, {})[criterion.code] = criterion
    rows = [
        Row(
            f"{reverse('criteria')}?version={edition.version}",
            [
                edition.version,
                edition.issued_at,
                staff(edition.issued_by) or _("随平台提供"),
                edition.reason,
                changed(found.get(edition.version - 1, {}), found[edition.version]),
            ],
        )
        for edition in reversed(editions)
    ]
    return Section(
        _("历次版本"),
        columns=[
            Column("version", _("版次"), "end"),
            Column("at", _("时间")),
            Column("by", _("修订人")),
            Column("reason", _("理由")),
            Column("changes", _("改动")),
        ],
        rows=rows,
        empty=_("随平台提供的评估指标，首次接收汇总表时启用"),
    )


def changed(before: Mapping[str, Criterion], after: Mapping[str, Criterion]) -> tuple[str, ...]:
    """What an edition changed against the one before, criterion by criterion, in words; nothing for the first."""
    if not before:
        return ()
    words = [_("新增“%(title)s”") % {"title": after[code]} for code in after if code not in before]
    words += [_("删去“%(title)s”") % {"title": before[code]} for code in before if code not in after]
    both = [code for code in after if code in before]
    for code in both:
        words += _differences(before[code], after[code])
    if both != [code for code in before if code in after]:
        words.append(_("调整顺序"))
    return tuple(words)


def _differences(old: Criterion, new: Criterion) -> list[str]:
    title: dict[str, Any] = {"title": new}
    words = []
    if (old.points, old.must_pass) != (new.points, new.must_pass):
        figures = {"old": f"{old.points}/{old.must_pass}", "new": f"{new.points}/{new.must_pass}"}
        words.append(_("“%(title)s”满分/最低由 %(old)s 改为 %(new)s") % {**title, **figures})
    if any(getattr(old, name) != getattr(new, name) for name in criteria.WORDS):
        words.append(_("“%(title)s”的文字") % title)
    return words
