"""Cases in any state of review and assessment, made by the same acts a click calls. All invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from applications.models import Application
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
)
from assessment.selectors import lists
from assessment.selectors.evidence import Evidence
from assessment.services.lists import create_list
from assessment.services.reports import open_reports
from assessment.services.scores import submit_scores
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.models import Membership
from pilot.selectors import programmes
from pilot.workflow import fire
from tests.applications import builders as applications
from tests.factories import world

MET: Final = {n: {"verdict": "met", "evidence": f"示例材料第{n}页"} for n in (1, 2, 3)}
NOT_MET: Final = {**MET, 3: {"verdict": "not_met", "evidence": "未提供个人身份证件库比对合同"}}
FULL: Final = {
    "collection": 12,
    "liveness": 10,
    "false_accept": 8,
    "false_reject": 6,
    "certificate_comparison": 12,
    "authority_uscc": 10,
    "authority_person": 12,
    "interface": 7,
    "form_generation": 8,
    "protection": 7,
    "mlps": 4,
    "emergency": 4,
}
LEAST: Final = dict(zip(FULL, (7, 6, 5, 3, 7, 6, 7, 4, 5, 4, 2, 0), strict=True))
EFFECT = world.moment("2019-05-16 00:00")


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever works on a case of one province."""

    reviewer: Actor
    lead: Actor
    officer: Actor
    approver: Actor


def desk(province: int = Province.GUANGDONG) -> Desk:
    return Desk(
        reviewer=world.bureau(Role.BUREAU_REVIEWER, province),
        lead=world.bureau(Role.BUREAU_LEAD, province),
        officer=world.ministry(Role.MINISTRY_OFFICER),
        approver=world.ministry(Role.MINISTRY_APPROVER),
    )


def accepted(staff: Desk, provider: Actor | None = None) -> Application:
    applicant = provider or world.provider(staff.reviewer.province or 0)
    return applications.accepted(applicant, staff.reviewer)


def opinion_of(application: Application) -> Opinion:
    opinion: Opinion = Opinion.unscoped.filter(application=application).latest("pk")
    return opinion


def drafted(application: Application, staff: Desk, checklist: dict[int, Any] | None = None) -> Opinion:
    opinion: Opinion = fire(
        opinion_of(application), "draft", actor=staff.reviewer, checklist=checklist or MET, remark="示例意见"
    )
    return opinion


def signed(application: Application, staff: Desk, checklist: dict[int, Any] | None = None) -> Opinion:
    opinion: Opinion = fire(drafted(application, staff, checklist), "sign", actor=staff.lead)
    application.refresh_from_db()
    return opinion


def recommended(staff: Desk, provider: Actor | None = None) -> Application:
    application = accepted(staff, provider)
    signed(application, staff)
    return application


def not_recommended(staff: Desk) -> Application:
    application = accepted(staff)
    signed(application, staff, NOT_MET)
    return application


def begin_review(when: str = "2019-04-16 09:00") -> None:
    """Business time moves into the review phase, the 31 reports are opened."""
    world.at(when)
    open_reports(programme=programmes.current(), actor=Actor.system("tests"))


def report_of(province: int = Province.GUANGDONG) -> ProvincialReport:
    report: ProvincialReport = ProvincialReport.unscoped.filter(province=province).latest("sequence")
    return report


def sent(staff: Desk, **data: Any) -> ProvincialReport:
    report: ProvincialReport = fire(report_of(staff.lead.province or 0), "send", actor=staff.lead, **data)
    return report


def received(staff: Desk) -> ProvincialReport:
    report: ProvincialReport = fire(sent(staff), "receive", actor=staff.officer)
    return report


def assessment_of(application: Application) -> CapabilityAssessment:
    assessment: CapabilityAssessment = CapabilityAssessment.unscoped.get(application=application)
    return assessment


def assessment_of_latest() -> CapabilityAssessment:
    assessment: CapabilityAssessment = CapabilityAssessment.unscoped.latest("pk")
    return assessment


def planned(staff: Desk) -> CapabilityAssessment:
    """The assessment of one recommended applicant whose report was received."""
    application = recommended(staff)
    begin_review()
    received(staff)
    return assessment_of(application)


def membership(actor: Actor) -> Membership:
    return Membership.objects.get(pk=actor.membership_id)


def memberships(actors: Sequence[Actor]) -> list[Membership]:
    return [membership(actor) for actor in actors]


def assigned(assessment: CapabilityAssessment, staff: Desk, panel: Sequence[Actor]) -> CapabilityAssessment:
    case: CapabilityAssessment = fire(assessment, "assign", actor=staff.officer, assessors=memberships(panel))
    return case


def declaration_of(assessment: CapabilityAssessment, actor: Actor) -> InterestDeclaration:
    declaration: InterestDeclaration = InterestDeclaration.unscoped.get(
        assessment=assessment, assessor=actor.person_id
    )
    return declaration


def started(assessment: CapabilityAssessment, staff: Desk, panel: Sequence[Actor]) -> CapabilityAssessment:
    """Assigned, and everybody has declared no interest."""
    assigned(assessment, staff, panel)
    for actor in panel:
        fire(declaration_of(assessment, actor), "declare_none", actor=actor)
    return refreshed(assessment)


def refreshed(case: Any) -> Any:
    return type(case).unscoped.get(pk=case.pk)


def less(points: int) -> dict[str, int]:
    """A sheet ``points`` short of 100, every least number of points still reached (up to 44)."""
    sheet = dict(FULL)
    for code in reversed(FULL):
        taken = min(FULL[code] - LEAST[code], points)
        sheet[code] -= taken
        points -= taken
    assert points == 0
    return sheet


def grounds(scores: Mapping[str, int]) -> dict[str, Evidence]:
    """What a sheet has to say: a word about every criterion below its least points."""
    return {code: Evidence("示例理由") for code, points in scores.items() if points < LEAST.get(code, 0)}


def score(assessment: CapabilityAssessment, actor: Actor, scores: dict[str, int] | None = None) -> None:
    declaration = declaration_of(assessment, actor)
    given = scores or FULL
    submit_scores(case=declaration, actor=actor, scores=given, comment="示例评语", evidence=grounds(given))


def scored(assessment: CapabilityAssessment, staff: Desk, panel: Sequence[Actor], scores: Any = None) -> None:
    """Started, and everybody has handed in the same scores."""
    started(assessment, staff, panel)
    for actor in panel:
        score(assessment, actor, scores)


def concluded(
    assessment: CapabilityAssessment, staff: Desk, panel: Sequence[Actor], scores: Any = None
) -> CapabilityAssessment:
    scored(assessment, staff, panel, scores)
    case: CapabilityAssessment = fire(assessment, "conclude", actor=staff.officer, conclusion="示例结论。")
    return case


def prepared(staff: Desk) -> ApprovalList:
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    case: ApprovalList = fire(draft, "prepare", actor=staff.officer)
    return case


def approved(staff: Desk) -> ApprovalList:
    case: ApprovalList = fire(prepared(staff), "approve", actor=staff.approver)
    return case


def published(staff: Desk) -> ApprovalList:
    case: ApprovalList = fire(approved(staff), "publish", actor=staff.approver)
    return case


def entries(approval_list: ApprovalList) -> list[tuple[int, bool, str]]:
    """Applicant, decision and reason of every entry."""
    rows = lists.entries(approval_list)
    return [(entry.application_id, entry.listed, entry.reason) for entry in rows]
