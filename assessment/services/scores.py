"""Independent scores: one sheet per assessor, compared once all are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assessment.enums import AssessmentState, DeclarationState
from assessment.models import CapabilityAssessment, InterestDeclaration, ScoreSheet
from assessment.rules import scores as rules
from assessment.selectors import capability
from assessment.selectors.evidence import Evidence, Material, materials
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


@audit.denials_recorded("interest-declaration.submit_scores")
@transaction.atomic
def submit_scores(
    *,
    case: InterestDeclaration,
    actor: Actor,
    scores: Mapping[str, int],
    comment: str = "",
    evidence: Mapping[str, Evidence] | None = None,
) -> ScoreSheet:
    """Hand in one assessor's scores {criterion code: points}; once all are in they are compared.

    ``evidence`` names for a criterion the material and page the points rest on, and says why; points below the least
    need words.

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
    weights = capability.weights(capability.catalogue_of(declaration.assessment))
    clean = _clean(scores, weights)
    grounds = _grounds(declaration.assessment, evidence or {}, clean, weights)
    summed = rules.sum_up(clean, weights)
    at = clock.now()
    sheet: ScoreSheet = ScoreSheet.unscoped.create(
        declaration=declaration,
        scores=clean,
        total=summed.total,
        must_pass_met=summed.must_pass_met,
        comment=comment,
        evidence=grounds,
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


def _grounds(
    assessment: CapabilityAssessment,
    evidence: Mapping[str, Evidence],
    scores: Mapping[str, int],
    weights: Mapping[str, rules.Weight],
) -> dict[str, dict[str, Any]]:
    """The evidence as it is kept. Raises :class:`Refused` for a source not of this case or low points unsaid."""
    known = materials(assessment)
    for code, ground in evidence.items():
        if ground.source and ground.source not in known:
            raise Refused(_("指标“%(code)s”的依据不是本案的材料") % {"code": code})
        if words := page_fault(known.get(ground.source), ground.page):
            raise Refused(_("指标“%(code)s”：%(words)s") % {"code": code, "words": words})
    words_of = {code: ground.words for code, ground in evidence.items()}
    if silent := rules.unexplained(scores, words_of, weights):
        raise Refused(_("指标“%(code)s”低于最低要求，请写明理由") % {"code": silent[0]})
    kept = {
        code: replace(ground, words=ground.words.strip())
        for code, ground in evidence.items()
        if code in scores
    }
    return {code: asdict(ground) for code, ground in kept.items() if ground.words or ground.source}


def page_fault(material: Material | None, page: int | None) -> str | None:
    """Why a page cannot be pointed at, in words."""
    if page is None:
        return None
    if material is None or material.file is None:
        return _("请先选定页码所在的材料文件")
    if page < 1 or (material.pages is not None and page > material.pages):
        return _("该材料没有第 %(n)s 页") % {"n": page}
    return None
