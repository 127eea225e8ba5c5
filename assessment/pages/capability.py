"""Capability assessments as the portal shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.enums import AssessmentState, DeclarationState
from assessment.forms import AssessorsForm, ConclusionForm, ModeratorForm, TestSetForm
from assessment.models import CapabilityAssessment, InterestDeclaration, ScoreSheet
from assessment.pages import common, test_runs
from assessment.pages.declaration import role
from assessment.pages.evidence import Opener
from assessment.selectors import applicants, capability
from assessment.selectors.evidence import of_sheet
from assessment.services.test_runs import issue, issue_obstacle
from pilot.actors import Actor
from pilot.enums import Role
from pilot.masking import mask_name, staff
from pilot.registry import ListColumn, MachinePages, Task, register
from pilot.tones import state_tag
from pilot.ui import Column, Fact, Link, Row, Section, Tag


def facts(assessment: CapabilityAssessment, actor: Actor) -> list[Fact]:
    """Whom it is about and what was concluded."""
    application = assessment.application
    applicant = applicants.facts_of(application)
    return [
        Fact(_("申请单位"), Link(application.provider.name, common.application_url(application.pk))),
        Fact(_("统一社会信用代码"), application.uscc),
        Fact(_("省份"), common.province(application.province)),
        Fact(_("产品名称及版本"), applicant.product),
        Fact(_("产品供应商"), applicant.supplier),
        Fact(_("采集方式"), applicant.methods),
        Fact(_("认定总分"), _of_full(assessment)),
        Fact(_("评估结果"), result(assessment)),
        Fact(_("评估结论"), assessment.conclusion),
        Fact(
            _("结论时间"),
            assessment.state_since if assessment.state == AssessmentState.CONCLUDED else None,
        ),
        *([Fact(_("作出结论的人员"), assessment.concluded_by)] if actor.is_ministry else []),
    ]


def _of_full(assessment: CapabilityAssessment) -> str | None:
    """The points it came to, of how many."""
    if assessment.points is None:
        return None
    full = sum(criterion.points for criterion in capability.catalogue_of(assessment).values())
    return _("%(n)s / %(full)s 分") % {"n": assessment.points, "full": full}


def result(assessment: CapabilityAssessment) -> Tag | None:
    """Passed or not, as a tag."""
    return None if assessment.passed is None else verdict(passed=assessment.passed)


def verdict(*, passed: bool) -> Tag:
    """The verdict as a tag."""
    return Tag(_("通过"), "success") if passed else Tag(_("不通过"), "danger")


def sections(assessment: CapabilityAssessment, actor: Actor) -> list[Section]:
    """For the ministry who is asked; for everybody the scores that are open to them and what they rest on."""
    sheets = _sheets(assessment, actor)
    return [
        *([panel(assessment)] if actor.is_ministry else []),
        test_runs.section(assessment),
        score_table(assessment, sheets, actor),
        *grounds(assessment, sheets, actor),
    ]


def _sheets(assessment: CapabilityAssessment, actor: Actor) -> list[ScoreSheet]:
    """The sheets this actor may read: none of others' before all are in; the moderator's last."""
    sheets = ScoreSheet.objects.visible_to(actor).filter(declaration__assessment=assessment)
    ordered = sheets.select_related("declaration__agency", "declaration__assessor")
    return list(ordered.order_by("declaration__moderator", "declaration_id"))


def panel(assessment: CapabilityAssessment) -> Section:
    """Everybody ever asked, what they declared, whether they have scored."""
    declarations = InterestDeclaration.unscoped.filter(assessment=assessment)
    rows = [
        Row(
            reverse("interest-declaration_detail", args=[d.pk]),
            [
                staff(d.assessor),
                d.agency.name,
                role(d),
                Tag(_("已改派"), "muted") if d.released_at else state_tag(d),
                _("已提交") if capability.sheet_of(d) else None,
            ],
        )
        for d in declarations.select_related("assessor", "agency", "score_sheet").order_by("pk")
    ]
    columns = [
        Column("assessor", _("评估人员")),
        Column("agency", _("所在机构")),
        Column("role", _("承担工作")),
        Column("state", _("回避申报")),
        Column("scores", _("评分")),
    ]
    return Section(_("评估人员"), columns=columns, rows=rows, empty=_("尚未分派"))


def score_table(assessment: CapabilityAssessment, sheets: list[ScoreSheet], actor: Actor) -> Section:
    """Criterion by criterion these sheets; once all are in, with the means and whether the least is reached."""
    settled = len(sheets) > 1 and capability.obstacle_to_comparison(assessment) is None
    compared = capability.compared(assessment, sheets, settled=settled)
    rows = [
        Row(
            "",
            [
                str(row.criterion),
                row.criterion.points,
                row.criterion.must_pass or None,
                *row.points,
                *([row.mean, _least(row)] if settled else []),
            ],
        )
        for row in compared
    ]
    total: list[Any] = [_("合计"), sum(row.criterion.points for row in compared), common.BLANK]
    total += [sheet.total for sheet in sheets]
    if settled:
        total += [capability.settled(assessment)[0], common.BLANK]
    means = [Column("mean", _("认定分"), "end"), Column("least_met", _("是否达到最低要求"))]
    return Section(
        _("评分"),
        columns=[
            Column("criterion", _("评估指标")),
            Column("points", _("满分"), "end"),
            Column("least", _("最低要求"), "end"),
            *(Column(f"sheet{n}", _sheet_label(s, actor), "end") for n, s in enumerate(sheets)),
            *(means if settled else []),
        ],
        rows=[*rows, Row("", total)],
        note=_("全部评分提交前，评分互不可见")
        if assessment.state == AssessmentState.IN_PROGRESS and not settled
        else "",
    )


def _least(row: capability.Compared) -> Tag | None:
    if not row.criterion.must_pass:
        return None
    return Tag(_("达到"), "success") if row.met else Tag(_("未达到"), "danger")


def grounds(assessment: CapabilityAssessment, sheets: list[ScoreSheet], actor: Actor) -> list[Section]:
    """What the points rest on, with the way to the material; nothing where no assessor named anything."""
    if not any(sheet.evidence for sheet in sheets):
        return []
    opener = Opener(assessment, actor)
    kept = [(_sheet_label(sheet, actor), sheet, of_sheet(sheet)) for sheet in sheets]
    rows = [
        Row("", [str(criterion), who, sheet.scores.get(code), opener.cell(found[code]), found[code].words])
        for code, criterion in capability.catalogue_of(assessment).items()
        for who, sheet, found in kept
        if code in found
    ]
    columns = [
        Column("criterion", _("评估指标")),
        Column("assessor", _("评估人员")),
        Column("score", _("评分"), "end"),
        Column("source", _("依据材料")),
        Column("words", _("说明")),
    ]
    return [Section(_("评分依据"), columns=columns, rows=rows)]


def before_conclusion(assessment: CapabilityAssessment, actor: Actor) -> list[Section]:
    """What an officer sees before signing: what the scores come to, and the scores; these alone while some are out."""
    sheets = _sheets(assessment, actor)
    if capability.obstacle_to_comparison(assessment):
        return [score_table(assessment, sheets, actor)]
    points, passed = capability.settled(assessment)
    short = [str(row.criterion) for row in capability.compared(assessment, []) if not row.met]
    least = capability.pass_points(assessment)
    outcome = [
        Fact(_("认定总分"), points),
        Fact(_("合格分"), least),
        Fact(_("未达到最低要求的指标"), tuple(short) or _("无")),
        Fact(_("评估结果"), verdict(passed=passed)),
        Fact(_("认定依据"), basis(assessment)),
    ]
    return [Section(_("按评分将认定"), facts=outcome), score_table(assessment, sheets, actor)]


def basis(assessment: CapabilityAssessment) -> str:
    """Whose scores the conclusion rests on, in words."""
    if capability.moderator(assessment):
        return _("以复议评分为准")
    return _("各评估人员合计分的平均值，舍去小数")


def _sheet_label(sheet: ScoreSheet, actor: Actor) -> str:
    declaration = sheet.declaration
    if declaration.assessor_id == actor.person_id:
        return _("本人")
    words = mask_name(declaration.assessor.name) if actor.is_ministry else declaration.agency.name
    if declaration.moderator:
        return _("%(who)s（复议）") % {"who": words}
    counts = declaration.state == DeclarationState.CLEAR and declaration.released_at is None
    return words if counts else _("%(who)s（已回避，不计）") % {"who": words}


def awaits(assessment: CapabilityAssessment, actor: Actor) -> str:
    """The assessors the case waits for, by name for the ministry; else the officer, while the case runs."""
    members = capability.awaited(assessment)
    if members and actor.is_ministry:
        return _("评估人员（%(names)s）") % {
            "names": _("、").join(mask_name(m.assessor.name) for m in members)
        }
    if assessment.state in capability.OVER:
        return ""
    return str((Role.ASSESSOR if members else Role.MINISTRY_OFFICER).label)


def waiting(actor: Actor) -> Q | None:
    """What an officer has to do: assign, fill places, call a moderator, conclude."""
    if actor.role != Role.MINISTRY_OFFICER:
        return None
    on_case = InterestDeclaration.unscoped.filter(assessment=OuterRef("pk"), released_at__isnull=True)
    recused = Exists(on_case.filter(moderator=False, state=DeclarationState.CONFLICTED))
    staffed = on_case.exclude(state=DeclarationState.CONFLICTED)
    unscored = Exists(staffed.filter(moderator=False, score_sheet__isnull=True))
    moderated = staffed.filter(moderator=True)
    return (
        Q(state=AssessmentState.PLANNED)
        | Q(recused, state__in=[AssessmentState.ASSIGNED, AssessmentState.IN_PROGRESS])
        | Q(~unscored, state=AssessmentState.IN_PROGRESS)
        | Q(~Exists(moderated.filter(score_sheet__isnull=True)), state=AssessmentState.IN_MODERATION)
    )


register(
    MachinePages(
        model=CapabilityAssessment,
        label=gettext_lazy("技术能力评估"),
        group=common.REVIEW_GROUP,
        icon="microscope",
        columns=[
            ListColumn(Column("number", gettext_lazy("受理编号")), lambda a: a.number),
            ListColumn(Column("applicant", gettext_lazy("申请单位")), lambda a: a.application.provider.name),
            ListColumn(
                Column("province", gettext_lazy("省份")), lambda a: common.province(a.application.province)
            ),
            ListColumn(Column("points", gettext_lazy("认定总分"), "end"), lambda a: a.points),
            ListColumn(Column("result", gettext_lazy("评估结果")), result),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        awaits=awaits,
        forms={
            "assign": AssessorsForm,
            "reassign": AssessorsForm,
            "replace": ModeratorForm,
            "conclude": ConclusionForm,
        },
        previews={"conclude": before_conclusion},
        effects={
            "assign": gettext_lazy("请选定的评估人员申报有无利害关系，全部声明无利害关系后开始评估"),
            "reassign": gettext_lazy("请新选定的评估人员申报有无利害关系，替换回避或未申报的人员"),
            "replace": gettext_lazy("请第三名评估人员申报后复议，以复议评分为准"),
            "conclude": gettext_lazy("按评分认定总分和是否通过，生成评估报告，不能再改"),
        },
        danger=frozenset({"conclude"}),
        tasks=[
            Task(
                name="issue_test_set",
                label=gettext_lazy("下发测试集"),
                form=TestSetForm,
                service=issue,
                obstacle=issue_obstacle,
                effect=gettext_lazy(
                    "申请单位可下载样本清单（不含答案），在时限内提交结果文件，由平台核对计算"
                ),
            )
        ],
        search=["application__acceptance_number", "application__provider__name", "application__uscc"],
        related=["application__provider", "application__programme"],
        province_field="application__province",
        empty=gettext_lazy("接收汇总表后，同意推荐的申请在此建立技术能力评估"),
    )
)
