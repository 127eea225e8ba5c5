"""Opinions as the portal shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.pages.case import shown_mark
from applications.selectors import content
from assessment.enums import OpinionState
from assessment.models import Opinion, OpinionVersion
from assessment.pages import common, opinion_desk
from assessment.selectors import applicants, reports
from pilot import clock
from pilot.actors import Actor
from pilot.due import cell as due_cell
from pilot.enums import Role
from pilot.forms import ReasonForm
from pilot.masking import staff
from pilot.models import Condition
from pilot.registry import ListColumn, MachinePages, register
from pilot.ui import ActionItem, Column, Fact, Link, Row, Section

# How what was written or signed is put right (R06); nothing of it vanishes.
AMENDED = {
    OpinionState.DRAFTED: gettext_lazy("签发前由本局负责人“退回重拟”，须写明理由"),
    OpinionState.SIGNED: gettext_lazy(
        "汇总报送前由本局负责人“重新审核”，须写明理由，已签发的版本保留；报送后须先由部退回汇总表"
    ),
}


def facts(opinion: Opinion, actor: Actor) -> list[Fact]:
    """Who applies with what, and what the bureau says."""
    application = opinion.application
    applicant = applicants.facts_of(application)
    return [
        Fact(_("申请单位"), Link(application.provider.name, common.application_url(application.pk))),
        Fact(_("统一社会信用代码"), application.uscc),
        Fact(_("受理编号"), application.number),
        Fact(_("省份"), common.province(opinion.province)),
        Fact(_("许可证编号"), applicant.licence),
        Fact(_("采集方式"), applicant.methods),
        Fact(_("产品名称及版本"), applicant.product),
        Fact(_("产品供应商"), applicant.supplier),
        Fact(_("审核结论"), common.recommendation(opinion.recommended)),
        Fact(_("审核意见"), opinion.remark),
        Fact(_("拟稿人"), staff(opinion.drafted_by)),
        Fact(_("签发人"), staff(opinion.signed_by)),
        Fact(_("签发时间"), opinion.state_since if opinion.state == OpinionState.SIGNED else None),
        Fact(_("版次"), opinion.version),
        *(
            [Fact(_("更正办法"), AMENDED[opinion.state])]
            if actor.is_bureau and opinion.state in AMENDED
            else []
        ),
    ]


def sections(opinion: Opinion, actor: Actor) -> list[Section]:
    """The checklist beside what the material shows, signed versions, and for the bureau its internal remark."""
    shown = [checklist(opinion)]
    if actor.is_bureau and opinion.internal_remark:
        remark = Fact(_("备注内容"), opinion.internal_remark)
        shown.append(Section(_("内部备注"), facts=[remark], private=True))
    shown.append(versions(opinion))
    return shown


def checklist(opinion: Opinion) -> Section:
    """Condition by condition: what the material shows, the verdict, its evidence."""
    application = opinion.application
    version = content.latest_version(application)
    found = content.hints(application, version, at=clock.now()) if version else []
    hints = {hint.number: hint for hint in found}
    rows = []
    for condition in Condition.objects.filter(programme=application.programme_id):
        item = opinion.checklist.get(str(condition.number), {})
        hint = hints.get(condition.number)
        rows.append(
            Row(
                "",
                [
                    f"{condition.clause} {condition}",
                    [shown_mark(hint), *hint.gaps] if hint else None,
                    opinion_desk.verdict(item),
                    item.get("evidence", ""),
                ],
            )
        )
    columns = [
        Column("condition", _("参与条件")),
        Column("material", _("材料情况")),
        Column("verdict", _("核对结论")),
        Column("evidence", _("依据")),
    ]
    return Section(_("条件核对结论"), columns=columns, rows=rows)


def _signed(opinion: Opinion) -> QuerySet[OpinionVersion]:
    rows: QuerySet[OpinionVersion] = OpinionVersion.unscoped.filter(opinion=opinion)
    return rows.select_related("drafted_by", "signed_by")


def versions(opinion: Opinion) -> Section:
    """The opinions as they were signed."""
    return Section(
        _("已签发版本"),
        columns=[
            Column("number", _("版次"), "end"),
            Column("recommended", _("审核结论")),
            Column("remark", _("审核意见")),
            Column("drafted_by", _("拟稿人")),
            Column("signed_by", _("签发人")),
            Column("signed_at", _("签发时间")),
        ],
        rows=[
            Row(
                "",
                [
                    v.number,
                    common.recommendation(v.recommended),
                    v.remark,
                    staff(v.drafted_by),
                    staff(v.signed_by),
                    v.signed_at,
                ],
            )
            for v in _signed(opinion)
        ],
        empty=_("尚未签发"),
    )


def waiting(actor: Actor) -> Q | None:
    """Reviewers draft, leads sign what others drafted."""
    if actor.role == Role.BUREAU_REVIEWER:
        return Q(state=OpinionState.PENDING)
    if actor.role == Role.BUREAU_LEAD:
        return Q(state=OpinionState.DRAFTED) & ~Q(drafted_by=actor.person_id)
    return None


def openings(opinion: Opinion, actor: Actor) -> list[ActionItem]:
    """On to the next case, once this one is done."""
    link = opinion_desk.next_link(opinion, actor)
    return [ActionItem("next", link.label, True, url=link.url, primary=True)] if link else []


def signed_opinion(opinion: Opinion, actor: Actor) -> list[Section]:
    """What stands above the form by which a lead reopens: the opinion as it was signed, condition by condition."""
    last = _signed(opinion).last()
    if last is None:
        return []
    facts = [
        Fact(_("审核结论"), common.recommendation(last.recommended)),
        Fact(_("审核意见"), last.remark),
        Fact(_("拟稿人"), staff(last.drafted_by)),
        Fact(_("签发人"), staff(last.signed_by)),
        Fact(_("签发时间"), last.signed_at),
    ]
    return [Section(_("已签发的意见（第 %(n)s 版）") % {"n": last.number}, facts=facts), checklist(opinion)]


def _due(opinion: Any) -> Any:
    """The last day on which the bureau reports in time."""
    return due_cell(opinion.report_due)  # annotated: see the registration below


register(
    MachinePages(
        model=Opinion,
        label=gettext_lazy("审核意见"),
        group=common.REVIEW_GROUP,
        icon="clipboard-check",
        columns=[
            ListColumn(Column("number", gettext_lazy("受理编号")), lambda o: o.number),
            ListColumn(Column("applicant", gettext_lazy("申请单位")), lambda o: o.application.provider.name),
            ListColumn(Column("province", gettext_lazy("省份")), lambda o: common.province(o.province)),
            ListColumn(
                Column("verdict", gettext_lazy("审核结论")), lambda o: common.recommendation(o.recommended)
            ),
            ListColumn(Column("due", gettext_lazy("报送截止")), _due, "report_due", deadline=True),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        deadline=lambda actor: reports.due_of_opinions(),
        due=lambda opinion: opinion.report_due,
        forms={
            "draft": opinion_desk.DraftForm,
            "sign": opinion_desk.SignForm,
            "send_back": opinion_desk.SendBackForm,
            "reopen": ReasonForm,
        },
        effects={
            "draft": gettext_lazy("意见交本局负责人签发；有一项条件不符合的即为不同意推荐"),
            "sign": gettext_lazy("本版意见固定，申请状态随之改为同意推荐或不同意推荐"),
            "send_back": gettext_lazy("退回审核人员重拟，理由仅本局可见"),
            "reopen": gettext_lazy("开始新一版意见，申请回到已受理状态；已签发的版本保留"),
        },
        previews={"reopen": signed_opinion},
        danger=frozenset({"send_back", "reopen"}),
        openings=openings,
        search=["application__acceptance_number", "application__provider__name", "application__uscc"],
        related=["application__provider", "application__programme"],
        annotations={"report_due": reports.due_of_opinions()},
        province_field="province",
        empty=gettext_lazy("申请受理后，审核意见在此自动建立"),
    )
)
