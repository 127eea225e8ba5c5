"""One case of every machine, in any state.

``build`` uses the services and acts a click calls where that is short. Where it is not, it opens the case in its first
state and ``walk`` moves the state column along the machine's own pairs by SQL, which is all the database lets pass.
That is test set-up only: a walked case has no history and no papers of the steps it skipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from applications.models import Application
from applications.services.late_admissions import propose_late_admission
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
    ScoreSheet,
)
from assessment.services import capability
from assessment.services.lists import create_list
from filings.models import (
    Alert,
    Bulletin,
    CoordinationCase,
    FaqEntry,
    Finding,
    Inspection,
    Rectification,
    Sanction,
    UploadJob,
    VerificationForm,
)
from filings.services import alerts, bulletins, coordination, deltas, faq, inspections, supervision
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.machines import Case, state_pairs
from pilot.models import (
    Objection,
    Organisation,
    Person,
    PilotUnit,
    ProviderRegistration,
    RoleChange,
    Window,
    WindowExtension,
)
from pilot.selectors import people as people_selectors
from pilot.selectors import programmes as programme_selectors
from pilot.services import objections, people, programmes
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.factories import world
from tests.filings import builders as run


class Cast:
    """The people of one case in Guangdong; each is made when first needed, because hashing passwords takes time."""

    system = Actor.system("tests")

    @cached_property
    def provider(self) -> Actor:
        return world.provider()

    @cached_property
    def reviewer(self) -> Actor:
        return world.bureau(Role.BUREAU_REVIEWER)

    @cached_property
    def lead(self) -> Actor:
        return world.bureau(Role.BUREAU_LEAD)

    @cached_property
    def officer(self) -> Actor:
        return world.ministry(Role.MINISTRY_OFFICER)

    @cached_property
    def approver(self) -> Actor:
        return world.ministry(Role.MINISTRY_APPROVER)

    @cached_property
    def system_admin(self) -> Actor:
        return world.ministry(Role.SYSTEM_ADMIN)

    @cached_property
    def security_admin(self) -> Actor:
        return world.ministry(Role.SECURITY_ADMIN)

    @cached_property
    def assessors(self) -> list[Actor]:
        """Two for the panel, two to take a place that falls vacant; each of another agency."""
        return [world.assessor() for _ in range(4)]

    @property
    def assessor(self) -> Actor:
        """The first of the panel."""
        return self.assessors[0]

    @cached_property
    def desk(self) -> review.Desk:
        return review.Desk(self.reviewer, self.lead, self.officer, self.approver)

    @cached_property
    def unit(self) -> PilotUnit:
        """The provider as a pilot unit with a form of June; business time moves to the morning of 1 July 2019."""
        unit = run.enrol(programme_selectors.current(), self.provider)
        run.form(unit, "F-1")
        world.at("2019-07-01 09:00")
        return unit

    @property
    def form(self) -> VerificationForm:
        """The stored form of the unit."""
        form: VerificationForm = VerificationForm.unscoped.get(unit=self.unit)
        return form


# --- moving by SQL --------------------------------------------------------------------------------
def walk(case: Case, *states: str, **columns: Any) -> Any:
    """Move the state along the machine's pairs by SQL, with columns the table demands; the case as it then is."""
    with _counted(case):
        for state in states:
            type(case).unscoped.filter(pk=case.pk).update(state=state, **columns)
    return type(case).unscoped.get(pk=case.pk)


def _counted(case: Case) -> AbstractContextManager[None]:
    if isinstance(case, Finding | Inspection):  # the tables take their steps only where they are counted
        return deltas.recorded(unit_id=case.unit_id, chains=[getattr(case, "chain_no", "")])
    return nullcontext()


def path(model: type[Case], start: str, goal: str) -> list[str]:
    """The shortest way from one state of a machine to another, without the start."""
    ways: deque[list[str]] = deque([[start]])
    seen = {start}
    while ways:
        way = ways.popleft()
        if way[-1] == goal:
            return way[1:]
        for source, target in sorted(state_pairs(model)):
            if source == way[-1] and target not in seen:
                seen.add(target)
                ways.append([*way, target])
    raise ValueError(f"{model.slug()}: no way from {start} to {goal}")


def walk_to(case: Case, goal: str, cast: Cast) -> Any:
    """Walk the shortest way; columns that a state needs by the table's constraints are filled in."""
    for state in path(type(case), case.state, goal):
        case = walk(case, state, **needs(type(case), state, cast))
    return case


def needs(model: type[Case], state: str, cast: Cast) -> dict[str, Any]:
    """The columns without which the table refuses a state."""
    match model.slug(), state:
        case "opinion", "signed":
            return {
                "drafted_by": cast.reviewer.person_id,
                "signed_by": cast.lead.person_id,
                "recommended": True,
            }
        case "capability-assessment", "concluded":
            return {"passed": True, "points": 90, "concluded_by": cast.officer.person_id}
        case "approval-list", "approved":
            return {"prepared_by": cast.officer.person_id, "approved_by": cast.approver.person_id}
        case "objection", "upheld" | "dismissed":
            return {"reviewer": cast.officer.person_id, "finding": "示例"}
        case "sanction", "imposed":
            return {"approved_by": cast.approver.person_id, "effect_from": clock.now()}
    return {}


# --- the kernel -----------------------------------------------------------------------------------
def window_extension(cast: Cast) -> WindowExtension:
    window = Window.objects.get(kind="application")
    closes = world.moment("2019-04-20 00:00")
    return programmes.propose_extension(actor=cast.officer, window=window, closes=closes, reason="示例")


def provider_registration(cast: Cast) -> ProviderRegistration:
    return people.request_registration(
        actor=cast.system,
        name="示例登记有限公司",
        uscc=world.uscc(99_000_001),
        province=44,
        contact="示例甲",
        email="a@example.cn",
        phone="020-00000002",
    )


def role_change(cast: Cast) -> RoleChange:
    return people.request_role_change(
        actor=cast.system_admin,
        person=Person.objects.get(pk=cast.lead.person_id),
        organisation=Organisation.objects.get(pk=cast.lead.organisation_id),
        role=Role.BUREAU_REVIEWER,
        grant=True,
        reason="示例",
    )


def objection(cast: Cast) -> Objection:
    refused = intake.refused(cast.provider, cast.reviewer)
    return objections.file_objection(
        actor=cast.provider, machine="application", object_id=refused.pk, grounds="示例"
    )


# --- intake ---------------------------------------------------------------------------------------
def submitted(cast: Cast) -> Application:
    return intake.submitted(cast.provider)


def accepted(cast: Cast) -> Application:
    return intake.accepted(cast.provider, cast.reviewer)


def late_admission(cast: Cast) -> Any:
    provider = Organisation.objects.get(pk=cast.provider.organisation_id)
    until = world.moment("2019-05-01 00:00")
    return propose_late_admission(actor=cast.officer, provider=provider, until=until, reason="示例")


def silent_bureau(cast: Cast) -> Application:
    """A submitted application whose acceptance clock runs under a programme rule of deemed acceptance."""
    programme = programme_selectors.current()
    programmes.set_rule(
        actor=cast.officer, programme=programme, key="deemed_acceptance", value=True, basis="示例"
    )
    return submitted(cast)


def corrected(cast: Cast) -> Application:
    case = intake.returned(cast.provider, cast.reviewer)
    intake.corrected(case, cast.provider)
    return case


# --- review and assessment ------------------------------------------------------------------------
def opinion(cast: Cast) -> Opinion:
    return review.opinion_of(accepted(cast))


def report(cast: Cast) -> ProvincialReport:
    review.begin_review()
    return review.report_of()


def reported(cast: Cast) -> Application:
    """A recommended application that the ministry has; its report was skipped."""
    application = accepted(cast)
    review.signed(application, cast.desk)
    return walk(application, "reported")


def assessment(cast: Cast) -> CapabilityAssessment:
    return capability.plan(application=reported(cast), actor=cast.officer, at=clock.now())


def assigned(cast: Cast) -> CapabilityAssessment:
    return review.assigned(assessment(cast), cast.desk, cast.assessors[:2])


def started(cast: Cast) -> CapabilityAssessment:
    return review.started(assessment(cast), cast.desk, cast.assessors[:2])


def all_declared(cast: Cast) -> CapabilityAssessment:
    """Everybody is clear, but the start that follows at once was skipped."""
    case = assigned(cast)
    for declaration in case.declarations.all():
        walk(declaration, "clear")
    return case


def one_recused(cast: Cast) -> CapabilityAssessment:
    case = started(cast)
    fire(review.declaration_of(case, cast.assessor), "recuse", actor=cast.assessor, reason="示例")
    return case


def scored(cast: Cast) -> CapabilityAssessment:
    case = assessment(cast)
    review.scored(case, cast.desk, cast.assessors[:2])
    return review.refreshed(case)


def scored_apart(cast: Cast) -> CapabilityAssessment:
    """Scores twenty points apart, but the moderation that follows at once was skipped."""
    case = started(cast)
    for actor, short in zip(cast.assessors[:2], (0, 20), strict=True):
        ScoreSheet.unscoped.create(
            declaration=review.declaration_of(case, actor),
            scores=review.less(short),
            total=100 - short,
            must_pass_met=True,
            at=clock.now(),
        )
    return case


def in_moderation(cast: Cast) -> CapabilityAssessment:
    case = started(cast)
    review.score(case, cast.assessors[0])
    review.score(case, cast.assessors[1], review.less(20))
    return review.refreshed(case)


def moderated(cast: Cast) -> CapabilityAssessment:
    case, moderator = in_moderation(cast), cast.assessors[2]
    fire(case, "replace", actor=cast.officer, moderator=review.membership(moderator))
    fire(review.declaration_of(case, moderator), "declare_none", actor=moderator)
    review.score(case, moderator)
    return case


def declaration(cast: Cast) -> InterestDeclaration:
    return review.declaration_of(assigned(cast), cast.assessor)


def declared_clear(cast: Cast) -> InterestDeclaration:
    case: InterestDeclaration = fire(declaration(cast), "declare_none", actor=cast.assessor)
    return case


def approval_list(cast: Cast) -> ApprovalList:
    walk_to(assessment(cast), "concluded", cast)
    return create_list(actor=cast.officer, effective_from=review.EFFECT)


def prepared(cast: Cast) -> ApprovalList:
    case: ApprovalList = fire(approval_list(cast), "prepare", actor=cast.officer)
    return case


def approved(cast: Cast) -> ApprovalList:
    case: ApprovalList = fire(prepared(cast), "approve", actor=cast.approver)
    return case


# --- the run phase --------------------------------------------------------------------------------
def upload_job(cast: Cast) -> UploadJob:
    return run.job(cast.unit, world.moment("2019-06-18 10:00"))


def finding(cast: Cast) -> Finding:
    return run.found(cast.form, at=clock.now())


def alert(cast: Cast) -> Alert:
    run.compared(cast.form, outcome="mismatch")
    alerts.review()
    case: Alert = Alert.unscoped.get(unit=cast.unit, kind="m2")
    return case


def inspection(cast: Cast) -> Inspection:
    return inspections.plan_inspection(actor=cast.reviewer, unit=cast.unit, period="2019-06", size=1)


def inspected(cast: Cast, *names: str) -> Inspection:
    """An inspection after these acts of its planner."""
    case = inspection(cast)
    for name in names:
        case = fire(case, name, actor=cast.reviewer)
    return case


def all_read(cast: Cast) -> Inspection:
    case = inspected(cast, "commit", "draw", "begin")
    for item in case.items.all():
        inspections.record_verdict(
            case=case, actor=cast.reviewer, item=item, identity_right=True, form_right=True
        )
    return case


def rectification(cast: Cast) -> Rectification:
    return supervision.draft_rectification(
        actor=cast.reviewer, unit=cast.unit, findings=[finding(cast)], reasons="示例", measures="示例"
    )


def issued(cast: Cast) -> Rectification:
    case: Rectification = fire(rectification(cast), "issue", actor=cast.lead)
    return case


def groundless(state: str, cast: Cast) -> Rectification:
    """An order in this state whose findings were overturned, but whose end that follows at once was skipped."""
    case: Rectification = build("rectification", state, cast)
    for row in case.findings.all():
        run.decide(row, "disputed", "overturned")
    return case


def sanction(cast: Cast) -> Sanction:
    programmes.set_rule(
        actor=cast.officer, programme=cast.unit.programme, key="sanctions", value=True, basis="示例"
    )
    return supervision.propose_sanction(
        actor=cast.reviewer, unit=cast.unit, kind="suspension", grounds="示例"
    )


def hearing(cast: Cast) -> Sanction:
    case: Sanction = fire(sanction(cast), "notify", actor=cast.reviewer)
    return case


def imposed(cast: Cast) -> Sanction:
    case: Sanction = fire(walk(hearing(cast), "heard"), "impose", actor=cast.approver)
    return case


def coordination_case(cast: Cast) -> CoordinationCase:
    return coordination.open_case(
        actor=cast.provider,
        unit=cast.unit,
        subject="示例",
        text="示例",
        owner=people_selectors.bureau_of(44),
    )


def faq_entry(cast: Cast) -> FaqEntry:
    case = walk(coordination_case(cast), "answered", "closed")
    return faq.make_faq(case=case, actor=cast.reviewer, question="示例", answer="示例", category="other")


def bulletin(cast: Cast) -> Bulletin:
    return bulletins.compile_bulletin(actor=cast.officer, period=f"{cast.form.day:%Y-%m}")


# --- what may be asked for ------------------------------------------------------------------------
FIRST: dict[str, Callable[[Cast], Case]] = {
    "window-extension": window_extension,
    "provider-registration": provider_registration,
    "role-change": role_change,
    "objection": objection,
    "application": lambda cast: intake.drafted(cast.provider),
    "late-admission": late_admission,
    "opinion": opinion,
    "provincial-report": report,
    "capability-assessment": assessment,
    "interest-declaration": declaration,
    "approval-list": approval_list,
    "upload-job": upload_job,
    "alert": alert,
    "finding": finding,
    "inspection": inspection,
    "rectification": rectification,
    "sanction": sanction,
    "coordination-case": coordination_case,
    "faq-entry": faq_entry,
    "bulletin": bulletin,
}

BY_ACTS: dict[tuple[str, str], Callable[[Cast], Case]] = {
    ("objection", "under_review"): lambda cast: fire(objection(cast), "take", actor=cast.officer),
    ("application", "submitted"): submitted,
    ("application", "accepted"): accepted,
    ("application", "returned"): lambda cast: intake.returned(cast.provider, cast.reviewer),
    ("application", "refused"): lambda cast: intake.refused(cast.provider, cast.reviewer),
    ("opinion", "drafted"): lambda cast: review.drafted(accepted(cast), cast.desk),
    ("opinion", "signed"): lambda cast: review.signed(accepted(cast), cast.desk),
    ("provincial-report", "sent"): lambda cast: fire(report(cast), "send", actor=cast.lead, nil=True),
    ("capability-assessment", "assigned"): assigned,
    ("capability-assessment", "in_progress"): started,
    ("capability-assessment", "in_moderation"): in_moderation,
    ("interest-declaration", "clear"): declared_clear,
    ("approval-list", "prepared"): prepared,
    ("approval-list", "approved"): approved,
    ("inspection", "committed"): lambda cast: inspected(cast, "commit"),
    ("inspection", "drawn"): lambda cast: inspected(cast, "commit", "draw"),
    ("inspection", "in_progress"): lambda cast: inspected(cast, "commit", "draw", "begin"),
    ("rectification", "issued"): issued,
    ("sanction", "hearing"): hearing,
    ("sanction", "imposed"): imposed,
}


def build(slug: str, state: str, cast: Cast) -> Any:
    """A case of a machine in a state: by acts where that is short, else by walking."""
    if make := BY_ACTS.get((slug, state)):
        return make(cast)
    return walk_to(FIRST[slug](cast), state, cast)
