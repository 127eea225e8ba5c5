"""Approval lists: begun with everybody who waits for a decision, or with one applicant whose objection was upheld."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.services import versions
from assessment import documents
from assessment.enums import AssessmentState, ListState
from assessment.models import ApprovalList, ApprovalListEntry, CapabilityAssessment
from assessment.selectors import lists, reports
from assessment.services import opinions
from pilot import clock
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.errors import Refused
from pilot.models import Programme
from pilot.rules import end_of, local_day
from pilot.selectors import people, programmes
from pilot.services import audit
from pilot.workflow import open_case


@transaction.atomic
def create_list(*, actor: Actor, effective_from: datetime) -> ApprovalList:
    """A draft with every reported applicant who stands on no other list.

    Raises :class:`Refused` when nobody waits, or ``effective_from`` lies outside the run phase.
    """
    programme = programmes.current()
    check_effect(programme, effective_from)
    approval_list = _open(programme, actor=actor, effective_from=effective_from, at=clock.now())
    if not _add_undecided(approval_list):
        raise Refused(_("没有待决定的申请，无须拟制名单"))
    return approval_list


@transaction.atomic
def refresh(*, case: ApprovalList, actor: Actor) -> ApprovalList:
    """Take into a draft whoever was reported since, and evaluate everybody again."""
    approval_list: ApprovalList = ApprovalList.unscoped.select_for_update().get(pk=case.pk)
    if approval_list.state != ListState.DRAFT:
        raise Refused(_("只有拟制中的名单可以更新"))
    _add_undecided(approval_list)
    evaluate(approval_list)
    audit.record(action="approval-list.refresh", actor=actor, subject=approval_list)
    return approval_list


def refresh_obstacle(approval_list: ApprovalList, actor: Actor) -> str | None:
    """Why a list cannot be brought up to date, in words."""
    return None if approval_list.state == ListState.DRAFT else _("只有拟制中的名单可以更新")


@transaction.atomic
def open_after_objection(*, application_id: int, actor: Actor, at: datetime) -> ApprovalList:
    """A new numbered draft with one applicant who was left off; admitted when that list is published."""
    application = Application.unscoped.select_for_update(of=("self",)).get(pk=application_id)
    programme = application.programme
    run_opens, _closes = programmes.window(programme, WindowKind.RUN)
    tomorrow = end_of(local_day(at))
    approval_list = _open(programme, actor=actor.downward(), effective_from=max(run_opens, tomorrow), at=at)
    ApprovalListEntry.unscoped.create(approval_list=approval_list, application=application, listed=True)
    return approval_list


def evaluate(approval_list: ApprovalList) -> None:
    """Decide every entry from what is known now; whoever withdrew leaves the draft.

    The applications are locked, so that a withdrawal happens before (and counts) or after (and is refused).
    """
    held = Application.unscoped.select_for_update(of=("self",)).filter(
        list_entries__approval_list=approval_list
    )
    states = {application.pk: application for application in held.order_by("pk")}
    for entry in lists.entries(approval_list):
        application = states[entry.application_id]
        if application.state not in {ApplicationState.REPORTED, ApplicationState.NOT_LISTED}:
            entry.delete()
            continue
        entry.listed, entry.reason = decide(application)
        entry.save(update_fields=["listed", "reason"])


def decide(application: Application) -> tuple[bool, str]:
    """Whether an applicant is taken in, and if not, why. Official text, always Chinese: it goes into letters."""
    if application.state == ApplicationState.NOT_LISTED:
        return True, ""  # the objection was upheld
    opinion = reports.signed_opinion(application)
    if not opinion.recommended:
        bureau = people.bureau_of(application.province)
        return False, f"{bureau.name}审核意见为不同意推荐：{opinions.faults_in(opinion.checklist)}"
    assessment = CapabilityAssessment.unscoped.filter(application=application).order_by("-pk").first()
    if assessment is None or assessment.state != AssessmentState.CONCLUDED:
        return False, "技术能力评估尚未作出结论"
    return (True, "") if assessment.passed else (False, documents.shortfall(assessment))


def check_effect(programme: Programme, effective_from: datetime) -> None:
    """Raise :class:`Refused` when units would take part before or after the run phase."""
    opens, closes = programmes.window(programme, WindowKind.RUN)
    if not opens <= effective_from < closes:
        raise Refused(_("生效时间应在试点运行阶段之内"))


def digest(approval_list: ApprovalList) -> str:
    """SHA-256 over what was prepared: number, effect, and every decision with its reason."""
    rows = [
        {"number": e.application.number, "uscc": e.application.uscc, "listed": e.listed, "reason": e.reason}
        for e in lists.entries(approval_list)
    ]
    return versions.digest(
        {
            "list": approval_list.sequence,
            "effective_from": local_day(approval_list.effective_from).isoformat(),
            "entries": rows,
        }
    )


def _open(programme: Programme, *, actor: Actor, effective_from: datetime, at: datetime) -> ApprovalList:
    # Locked so that of two lists begun at once each gets a number of its own, and no applicant stands on both.
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    last = ApprovalList.unscoped.filter(programme=programme).aggregate(last=Max("sequence"))["last"] or 0
    approval_list = ApprovalList(
        programme=programme, sequence=last + 1, effective_from=effective_from, case_key=uuid4()
    )
    open_case(approval_list, actor=actor, at=at)
    return approval_list


def _add_undecided(approval_list: ApprovalList) -> int:
    Programme.objects.select_for_update(no_key=True).get(pk=approval_list.programme_id)
    waiting = list(lists.undecided(approval_list.programme))
    for application in waiting:
        listed, reason = decide(application)
        ApprovalListEntry.unscoped.create(
            approval_list=approval_list, application=application, listed=listed, reason=reason
        )
    return len(waiting)


@transaction.atomic
def write_letters(*, list_id: int) -> int:
    """The letters of a published list that are still missing, one per applicant; returns how many were written.

    The list's row is claimed, so a second worker waits and then finds nothing to do.
    """
    claimed = ApprovalList.unscoped.select_for_update(of=("self",)).get(pk=list_id)
    if claimed.published_at is None:
        return 0
    missing = documents.letters_missing(claimed)
    for entry in missing:
        documents.decision_letter(entry, published_at=claimed.published_at, at=clock.now())
    return len(missing)
