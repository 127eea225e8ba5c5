"""Findings as the portal shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import FindingKind, FindingState
from filings.forms.findings import FindingForm
from filings.forms.measures import CauseForm, ConfirmForm, DecisionForm, DisputeForm
from filings.models import Finding, FindingCause
from filings.pages import common, compared, form_content
from filings.selectors import inspections
from filings.services import findings, reading
from filings.services.findings import COUNTED
from pilot import policy
from pilot.actors import Actor
from pilot.masking import staff
from pilot.registry import Creation, ListColumn, ListFilter, MachinePages, Task, register
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Link, Section

COUNTS_IN: Final = {
    FindingKind.IDENTITY: gettext_lazy("计入 M1 和 M2"),
    FindingKind.FORM: gettext_lazy("计入 M2"),
}


def facts(finding: Finding, actor: Actor) -> list[Fact]:
    """What is wrong with which form, who found it, and what the unit says; what nobody said is left out."""
    names_people = not actor.is_provider
    shown = [
        Fact(_("试点单位"), common.unit_link(finding.unit)),
        Fact(_("核验单"), common.form_link(finding.form)),
        Fact(_("数据项"), _item(finding)),
        Fact(_("差错类型"), finding.get_kind_display(), str(COUNTS_IN[FindingKind(finding.kind)])),
        Fact(_("来源"), _source(finding, actor)),
        Fact(_("说明"), finding.description),
        Fact(_("主体所在省"), finding.get_subject_province_display()),
        Fact(_("计入日期"), finding.day, _("首个版本接收之日，不因更正改变")),
        Fact(_("发现时间"), finding.opened_at),
        Fact(_("发现人"), staff(finding.found_by) if names_people else None),
        Fact(_("差错原因"), finding.cause.text if finding.cause else None),
        Fact(_("异议理由"), finding.dispute),
        Fact(_("决定人"), staff(finding.decided_by) if names_people else None),
    ]
    return [fact for fact in shown if fact.value]


def _item(finding: Finding) -> str:
    """The field, where it says more than the kind does."""
    return "" if finding.field == finding.kind else common.field_label(finding.field)


def _source(finding: Finding, actor: Actor) -> Any:
    """Where it was found; an inspection that the reader may know of as the way to it."""
    words, found_in = str(finding.get_source_display()), inspections.behind(finding, actor)
    if found_in is None:
        return words
    return Link(f"{words} {found_in.number}", reverse("inspection_detail", args=[found_in.pk]))


def sections(finding: Finding, actor: Actor) -> list[Section]:
    """The proof that was handed in, and how many other findings have the same cause."""
    parts = common.proof_section(_("证明材料"), finding, actor)
    if finding.cause is not None:
        alike = common.visible_findings(actor, cause=finding.cause_id)
        url = f"{reverse('finding_list')}?cause={finding.cause_id}"
        words = _("同一原因的差错共 %(count)s 条") % {"count": alike.count()}
        parts.append(
            Section(
                _("同一原因"),
                facts=[Fact(_("差错原因"), finding.cause.text), Fact(_("差错"), Link(words, url))],
            )
        )
    return parts


def in_dispute(finding: Finding, actor: Actor) -> list[Section]:
    """What a dispute is decided on: what was found, what the unit says, what the comparison came to; the form, masked.

    That the form was read is on record.
    """
    said = Section(
        _("争议事项"),
        facts=[
            Fact(_("试点单位"), common.unit_link(finding.unit)),
            Fact(_("核验单"), common.form_link(finding.form)),
            Fact(_("数据项"), common.field_label(finding.field)),
            Fact(_("来源"), _source(finding, actor)),
            Fact(_("说明"), finding.description),
            Fact(_("异议理由"), finding.dispute),
        ],
    )
    first = [said, compared.section(finding.form)]
    record = reading.read_form(actor=actor, form=finding.form)
    if record is None:
        return [*first, Section(_("核验单"), empty=_("内容已销毁"), folded=True)]
    return [
        *first,
        *(
            replace(part, title=f"{_('核验单')}{_('：')}{part.title}", folded=True)
            for part in form_content.sections(record)
        ),
    ]


def links(finding: Finding, actor: Actor) -> list[Link]:
    """What an official of the unit's bureau may make of it."""
    if not policy.may_open("rectification_create", actor.role) or actor.province != finding.unit.province:
        return []
    return [Link(_("起草整改通知"), f"{reverse('rectification_create')}?unit={finding.unit_id}", "wrench")]


def _causes(actor: Actor) -> list[tuple[str, Any]]:
    rows = FindingCause.objects.visible_to(actor).order_by("-pk")[:100]
    return [(str(row.pk), row.text[:40]) for row in rows]


def _cause_obstacle(finding: Finding, actor: Actor) -> str | None:
    if finding.state not in COUNTED:
        return _("确认差错后可以记录原因")
    return _("已记录差错原因") if finding.cause_id is not None else None


def _reported() -> str:
    """What follows when a finding is recorded."""
    days = programmes.rule(programmes.current(), "dispute_days")
    return _("通知试点单位；单位可在 %(days)s 个工作日内提出异议，逾期视为确认") % {"days": days}


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
            ListColumn(Column("field", gettext_lazy("数据项")), lambda f: common.field_label(f.field)),
            ListColumn(Column("source", gettext_lazy("来源")), _cell("source")),
            ListColumn(Column("kind", gettext_lazy("差错类型")), _cell("kind")),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={
            "confirm": ConfirmForm,
            "dispute_finding": DisputeForm,
            "uphold": DecisionForm,
            "overturn": DecisionForm,
        },
        previews={"uphold": in_dispute, "overturn": in_dispute},
        tasks=[
            Task(
                "record_cause",
                gettext_lazy("记录差错原因"),
                CauseForm,
                findings.put_down_to_cause,
                _cause_obstacle,
                gettext_lazy("原因写入所选差错，供整改时使用；不影响准确率"),
            )
        ],
        links=links,
        filters=[
            ListFilter("cause", gettext_lazy("差错原因"), _causes, lambda value, actor: Q(cause=value)),
        ],
        effects={
            "confirm": gettext_lazy("该差错计入准确率，不能再提出异议"),
            "dispute_finding": gettext_lazy("由主体所在省或注册省的通信管理局、或部复核"),
            "uphold": gettext_lazy("该差错计入准确率"),
            "overturn": gettext_lazy("该差错不再计入准确率；仅以此为依据的整改通知随之取消"),
        },
        danger=frozenset({"confirm"}),
        verdicts=frozenset({"confirm", "dispute_finding", "uphold", "overturn"}),
        creation=Creation(
            gettext_lazy("登记差错"),
            FindingForm,
            findings.report_finding,
            lazy(_reported, str)(),
        ),
        search=["form__form_no", "unit__organisation__name", "unit__code"],
        related=["unit", "unit__organisation", "form", "form__key"],
        province_field="subject_province",
        empty=gettext_lazy("比对、抽查发现的差错会列在这里"),
    )
)
