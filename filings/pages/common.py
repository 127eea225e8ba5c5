"""Parts that several pages of the run phase show alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.models import Finding, VerificationForm
from filings.periods import TO_DATE
from pilot.models import PilotUnit
from pilot.registry import Group
from pilot.tones import tone
from pilot.ui import Column, Fact, Link, Row, Section, Tag, Tone

GROUP = Group.SUPERVISION
RUN_GROUP = Group.RUN
FIELDS = {
    "subject": gettext_lazy("备案主体身份信息"),
    "principal": gettext_lazy("主体负责人身份信息"),
    "identity": gettext_lazy("主体身份信息"),
    "form": gettext_lazy("核验单其他信息"),
}
VERDICTS: dict[str, tuple[Any, Tone]] = {
    "achieved": (gettext_lazy("达标"), "success"),
    "not_achieved": (gettext_lazy("不达标"), "danger"),
    "undecided": (gettext_lazy("尚不能判定"), "warning"),
    "no_error_found": (gettext_lazy("未发现差错"), "success"),
}


def unit_link(unit: PilotUnit) -> Link:
    """The way to a unit's page."""
    return Link(f"{unit.code} {unit.organisation.name}", reverse("pilot-unit_detail", args=[unit.code]))


def form_link(form: VerificationForm) -> Link:
    """The way to a stored form's page."""
    return Link(form.form_no, reverse("verification-form_detail", args=[form.pk]))


def field_label(field: str) -> str:
    """The words for a finding's field; one named by an official stands as it is."""
    return str(FIELDS.get(field, field))


def state_of(case: Any) -> Tag:
    """A case's state as a tag, for tables."""
    return Tag(str(case.get_state_display()), tone(case.state))


def verdict(code: str) -> Tag | None:
    """What a figure lets one say, as a tag; nothing was counted: None."""
    if not code:
        return None
    label, tone = VERDICTS[code]
    return Tag(str(label), tone)


def met(figure: dict[str, Any]) -> Tag:
    """Whether a figure meets its threshold."""
    labels: dict[Any, tuple[str, Tone]] = {
        True: (_("达到"), "success"),
        False: (_("未达到"), "danger"),
        None: (_("无数据"), "muted"),
    }
    return Tag(*labels[figure["met"]])


def counts(figure: dict[str, Any]) -> str:
    """errors / n."""
    return f"{figure['errors']:,} / {figure['n']:,}"


def shown(figure: dict[str, Any]) -> str:
    """The figure with its counts, in one cell."""
    return _("%(figure)s（%(counts)s）") % {"figure": figure["shown"], "counts": counts(figure)}


def figure_facts(figures: dict[str, Any]) -> list[Fact]:
    """Both figures and what lies outside them, always with window, rules and data-as-of."""
    return [
        Fact(_("主体身份信息准确率 M1"), shown(figures["m1"])),
        Fact(_("M1 判定"), met(figures["m1"])),
        Fact(_("核验单信息准确率 M2"), shown(figures["m2"])),
        Fact(_("M2 判定"), met(figures["m2"])),
        Fact(_("待比对"), figures["pending"]),
        Fact(_("无法判定"), figures["undeterminable"]),
        Fact(_("拒收"), figures["refused"]),
        Fact(_("重复"), figures["duplicates"]),
        Fact(_("迟报"), figures["late"]),
        Fact(_("统计期间"), _("截至目前") if figures["period"] == TO_DATE else figures["period"]),
        Fact(_("计算规则"), figures["rule_version"]),
        Fact(_("数据截至"), datetime.fromisoformat(figures["as_of"])),
    ]


def finding_section(title: str, findings: Any, *, empty: str = "") -> Section:
    """A table of findings, each a link to its case."""
    return Section(
        title,
        columns=[
            Column("number", _("编号")),
            Column("form", _("核验单编号")),
            Column("field", _("字段")),
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
                    state_of(f),
                ],
            )
            for f in findings
        ],
        empty=empty or _("没有差错"),
    )


def visible_findings(actor: Any, **wanted: Any) -> Any:
    """Findings this actor may know of, newest first."""
    rows = Finding.objects.visible_to(actor).filter(**wanted)
    return rows.select_related("form", "unit", "unit__organisation").order_by("-pk")
