"""Independent scores: one sheet per assessor, compared once all are in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assessment.enums import AssessmentState, DeclarationState
from assessment.models import CapabilityAssessment, InterestDeclaration, ScoreSheet
from assessment.rules import scores as rules
from assessment.selectors import capability
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.services import audit
from pilot.workflow import fire


def obstacle(declaration: InterestDeclaration, actor: Actor) -> str | None:
    """Why this actor cannot score on this declaration now, in words."""
    if declaration.assessor_id != actor.person_id:
        return _("只能由本人评分")
    if declaration.released_at is not None or declaration.state != DeclarationState.CLEAR:
        return _("声明无利害关系后方可评分")
    if ScoreSheet.unscoped.filter(declaration=declaration).exists():
        return _("您已提交评分")
    wanted = AssessmentState.IN_MODERATION if declaration.moderator else AssessmentState.IN_PROGRESS
    if declaration.assessment.state != wanted:
        return _("评估尚未开始或已经结束")
    return None


@transaction.atomic
def submit_scores(
    *,
    case: InterestDeclaration,
    actor: Actor,
    scores: Mapping[str, int],
    comment: str = "",
    evidence: Mapping[str, str] | None = None,
) -> ScoreSheet:
    """Hand in one assessor's scores {criterion code: points}; once all are in they are compared.

    ``evidence`` names for a criterion the material and page the points rest on.

    Declaration and assessment are locked in this order: of two assessors scoring at once the second sees the first.
    Raises :class:`NotPermitted` or :class:`Refused`.
    """
    if not policy.may_act(InterestDeclaration.slug(), "submit_scores", actor.role):
        raise NotPermitted(_("只有评估人员可以评分"))
    declaration: InterestDeclaration = InterestDeclaration.unscoped.select_for_update().get(pk=case.pk)
    declaration.assessment = CapabilityAssessment.unscoped.select_for_update().get(
        pk=declaration.assessment_id
    )
    if words := obstacle(declaration, actor):
        raise Refused(words)
    programme = declaration.assessment.application.programme
    clean = _clean(scores, capability.weights(capability.catalogue(programme)))
    summed = rules.sum_up(clean, capability.weights(capability.catalogue(programme)))
    at = clock.now()
    sheet: ScoreSheet = ScoreSheet.unscoped.create(
        declaration=declaration,
        scores=clean,
        total=summed.total,
        must_pass_met=summed.must_pass_met,
        comment=comment,
        evidence={
            code: words.strip() for code, words in (evidence or {}).items() if code in clean and words.strip()
        },
        at=at,
    )
    audit.record(action="interest-declaration.submit_scores", actor=actor, subject=declaration)
    compare(assessment=declaration.assessment, actor=actor, at=at)
    return sheet


def compare(*, assessment: CapabilityAssessment, actor: Actor, at: datetime) -> None:
    """Send scores to moderation once the whole panel has scored and the scores are apart."""
    members = capability.panel(assessment)
    sheets = capability.sheets_of(members)
    if (
        assessment.state == AssessmentState.IN_PROGRESS
        and capability.LEAST_ASSESSORS <= len(members) == len(sheets)
        and capability.are_apart(sheets, assessment.application.programme)
    ):
        fire(assessment, "moderate", actor=actor.downward(), at=at)


def _clean(scores: Mapping[str, Any], catalogue: Mapping[str, rules.Weight]) -> dict[str, int]:
    if set(scores) != set(catalogue):
        raise Refused(_("请为全部 %(n)s 项指标评分") % {"n": len(catalogue)})
    for code, weight in catalogue.items():
        points = scores[code]
        if type(points) is not int or not 0 <= points <= weight.points:
            raise Refused(_("指标“%(code)s”应为 0 到 %(max)s 的整数") % {"code": code, "max": weight.points})
    return {code: scores[code] for code in catalogue}
