"""Reads around the capability assessment: who is on the panel, what was scored, what is still missing."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assessment.enums import AssessmentState, DeclarationState
from assessment.models import CapabilityAssessment, Criterion, InterestDeclaration, ScoreSheet
from assessment.rules import scores as rules
from pilot.enums import OrganisationKind, Role
from pilot.models import Membership, Programme
from pilot.selectors import people, programmes

LEAST_ASSESSORS = 2
OVER = (AssessmentState.CONCLUDED, AssessmentState.CANCELLED)


def candidates() -> QuerySet[Membership]:
    """Whoever may be asked to assess: assessors of agencies, in force now."""
    return (
        people.in_force()
        .filter(role=Role.ASSESSOR, organisation__kind=OrganisationKind.AGENCY)
        .order_by("organisation__name", "person__name")
    )


def on_case(assessment: CapabilityAssessment) -> QuerySet[InterestDeclaration]:
    """Everybody who is on the case now: neither taken off nor conflicted; moderator last."""
    declarations: QuerySet[InterestDeclaration] = InterestDeclaration.unscoped.filter(
        assessment=assessment, released_at__isnull=True
    )
    return (
        declarations.exclude(state=DeclarationState.CONFLICTED)
        .select_related("assessor", "agency", "score_sheet")
        .order_by("moderator", "pk")
    )


def panel(assessment: CapabilityAssessment) -> list[InterestDeclaration]:
    """The assessors of the first round who are on the case."""
    return list(on_case(assessment).filter(moderator=False))


def vacancies(assessment: CapabilityAssessment) -> QuerySet[InterestDeclaration]:
    """The places of the panel whose holder is conflicted or has not answered."""
    declarations: QuerySet[InterestDeclaration] = InterestDeclaration.unscoped.filter(
        assessment=assessment, moderator=False, released_at__isnull=True
    )
    return declarations.exclude(state=DeclarationState.CLEAR)


def moderator(assessment: CapabilityAssessment) -> InterestDeclaration | None:
    """The moderator who is on the case, if one was called in."""
    return on_case(assessment).filter(moderator=True).first()


def sheet_of(declaration: InterestDeclaration) -> ScoreSheet | None:
    """The scores an assessor handed in, if any."""
    return getattr(declaration, "score_sheet", None)


def sheets_of(declarations: list[InterestDeclaration]) -> list[ScoreSheet]:
    """The scores handed in by these assessors, in their order."""
    return [sheet for declaration in declarations if (sheet := sheet_of(declaration)) is not None]


def catalogue(programme: Programme) -> dict[str, Criterion]:
    """The criteria of the programme's newest catalogue by code, in order."""
    criteria = Criterion.objects.filter(programme=programme).order_by("position")
    newest = max((criterion.version for criterion in criteria), default=0)
    return {criterion.code: criterion for criterion in criteria if criterion.version == newest}


def weights(criteria: Mapping[str, Criterion]) -> dict[str, rules.Weight]:
    """The catalogue as the pure rules want it."""
    return {code: rules.Weight(points=c.points, must_pass=c.must_pass) for code, c in criteria.items()}


def figures(sheets: list[ScoreSheet]) -> list[rules.Scores]:
    """Sheets as figures."""
    return [rules.Scores(total=sheet.total, must_pass_met=sheet.must_pass_met) for sheet in sheets]


def are_apart(sheets: list[ScoreSheet], programme: Programme) -> bool:
    """Whether sheets disagree by the programme's margin."""
    return rules.apart(figures(sheets), margin=programmes.rule(programme, "assessment_margin"))


def conclusive_sheets(assessment: CapabilityAssessment) -> list[ScoreSheet]:
    """The sheets the conclusion rests on: the moderator's where one was called in, else those of the panel."""
    decider = moderator(assessment)
    return sheets_of([decider] if decider else panel(assessment))


def obstacle_to_conclusion(assessment: CapabilityAssessment) -> str | None:
    """Why there is no conclusion yet, in words."""
    if assessment.state == AssessmentState.IN_MODERATION:
        decider = moderator(assessment)
        return None if decider and sheet_of(decider) else _("复议人员尚未评分")
    members = panel(assessment)
    if len(members) < LEAST_ASSESSORS:
        return _("有评估人员回避，请先改派")
    sheets = sheets_of(members)
    if len(sheets) < len(members):
        return _("评估人员尚未全部评分（%(done)s/%(all)s）") % {"done": len(sheets), "all": len(members)}
    if are_apart(sheets, assessment.application.programme):
        return _("评分分歧超过限值，须先复议")
    return None
