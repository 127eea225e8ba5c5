"""A pilot unit as the portal shows it: in the register, and on its own page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from filings.models import CoordinationCase, Inspection, Rectification, Sanction
from filings.pages import common
from filings.pages.dashboard import accuracy_percent, figures_of, unit_figure
from filings.periods import TO_DATE
from filings.selectors.units import UnitView
from filings.services.figures import figures
from pilot import clock
from pilot.actors import Actor
from pilot.charts import Mark, Series, line_chart
from pilot.enums import FilingType
from pilot.registry import pages_of
from pilot.tones import tone
from pilot.ui import Column, DetailPage, Fact, Link, Row, Section, Tag

SHOWN = 20


def matches(unit: Any, wanted: dict[str, Any]) -> bool:
    """Whether a unit fits the filter bar of the register."""
    text = (wanted.get("q") or "").strip()
    return (
        (not text or text in unit.code or text in unit.organisation.name)
        and (not wanted.get("province") or unit.province == wanted["province"])
        and (not wanted.get("status") or unit.status == wanted["status"])
    )


def columns() -> list[Column]:
    """The columns of the register."""
    return [
        Column("code", _("编号")),
        Column("name", _("试点单位")),
        Column("province", _("注册省")),
        Column("status", _("状态")),
        Column("m1", _("M1 准确率"), "end"),
        Column("m1_counts", _("M1 差错 / 计数"), "end"),
        Column("m1_met", _("M1 判定")),
        Column("m2", _("M2 准确率"), "end"),
        Column("m2_counts", _("M2 差错 / 计数"), "end"),
        Column("m2_met", _("M2 判定")),
    ]


def row(view: UnitView) -> Row:
    """A unit's line in the register."""
    f = unit_figure(view)
    return Row(
        f.url,
        [
            f.code,
            f.name,
            f.province,
            f.status,
            f.m1_shown,
            f.m1_counts,
            f.m1,
            f.m2_shown,
            f.m2_counts,
            f.m2,
        ],
    )


def detail(view: UnitView, actor: Actor) -> DetailPage:
    """A unit's page. A bureau of another province reads the figures of its part only."""
    unit = view.unit
    shown = unit_figure(view)
    return DetailPage(
        title=unit.organisation.name,
        number=unit.code,
        state=shown.status,
        facts=[
            Fact(_("试点单位编号"), unit.code),
            Fact(_("全国备案系统单位 ID"), str(unit.national_id)),
            Fact(_("注册省"), unit.get_province_display()),
            Fact(_("列入名录时间"), unit.enrolled_at),
            Fact(_("许可证有效期至"), unit.licence_expires_on),
        ],
        sections=[
            _to_date(view),
            *_trend(view),
            _by_month(view),
            _statuses(unit),
            _scope(unit),
            common.finding_section(_("最近的差错"), common.visible_findings(actor, unit=unit)[:SHOWN]),
        ],
        related=_related(unit, actor),
    )


def _to_date(view: UnitView) -> Section:
    if view.whole:
        facts = common.figure_facts(figures(unit=view.unit, period=TO_DATE, recount=False))
        return Section(_("准确率（截至目前）"), facts=facts)
    m1, m2 = figures_of(view.tally, view.unit)
    facts = [
        Fact(_("主体身份信息准确率 M1"), common.shown(m1)),
        Fact(_("核验单信息准确率 M2"), common.shown(m2)),
        Fact(_("待比对"), view.tally.counts.pending),
        Fact(_("无法判定"), view.tally.counts.undeterminable),
        Fact(_("数据截至"), clock.now()),
    ]
    return Section(_("准确率（本省主体部分）"), facts=facts)


def _trend(view: UnitView) -> list[Section]:
    values = [accuracy_percent(tally) for tally in view.months.values()]
    if not any(value is not None for value in values):
        return []
    chart = line_chart(
        _("M1 按月走势（%）"),
        list(view.months),
        [Series("M1", values)],
        mark=Mark(_("达标线 99.95%"), 99.95),
    )
    return [Section(_("M1 走势"), svg=str(chart))]


def _by_month(view: UnitView) -> Section:
    rows = []
    for month, tally in reversed(list(view.months.items())):
        m1, m2 = figures_of(tally, view.unit)
        counts = tally.counts
        rows.append(
            Row(
                "",
                [
                    month,
                    m1["shown"],
                    common.counts(m1),
                    common.met(m1),
                    m2["shown"],
                    common.counts(m2),
                    common.met(m2),
                    counts.pending,
                    counts.undeterminable,
                    counts.m2_provisional,
                    counts.errors_corrected,
                    counts.late,
                ],
            )
        )
    return Section(
        _("各月准确率"),
        columns=[
            Column("month", _("月份")),
            Column("m1", _("M1 准确率"), "end"),
            Column("m1_counts", _("M1 差错 / 计数"), "end"),
            Column("m1_met", _("M1 判定")),
            Column("m2", _("M2 准确率"), "end"),
            Column("m2_counts", _("M2 差错 / 计数"), "end"),
            Column("m2_met", _("M2 判定")),
            Column("pending", _("待比对"), "end"),
            Column("undeterminable", _("无法判定"), "end"),
            Column("provisional", _("待定差错"), "end"),
            Column("corrected", _("事后更正"), "end"),
            Column("late", _("迟报"), "end"),
        ],
        rows=rows,
        empty=_("尚未收到核验单"),
        note=_("待定差错为尚未确认的抽查、核查或来函差错；事后更正不消除已计入的差错。"),
    )


def _statuses(unit: Any) -> Section:
    return Section(
        _("状态历史"),
        columns=[
            Column("kind", _("状态")),
            Column("from", _("自")),
            Column("until", _("至")),
            Column("reason", _("原因")),
        ],
        rows=[
            Row(
                "",
                [Tag(str(s.get_kind_display()), tone(s.kind)), s.during.lower, s.during.upper, s.reason],
            )
            for s in unit.statuses.all()
        ],
    )


def _scope(unit: Any) -> Section:
    """How many provinces are open now for each filing type."""
    now = clock.now()
    opened = [s for s in unit.scopes.all() if now in s.during]
    facts = [
        Fact(str(kind.label), _("%(count)s 个省") % {"count": sum(s.filing_type == kind for s in opened)})
        for kind in FilingType
    ]
    return Section(_("开通范围"), facts=facts)


def _related(unit: Any, actor: Actor) -> list[Link]:
    """The last cases of each kind about this unit that this actor may open."""
    links = []
    for model in (Rectification, Inspection, Sanction, CoordinationCase):
        pages = pages_of(model.slug())
        for case in model.objects.visible_to(actor).filter(unit=unit).order_by("-pk")[:3]:
            label = f"{case.number} · {case.get_state_display()}"
            links.append(Link(label, reverse(f"{pages.slug}_detail", args=[case.pk]), pages.icon))
    listing = f"{reverse('verification-form_list')}?unit={unit.code}"
    return [Link(_("该单位的核验单"), listing, "files"), *links]
