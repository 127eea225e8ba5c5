"""Declarations of interest as the portal shows them: until one is made, three facts of the applicant and no more."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Case, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.enums import AssessmentState, DeclarationState
from assessment.models import InterestDeclaration, ScoreSheet
from assessment.pages import common
from assessment.pages.evidence import Opener
from assessment.pages.score_form import ScoreForm
from assessment.selectors import applicants, capability, phases
from assessment.selectors.evidence import of_sheet
from assessment.services import scores
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, RemarkForm
from pilot.masking import staff
from pilot.registry import ListColumn, ListFilter, MachinePages, Task, on_dashboard, register
from pilot.rules import last_moment, local_day
from pilot.ui import Column, Fact, Link, Row, Section, Tag, Tile


def facts(declaration: InterestDeclaration, actor: Actor) -> list[Fact]:
    """Applicant's name, code and product supplier: what a declaration needs (design.md, visibility)."""
    application = declaration.assessment.application
    return [
        Fact(_("申请单位"), application.provider.name),
        Fact(_("统一社会信用代码"), application.uscc),
        Fact(_("产品供应商"), applicants.facts_of(application).supplier),
        Fact(_("评估人员"), staff(declaration.assessor)),
        Fact(_("所在机构"), declaration.agency.name),
        Fact(_("承担工作"), role(declaration)),
        *_until(declaration),
        Fact(_("说明"), declaration.statement),
        Fact(_("改派时间"), declaration.released_at),
    ]


def _until(declaration: InterestDeclaration) -> list[Fact]:
    """The last day of the time set for assessment, while there is still something to do."""
    asked = declaration.state == DeclarationState.ASKED and declaration.released_at is None
    if not (asked or opened(declaration)):
        return []
    assessment = declaration.assessment
    if assessment.state in capability.OVER or capability.sheet_of(declaration):
        return []
    part = phases.review(assessment.application.programme, at=clock.now()).part(phases.ASSESSMENT)
    if part is None:
        return []
    return [Fact(_("评估期限"), local_day(last_moment(part.share.closes)))]


def role(declaration: InterestDeclaration) -> str:
    """What the assessor is asked to do."""
    return _("复议") if declaration.moderator else _("独立评分")


def opened(declaration: InterestDeclaration) -> bool:
    """Whether the case stands open on this declaration."""
    return declaration.state == DeclarationState.CLEAR and declaration.released_at is None


def sections(declaration: InterestDeclaration, actor: Actor) -> list[Section]:
    """The catalogue and, once handed in, this assessor's own points with what they rest on."""
    if not opened(declaration):
        return []
    sheet = ScoreSheet.objects.visible_to(actor).filter(declaration=declaration).first()
    columns = [
        Column("criterion", _("评估指标")),
        Column("points", _("满分"), "end"),
        Column("least", _("最低要求"), "end"),
    ]
    catalogue = capability.catalogue_of(declaration.assessment)
    if sheet is None:
        columns.append(Column("guidance", _("评分要点")))
        rows = [Row("", [str(c), c.points, c.must_pass or None, c.hint]) for c in catalogue.values()]
        return [Section(_("评估指标"), columns=columns, rows=rows)]
    columns += [
        Column("score", _("评分"), "end"),
        Column("source", _("依据材料")),
        Column("words", _("说明")),
    ]
    opener, found = Opener(declaration.assessment, actor), of_sheet(sheet)
    rows = [
        Row(
            "",
            [
                str(criterion),
                criterion.points,
                criterion.must_pass or None,
                points(sheet.scores.get(code), criterion),
                opener.cell(found.get(code)),
                found[code].words if code in found else None,
            ],
        )
        for code, criterion in catalogue.items()
    ]
    said = _("评语：%(words)s") % {"words": sheet.comment} if sheet.comment else ""
    total = _("合计 %(n)s 分") % {"n": sheet.total}
    return [Section(_("评分"), columns=columns, rows=rows, note="　".join(filter(None, [total, said])))]


def points(score: int | None, criterion: Any) -> Tag | int | None:
    """Points as a cell: marked where they are below the least that the catalogue demands."""
    if score is None or score >= criterion.must_pass:
        return score
    return Tag(_("%(n)s，低于最低要求") % {"n": score}, "danger")


def links(declaration: InterestDeclaration, actor: Actor) -> list[Link]:
    """The case and the application, once they are open to this actor."""
    if not (opened(declaration) or actor.is_ministry):
        return []
    assessment = declaration.assessment
    return [
        Link(_("技术能力评估"), reverse("capability-assessment_detail", args=[assessment.pk]), "microscope"),
        Link(_("申请材料"), common.application_url(assessment.application_id), "files"),
    ]


def waiting(actor: Actor) -> Q | None:
    """Assessors declare, then score."""
    if actor.role != Role.ASSESSOR:
        return None
    running = Q(moderator=False, assessment__state=AssessmentState.IN_PROGRESS)
    moderating = Q(moderator=True, assessment__state=AssessmentState.IN_MODERATION)
    unscored = Q(state=DeclarationState.CLEAR, score_sheet__isnull=True) & (running | moderating)
    asked = Q(state=DeclarationState.ASKED) & ~Q(assessment__state__in=capability.OVER)
    return Q(released_at__isnull=True) & (asked | unscored)


# Whether the scores are handed in, for the column and its filter; empty where none are asked for.
SCORED: Final = {"yes": gettext_lazy("已提交"), "no": gettext_lazy("未提交")}
HANDED_IN: Final = Case(
    When(score_sheet__isnull=False, then=Value("yes")),
    When(state=DeclarationState.CLEAR, released_at__isnull=True, then=Value("no")),
    default=Value(""),
)


def _not_themselves(actor: Actor) -> bool:
    """An assessor sees no cases but the own: name and agency would be the same in every row."""
    return not actor.is_assessor


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """An assessor reads what is done; what is to be done stands beside it."""
    if not actor.is_assessor:
        return
    done = Q(score_sheet__isnull=False)
    number = InterestDeclaration.objects.visible_to(actor).filter(done).count()
    url = f"{reverse('interest-declaration_list')}?scored=yes"
    board.tiles = [*board.tiles, Tile(_("已完成评估（件）"), f"{number:,}", url)]


register(
    MachinePages(
        model=InterestDeclaration,
        label=gettext_lazy("回避申报与评分"),
        group=common.REVIEW_GROUP,
        icon="user-check",
        columns=[
            ListColumn(Column("number", gettext_lazy("受理编号")), lambda d: d.number),
            ListColumn(
                Column("applicant", gettext_lazy("申请单位")),
                lambda d: d.assessment.application.provider.name,
            ),
            ListColumn(
                Column("assessor", gettext_lazy("评估人员")),
                lambda d: staff(d.assessor),
                personal=True,
                serves=_not_themselves,
            ),
            ListColumn(
                Column("agency", gettext_lazy("所在机构")), lambda d: d.agency.name, serves=_not_themselves
            ),
            ListColumn(Column("role", gettext_lazy("承担工作")), role),
            ListColumn(Column("scores", gettext_lazy("评分")), lambda d: SCORED.get(d.handed_in)),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={"declare_none": RemarkForm, "declare": ReasonForm, "recuse": ReasonForm},
        effects={
            "declare_none": gettext_lazy("声明与申请单位和产品供应商均无利害关系，评估材料随即开放"),
            "declare": gettext_lazy("不再参与本案，评估材料不开放，由部另行指派"),
            "recuse": gettext_lazy("退出本案，已提交的评分保留但不再计入"),
        },
        danger=frozenset({"declare", "recuse"}),
        verdicts=frozenset({"declare_none", "declare"}),
        tasks=[
            Task(
                name="submit_scores",
                label=gettext_lazy("提交评分"),
                form=ScoreForm,
                service=scores.submit_scores,
                obstacle=scores.obstacle,
                effect=gettext_lazy("评分提交后不能修改；全部提交前，评分互不可见"),
            )
        ],
        search=["assessment__application__acceptance_number", "assessment__application__provider__name"],
        related=[
            "assessment__application__provider",
            "assessment__application__programme",
            "assessor",
            "agency",
            "score_sheet",
        ],
        annotations={"handed_in": HANDED_IN},
        filters=[
            ListFilter(
                "scored",
                gettext_lazy("评分"),
                lambda actor: list(SCORED.items()),
                lambda value, actor: Q(handed_in=value),
            )
        ],
        links=links,
        empty=gettext_lazy("指派评估后，待申报的事项在此列出"),
    )
)
