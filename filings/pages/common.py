"""Parts that several pages of the run phase show alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import FIELD_LABELS
from filings.models import Finding, VerificationForm
from filings.periods import TO_DATE
from filings.services import attachments, inspection_fields
from pilot.actors import Actor
from pilot.machines import Case
from pilot.models import PilotUnit
from pilot.registry import Group
from pilot.services import exports
from pilot.services.documents import suffix_of
from pilot.tones import state_tag
from pilot.ui import Column, Fact, Link, Ratio, Row, Section, Tag, Tone

GROUP = Group.SUPERVISION
RUN_GROUP = Group.RUN
WEBSITE_PRINCIPAL = re.compile(r"websites\.\d{1,4}\.principal")  # where a comparison differs
LATE = gettext_lazy("运行阶段结束或退出试点后收到，不计入准确率")
VERDICTS: dict[str, tuple[Any, Tone]] = {
    "achieved": (gettext_lazy("达标"), "success"),
    "not_achieved": (gettext_lazy("不达标"), "danger"),
    "undecided": (gettext_lazy("尚不能判定"), "warning"),
    "no_error_found": (gettext_lazy("未发现差错"), "success"),
}


def export_table(
    title: str,
    columns: Sequence[Column],
    chosen: str,
    *,
    total: int,
    rows: Iterable[Row],
    most: int | None = None,
) -> exports.Table:
    """A list as a spreadsheet, with the columns whose keys are ``chosen`` (joined by commas), else with all."""
    keys = chosen.split(",")
    kept = [n for n, column in enumerate(columns) if column.key in keys] or range(len(columns))
    return exports.Table(
        title=title,
        headings=[str(columns[n].label) for n in kept],
        total=total,
        rows=([row.cells[n] for n in kept] for row in rows),
        most=most,
    )


def unit_link(unit: PilotUnit) -> Link:
    """The way to a unit's page."""
    return Link(f"{unit.code} {unit.organisation.name}", unit_url(unit.code))


@lru_cache(maxsize=10_000)
def unit_url(code: str) -> str:
    """The address of a unit's page."""
    return reverse("pilot-unit_detail", args=[code])


@cache
def province_url(province: int) -> str:
    """The address of a province's page."""
    return reverse("province", args=[province])


def form_link(form: VerificationForm) -> Link:
    """The way to a stored form's page."""
    return Link(form.form_no, reverse("verification-form_detail", args=[form.pk]))


def field_label(field: str) -> str:
    """The words for what a finding is about; an item named by an official stands as it is."""
    if WEBSITE_PRINCIPAL.fullmatch(field):
        return inspection_fields.label(field)
    return str(FIELD_LABELS.get(field, field))


def overdue(last: date, days: int) -> Tag:
    """A deadline that has passed: its last day, and by how many whole working days."""
    late = _("%(day)s 逾期 %(days)s 个工作日") if days else _("%(day)s 已逾期")
    return Tag(late % {"day": last.isoformat(), "days": days}, "danger")


def verdict(code: str) -> Tag | None:
    """What a figure lets one say at the confidence of verdicts, as a tag; nothing was counted: None."""
    if not code:
        return None
    label, tone = VERDICTS[code]
    return Tag(str(label), tone)


def met(figure: dict[str, Any], *, whole: bool = True) -> Tag:
    """Whether the whole numbers reach the threshold, which is no verdict on the process behind them.

    Of a part of a unit's forms it is only said whether it has errors.
    """
    if figure["met"] is None:
        return Tag(_("无数据"), "muted")
    if not whole:
        return Tag(_("本省部分有差错"), "warning") if figure["errors"] else Tag(_("本省部分无差错"))
    return Tag(_("达线"), "success") if figure["met"] else Tag(_("未达线"), "danger")


def met_heads(*, whole: bool) -> tuple[str, str]:
    """The heads of columns of M1 and M2 that hold :func:`met`; ``whole``: no cell is about a part only."""
    return (_("M1 是否达线"), _("M2 是否达线")) if whole else (_("M1 差错情况"), _("M2 差错情况"))


def counts(figure: dict[str, Any]) -> str:
    """errors / n."""
    return f"{figure['errors']:,} / {figure['n']:,}"


def opened(number: int, unit: str, period: str, count: str, province: int | None = None) -> Link | str:
    """A count as the way to what it counts, of the subjects of one province only if it is one; none leads nowhere."""
    if not number:
        return "0"
    query = f"?province={province}" if province else ""
    return Link(f"{number:,}", _figure_url(unit, period, count) + query)


@lru_cache(maxsize=10_000)
def _figure_url(unit: str, period: str, count: str) -> str:
    return reverse("figure", args=[unit, period, count])  # hundreds on a first page


def ratio(
    figure: dict[str, Any],
    unit: str,
    period: str,
    name: str,
    *,
    apart: bool = False,
    province: int | None = None,
    verdict: Tag | None = None,
) -> Ratio:
    """A figure (``m1``, ``m2``) with errors / n, each opening what it counts; ``apart``: without its percentage."""
    return Ratio(
        opened(figure["errors"], unit, period, f"{name}_errors", province),
        opened(figure["n"], unit, period, f"{name}_n", province),
        "" if apart else figure["shown"],
        verdict,
    )


def figure_facts(figures: dict[str, Any], demands: tuple[str, str]) -> list[Fact]:
    """Both figures and what lies outside them, always with window, rules and data-as-of; each opens what it counts.

    ``demands``: what M1 and M2 have to reach.
    """
    unit, period = figures["unit"], figures["period"]

    def count(name: str) -> Link | str:
        return opened(figures[name], unit, period, name)

    return [
        Fact(_("M1 准确率"), ratio(figures["m1"], unit, period, "m1"), _("主体身份信息")),
        Fact(_("M1 是否达线"), met(figures["m1"]), _demanded(demands[0])),
        Fact(_("M2 准确率"), ratio(figures["m2"], unit, period, "m2"), _("核验单信息")),
        Fact(_("M2 是否达线"), met(figures["m2"]), _demanded(demands[1])),
        Fact(_("待比对"), count("pending")),
        Fact(_("无法判定"), count("undeterminable")),
        Fact(_("拒收"), count("refused")),
        Fact(_("重复"), count("duplicates")),
        Fact(_("迟报"), count("late"), str(LATE)),
        Fact(_("统计期间"), _("截至目前") if figures["period"] == TO_DATE else figures["period"]),
        Fact(_("计算规则"), figures["rule_version"]),
        Fact(_("数据截至"), datetime.fromisoformat(figures["as_of"])),
    ]


def _demanded(target: str) -> str:
    return _("达标线 %(target)s") % {"target": target}


def proof_section(title: str, case: Case, actor: Actor, *, empty: str = "") -> list[Section]:
    """The files that came with the acts of a case; without any, what ``empty`` says, or no section at all."""
    files = attachments.of(case)
    if not files and not empty:
        return []
    return [
        Section(
            title,
            columns=[
                Column("title", _("文件")),
                Column("kind", _("格式")),
                Column("size", _("大小"), "end"),
                Column("at", _("提交时间")),
            ],
            rows=[
                Row(
                    reverse("document", args=[file.pk]),
                    [
                        file.title,
                        suffix_of(file.content_type).upper(),
                        filesizeformat(file.size),
                        file.made_at,
                    ],
                )
                for file in files
            ],
            empty=empty,
        )
    ]


def finding_section(title: str, findings: Any, *, empty: str = "") -> Section:
    """A table of findings, each a link to its case."""
    return Section(
        title,
        columns=[
            Column("number", _("编号")),
            Column("form", _("核验单编号")),
            Column("field", _("数据项")),
            Column("source", _("来源")),
            Column("state", _("状态")),
        ],
        rows=[
            Row(
                reverse("finding_detail", args=[f.pk]),
                [
                    f.number,
                    f.form.form_no,
                    field_label(f.field),
                    str(f.get_source_display()),
                    state_tag(f),
                ],
            )
            for f in findings
        ],
        empty=empty or _("没有差错"),
    )


def visible_findings(actor: Any, **wanted: Any) -> Any:
    """Findings this actor may know of, newest first, with what a table of them shows."""
    rows = Finding.objects.visible_to(actor).filter(**wanted).select_related("form").order_by("-pk")
    return rows.only("opened_at", "state", "source", "field", "form__form_no")
