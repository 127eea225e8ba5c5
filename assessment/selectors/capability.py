"""Reads around the capability assessment: who is on the panel, what was scored, what is still missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from assessment.enums import AssessmentState, DeclarationState
from assessment.models import CapabilityAssessment, Criterion, InterestDeclaration, ScoreSheet
from assessment.models import capability as models
from assessment.rules import scores as rules
from pilot.enums import OrganisationKind, Role
from pilot.models import Membership, Programme
from pilot.selectors import people, programmes

LEAST_ASSESSORS = models.LEAST_ASSESSORS
OVER = (AssessmentState.CONCLUDED, AssessmentState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Compared:
    """One criterion over several sheets; ``mean`` and ``met`` speak of those the conclusion rests on."""

    criterion: Criterion
    points: Sequence[int]
    mean: str  # one decimal, truncated
    met: bool  # everybody gave the least points at least


def candidates() -> QuerySet[Membership]:
    """Whoever may be asked to assess: assessors of agencies, in force now."""
    return (
        people.in_force()
        .filter(role=Role.ASSESSOR, organisation__kind=OrganisationKind.AGENCY)
        .order_by("organisation__name", "person__name")
    )


def on_case(*assessments: CapabilityAssessment) -> QuerySet[InterestDeclaration]:
    """Everybody who is on these cases now: neither taken off nor conflicted; moderators last."""
    declarations: QuerySet[InterestDeclaration] = InterestDeclaration.unscoped.filter(
        assessment__in=assessments, released_at__isnull=True
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


def awaited(assessment: CapabilityAssessment) -> list[InterestDeclaration]:
    """The assessors a case under way waits for: to declare, then to score. Nobody: it is the officer's turn.

    So it is, too, while a place of the panel is vacant or nobody moderates: others are to be asked.
    """
    if assessment.state == AssessmentState.IN_MODERATION:
        decider = moderator(assessment)
        return [decider] if decider and sheet_of(decider) is None else []
    if assessment.state not in {AssessmentState.ASSIGNED, AssessmentState.IN_PROGRESS}:
        return []
    if vacancies(assessment).filter(state=DeclarationState.CONFLICTED).exists():
        return []
    members = panel(assessment)
    if assessment.state == AssessmentState.ASSIGNED:
        return [member for member in members if member.state == DeclarationState.ASKED]
    return [member for member in members if sheet_of(member) is None]


def sheet_of(declaration: InterestDeclaration) -> ScoreSheet | None:
    """The scores an assessor handed in, if any."""
    return getattr(declaration, "score_sheet", None)


def sheets_of(declarations: list[InterestDeclaration]) -> list[ScoreSheet]:
    """The scores handed in by these assessors, in their order."""
    return [sheet for declaration in declarations if (sheet := sheet_of(declaration)) is not None]


def newest_version(programme: Programme) -> int:
    """The version of the catalogue in force; 0 before one is installed."""
    newest: int | None = Criterion.objects.filter(programme=programme).aggregate(n=Max("version"))["n"]
    return newest or 0


def catalogue(programme: Programme, version: int) -> dict[str, Criterion]:
    """The criteria of one version of the programme's catalogue by code, in order."""
    criteria = Criterion.objects.filter(programme=programme, version=version).order_by("position")
    return {criterion.code: criterion for criterion in criteria}


def catalogues_of(assessments: Collection[CapabilityAssessment]) -> dict[int, dict[str, Criterion]]:
    """Assessment id → the criteria it is scored by, in order. One query, where all have their version fixed."""
    versions = {
        a.pk: (
            a.application.programme_id,
            a.catalogue_version or newest_version(a.application.programme),
        )
        for a in assessments
    }
    found: dict[tuple[int, int], dict[str, Criterion]] = {}
    for criterion in Criterion.objects.filter(
        programme__in={programme for programme, _version in versions.values()},
        version__in={version for _programme, version in versions.values()},
    ).order_by("position"):
        found.setdefault((criterion.programme_id, criterion.version), {})[criterion.code] = criterion
    return {pk: found.get(version, {}) for pk, version in versions.items()}


def catalogue_of(assessment: CapabilityAssessment) -> dict[str, Criterion]:
    """The criteria an assessment is scored by: its fixed version, or the newest before assessors are asked."""
    return catalogues_of([assessment])[assessment.pk]


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
    return _conclusive([assessment])[assessment.pk]


def _conclusive(assessments: Collection[CapabilityAssessment]) -> dict[int, list[ScoreSheet]]:
    members: dict[int, list[InterestDeclaration]] = {a.pk: [] for a in assessments}
    for declaration in on_case(*assessments):
        members[declaration.assessment_id].append(declaration)
    return {pk: sheets_of([d for d in found if d.moderator][:1] or found) for pk, found in members.items()}


def missed(assessments: Collection[CapabilityAssessment]) -> dict[int, list[Criterion]]:
    """Assessment id → the criteria whose least points a sheet did not reach on which the conclusion rests.

    Two queries, however many assessments.
    """
    catalogues, deciding = catalogues_of(assessments), _conclusive(assessments)
    return {
        pk: [c for code, c in criteria.items() if not _reached(c, code, deciding[pk])]
        for pk, criteria in catalogues.items()
    }


def _reached(criterion: Criterion, code: str, sheets: Sequence[ScoreSheet]) -> bool:
    return all(sheet.scores[code] >= criterion.must_pass for sheet in sheets)


def compared(
    assessment: CapabilityAssessment, sheets: list[ScoreSheet], *, settled: bool = True
) -> list[Compared]:
    """Criterion by criterion the points of these sheets, with what the sheets the conclusion rests on come to.

    What is not ``settled`` comes to nothing yet.
    """
    deciding = conclusive_sheets(assessment) if settled else []
    return [
        Compared(
            criterion,
            [sheet.scores[code] for sheet in sheets],
            rules.mean([sheet.scores[code] for sheet in deciding]),
            _reached(criterion, code, deciding),
        )
        for code, criterion in catalogue_of(assessment).items()
    ]


def pass_points(assessment: CapabilityAssessment) -> int:
    """The points the programme demands of a whole sheet."""
    points: int = programmes.rule(assessment.application.programme, "assessment_pass_points")
    return points


def settled(assessment: CapabilityAssessment) -> tuple[int, bool]:
    """The points and the verdict that follow from the sheets the conclusion rests on."""
    sheets = conclusive_sheets(assessment)
    return rules.settle(figures(sheets), pass_points=pass_points(assessment))


def obstacle_to_comparison(assessment: CapabilityAssessment) -> str | None:
    """Why the scores that decide are not all there yet, in words."""
    declared = list(on_case(assessment))
    decider = next((one for one in declared if one.moderator), None)
    if decider is not None or assessment.state == AssessmentState.IN_MODERATION:
        return None if decider and sheet_of(decider) else _("复议人员尚未评分")
    members = [one for one in declared if not one.moderator]
    if len(members) < LEAST_ASSESSORS:
        return _("有评估人员回避，请先改派")
    sheets = sheets_of(members)
    if len(sheets) < len(members):
        return _("评估人员尚未全部评分（%(done)s/%(all)s）") % {"done": len(sheets), "all": len(members)}
    return None


def obstacle_to_conclusion(assessment: CapabilityAssessment) -> str | None:
    """Why there is no conclusion yet, in words."""
    if words := obstacle_to_comparison(assessment):
        return words
    moderated = assessment.state == AssessmentState.IN_MODERATION
    if not moderated and are_apart(sheets_of(panel(assessment)), assessment.application.programme):
        return _("评分分歧超过限值，须先复议")
    return None
