"""Findings as the portal shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import FindingState
from filings.forms import DisputeForm, FindingForm
from filings.models import Finding
from filings.pages import common
from filings.services import findings
from pilot.actors import Actor
from pilot.forms import ReasonForm
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Column, Fact


def facts(finding: Finding, actor: Actor) -> list[Fact]:
    """What is wrong with which form, who found it, and what the unit says."""
    names_people = not actor.is_provider
    return [
        Fact(_("试点单位"), common.unit_link(finding.unit)),
        Fact(_("核验单"), common.form_link(finding.form)),
        Fact(_("字段"), common.field_label(finding.field)),
        Fact(_("差错类型"), finding.get_kind_display()),
        Fact(_("来源"), finding.get_source_display()),
        Fact(_("说明"), finding.description),
        Fact(_("主体所在省"), finding.get_subject_province_display()),
        Fact(_("计入日期"), finding.day),
        Fact(_("发现人"), finding.found_by.name if finding.found_by and names_people else None),
        Fact(_("异议理由"), finding.dispute),
        Fact(_("决定人"), finding.decided_by.name if finding.decided_by and names_people else None),
    ]


def waiting(actor: Actor) -> Q | None:
    """Units answer what is open; officials in the two provinces, and the ministry, decide what is disputed."""
    if actor.is_provider:
        return Q(state=FindingState.OPEN)
    if not (actor.is_bureau or actor.is_ministry):
        return None
    found_by_another = Q(found_by__isnull=True) | ~Q(found_by=actor.person_id)
    return Q(state=FindingState.DISPUTED) & found_by_another


def _cell(name: str) -> Any:
    return lambda finding: str(getattr(finding, f"get_{name}_display")())


register(
    MachinePages(
        model=Finding,
        label=gettext_lazy("差错"),
        group=common.GROUP,
        icon="file-exclamation-point",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda f: f.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda f: f.unit.organisation.name),
            ListColumn(Column("form", gettext_lazy("核验单编号")), lambda f: f.form.form_no),
            ListColumn(Column("field", gettext_lazy("字段")), lambda f: common.field_label(f.field)),
            ListColumn(Column("source", gettext_lazy("来源")), _cell("source")),
            ListColumn(Column("kind", gettext_lazy("差错类型")), _cell("kind")),
        ],
        facts=facts,
        waiting=waiting,
        forms={"dispute_finding": DisputeForm, "uphold": ReasonForm, "overturn": ReasonForm},
        effects={
            "confirm": gettext_lazy("该差错计入准确率，不能再提出异议"),
            "dispute_finding": gettext_lazy("由主体所在省或注册省的通信管理局、或部复核"),
            "uphold": gettext_lazy("该差错计入准确率"),
            "overturn": gettext_lazy("该差错不再计入准确率；仅以此为依据的整改通知随之取消"),
        },
        danger=frozenset({"confirm"}),
        creation=Creation(
            gettext_lazy("登记差错"),
            FindingForm,
            findings.report_finding,
            gettext_lazy("通知试点单位，异议期限开始计算"),
        ),
        search=["form__form_no", "unit__organisation__name", "unit__code"],
        related=["unit", "unit__organisation", "form", "found_by", "decided_by"],
        province_field="subject_province",
        empty=gettext_lazy("比对、抽查发现的差错会列在这里"),
    )
)
