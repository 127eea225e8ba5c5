"""For every transition of every machine a case in which it may be fired, by whom, and with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pilot.actors import Actor
from pilot.machines import MACHINES, Case, declared
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.factories import cases
from tests.factories.cases import Cast

type Data = Mapping[str, Any] | Callable[[Cast, Any], Mapping[str, Any]]

WHY = {"reason": "示例理由"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A case in which one transition may be fired: by whom, and with what beside the actor."""

    case: Case
    name: str
    actor: Actor
    data: Mapping[str, Any]

    def fire(self) -> Case:
        """Fire it, as somebody who saw the present state."""
        moved: Case = fire(self.case, self.name, actor=self.actor, seen=self.case.state, **self.data)
        return moved


def when_due(cast: Cast, case: Any) -> dict[str, Any]:
    """The moment at which the case's clock has run out."""
    return {"at": case.due_at}


# machine.transition → who of the cast fires it, and with what.
ACTS: dict[str, tuple[str, Data]] = {
    "window-extension.approve": ("approver", {}),
    "window-extension.reject": ("approver", WHY),
    "provider-registration.confirm": ("reviewer", {}),
    "provider-registration.reject": ("reviewer", WHY),
    "role-change.approve": ("security_admin", {}),
    "role-change.reject": ("security_admin", WHY),
    "objection.take": ("officer", {}),
    "objection.uphold": ("officer", WHY),
    "objection.dismiss": ("officer", WHY),
    "application.submit": ("provider", {"declaration": True}),
    "application.accept": ("reviewer", {}),
    "application.return_for_correction": ("reviewer", {"items": intake.ITEMS}),
    "application.resubmit": ("provider", {"declaration": True}),
    "application.lapse": ("system", when_due),
    "application.refuse": ("reviewer", {"condition": 3, **WHY}),
    "application.deem_accepted": ("system", when_due),
    "application.revert": ("reviewer", {}),
    "application.withdraw": ("provider", WHY),
    "application.recommend": ("system", {}),
    "application.disrecommend": ("system", {}),
    "application.reopen": ("system", {}),
    "application.report": ("system", {}),
    "application.admit": ("system", {}),
    "application.decline": ("system", {}),
    "application.reinstate": ("system", {}),
    "late-admission.approve": ("approver", {}),
    "late-admission.reject": ("approver", WHY),
    "opinion.draft": ("reviewer", {"checklist": review.MET, "remark": "示例意见"}),
    "opinion.sign": ("lead", {}),
    "opinion.send_back": ("lead", WHY),
    "opinion.reopen": ("lead", WHY),
    "opinion.void": ("system", {}),
    "provincial-report.send": ("lead", {"nil": True}),
    "provincial-report.receive": ("officer", {}),
    "provincial-report.return_to_bureau": ("officer", WHY),
    "capability-assessment.assign": (
        "officer",
        lambda cast, case: {"assessors": review.memberships(cast.assessors[:2])},
    ),
    "capability-assessment.start": ("system", {}),
    "capability-assessment.reassign": (
        "officer",
        lambda cast, case: {"assessors": review.memberships(cast.assessors[2:])},
    ),
    "capability-assessment.conclude": ("officer", {"conclusion": "示例结论。"}),
    "capability-assessment.moderate": ("system", {}),
    "capability-assessment.replace": (
        "officer",
        lambda cast, case: {"moderator": review.membership(cast.assessors[2])},
    ),
    "capability-assessment.cancel": ("system", {}),
    "interest-declaration.declare_none": ("assessor", {}),
    "interest-declaration.declare": ("assessor", WHY),
    "interest-declaration.recuse": ("assessor", WHY),
    "approval-list.prepare": ("officer", {}),
    "approval-list.approve": ("approver", {}),
    "approval-list.publish": ("approver", {}),
    "approval-list.send_back": ("approver", WHY),
    "approval-list.retract": ("approver", WHY),
    "upload-job.start": ("system", {}),
    "upload-job.finish": ("system", {}),
    "upload-job.fail": ("system", {"fault": "示例"}),
    "alert.clear": ("system", {}),
    "finding.confirm": ("provider", {}),
    "finding.dispute_finding": ("provider", WHY),
    "finding.uphold": ("lead", WHY),
    "finding.overturn": ("lead", WHY),
    "inspection.commit": ("reviewer", {}),
    "inspection.draw": ("reviewer", {}),
    "inspection.begin": ("reviewer", {}),
    "inspection.conclude": ("lead", {"conclusion": "示例结论"}),
    "inspection.cancel": ("reviewer", WHY),
    "rectification.issue": ("lead", {}),
    "rectification.answer": ("provider", {"answer_text": "示例报告"}),
    "rectification.accept": ("lead", WHY),
    "rectification.reject": ("lead", WHY),
    "rectification.pass_due": ("system", when_due),
    "rectification.cancel": ("lead", WHY),
    "sanction.notify": ("reviewer", {}),
    "sanction.close_hearing": ("provider", {"statement": "示例意见"}),
    "sanction.impose": ("approver", {}),
    "sanction.drop": ("reviewer", WHY),
    "sanction.lift": ("approver", WHY),
    "sanction.annul": ("system", {}),
    "coordination-case.reply": ("reviewer", WHY),
    "coordination-case.close": ("provider", {}),
    "coordination-case.reopen": ("provider", WHY),
    "faq-entry.publish": ("lead", {}),
    "faq-entry.withdraw": ("lead", WHY),
    "bulletin.sign": ("approver", {}),
    "bulletin.publish": ("approver", {}),
    "bulletin.discard": ("approver", WHY),
}

# Where a transition needs more than its source state: machine, source, transition → the case.
SPECIAL: dict[tuple[str, str, str], Callable[[Cast], Case]] = {
    ("application", "submitted", "deem_accepted"): cases.silent_bureau,
    ("application", "returned", "resubmit"): cases.corrected,
    ("capability-assessment", "assigned", "start"): cases.all_declared,
    ("capability-assessment", "in_progress", "reassign"): cases.one_recused,
    ("capability-assessment", "in_progress", "conclude"): cases.scored,
    ("capability-assessment", "in_progress", "moderate"): cases.scored_apart,
    ("capability-assessment", "in_moderation", "conclude"): cases.moderated,
    ("inspection", "in_progress", "conclude"): cases.all_read,
    ("rectification", "issued", "cancel"): lambda cast: cases.groundless("issued", cast),
    ("rectification", "answered", "cancel"): lambda cast: cases.groundless("answered", cast),
    ("rectification", "overdue", "cancel"): lambda cast: cases.groundless("overdue", cast),
}

# Every transition there is: machine, source, name.
TRANSITIONS: list[tuple[str, str, str]] = [
    (slug, str(move.source), move.name) for slug, model in MACHINES.items() for move in declared(model)
]


def scene(slug: str, source: str, name: str, cast: Cast) -> Scene:
    """A case in which this transition may be fired from this state."""
    special = SPECIAL.get((slug, source, name))
    case: Any = special(cast) if special else cases.build(slug, source, cast)
    who, data = ACTS[f"{slug}.{name}"]
    return Scene(case, name, getattr(cast, who), data(cast, case) if callable(data) else data)
