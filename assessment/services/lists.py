"""Approval lists: begun with everybody who waits for a decision, or with one applicant whose objection was upheld."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.services import versions
from assessment import documents
from assessment.enums import AssessmentState, ListState
from assessment.models import ApprovalList, ApprovalListEntry, Deferral
from assessment.selectors import applicants, lists
from assessment.services import opinions
from pilot import clock
from pilot.actors import Actor
from pilot.enums import FilingType, Province, WindowKind
from pilot.errors import Refused
from pilot.models import Programme
from pilot.rules import end_of, local_day
from pilot.selectors import people, programmes
from pilot.services import audit
from pilot.workflow import open_case

OPEN = frozenset({ApplicationState.REPORTED, ApplicationState.NOT_LISTED})  # may stand on a draft


class Decision(NamedTuple):
    """Whether an applicant is taken in, and if not, why. Official text, always Chinese: it goes into letters."""

    listed: bool
    reason: str = ""


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
    """Take into a draft whoever was reported since, and evaluate everybody again. Who was left out stays out."""
    approval_list = _locked_draft(case)
    _add_undecided(approval_list)
    evaluate(approval_list)
    audit.record(action="approval-list.refresh", actor=actor, subject=approval_list)
    return approval_list


@transaction.atomic
def set_scope(
    *,
    case: ApprovalList,
    actor: Actor,
    entry: ApprovalListEntry,
    provinces: Collection[int],
    filing_types: Collection[str],
) -> ApprovalListEntry:
    """What publishing opens for one applicant of a draft; later evaluations keep it.

    Raises :class:`Refused` outside a draft, for somebody not on it, or for no province or filing type.
    """
    approval_list = _locked_draft(case)
    held = _entry_of(approval_list, entry)
    held.provinces = [p.value for p in Province if p.value in set(map(int, provinces))]
    held.filing_types = [t.value for t in FilingType if t.value in set(filing_types)]
    if not held.provinces or not held.filing_types:
        raise Refused(_("请至少开通一个省份和一类备案"))
    held.save(update_fields=["provinces", "filing_types"])
    audit.record(
        action="approval-list.set_scope",
        actor=actor,
        subject=approval_list,
        detail={
            "application": held.application_id,
            "provinces": held.provinces,
            "filing_types": held.filing_types,
        },
    )
    return held


@transaction.atomic
def leave_out(*, case: ApprovalList, actor: Actor, entry: ApprovalListEntry, reason: str) -> Deferral:
    """Take one applicant out of a draft for a later list. It stays off this one and is offered to the next.

    Raises :class:`Refused` outside a draft, without a reason, or where an upheld objection entitles it to this list.
    """
    approval_list = _locked_draft(case)
    held = _entry_of(approval_list, entry)
    if not reason.strip():
        raise Refused(_("请填写理由"), field="reason")
    if held.application.state == ApplicationState.NOT_LISTED:
        raise Refused(_("该单位因申诉成立列入本名单，不能暂缓"))
    deferral: Deferral = Deferral.unscoped.create(
        approval_list=approval_list,
        application=held.application,
        reason=reason.strip(),
        decided_at=clock.now(),
        decided_by_id=actor.acting_person,
    )
    held.delete()
    audit.record(
        action="approval-list.leave_out",
        actor=actor,
        subject=approval_list,
        detail={"application": held.application_id},
    )
    return deferral


def draft_obstacle(approval_list: ApprovalList, actor: Actor) -> str | None:
    """Why the content of a list cannot be changed, in words."""
    return None if approval_list.state == ListState.DRAFT else _("只有拟制中的名单可以更新")


@transaction.atomic
def open_after_objection(*, application_id: int, actor: Actor, at: datetime) -> ApprovalList:
    """A new numbered draft with one applicant who was left off; admitted when that list is published."""
    application = Application.unscoped.select_for_update(of=("self",)).get(pk=application_id)
    programme = application.programme
    run_opens, _closes = programmes.window(programme, WindowKind.RUN)
    tomorrow = end_of(local_day(at))
    approval_list = _open(programme, actor=actor.downward(), effective_from=max(run_opens, tomorrow), at=at)
    _enter(approval_list, [application])
    return approval_list


def evaluate(approval_list: ApprovalList) -> None:
    """Decide every entry from what is known now; whoever withdrew leaves the draft.

    The applications are locked, so that a withdrawal happens before (and counts) or after (and is refused).
    """
    held = Application.unscoped.select_for_update(of=("self",)).filter(
        list_entries__approval_list=approval_list
    )
    states = {application.pk: application.state for application in held.order_by("pk")}
    kept = []
    for entry in lists.entries(approval_list):
        if states[entry.application_id] in OPEN:
            kept.append(entry)
        else:
            entry.delete()
    decided = decisions([entry.application for entry in kept])
    for entry in kept:
        entry.listed, entry.reason = decided[entry.application_id]
    ApprovalListEntry.unscoped.bulk_update(kept, ["listed", "reason"])


def decisions(applications: Collection[Application]) -> dict[int, Decision]:
    """Application id → what is decided on it from what is known now. A fixed number of queries."""
    opinion = lists.signed_opinions(applications)
    assessment = lists.assessments(applications)
    short = documents.shortfalls([a for a in assessment.values() if a.passed is False])
    bureaus = people.bureau_names()

    def decide(application: Application) -> Decision:
        signed, assessed = opinion[application.pk], assessment.get(application.pk)
        if application.state == ApplicationState.NOT_LISTED:
            return Decision(listed=True)  # the objection was upheld
        if not signed.recommended:
            faults = opinions.faults_in(signed.checklist)
            return Decision(False, f"{bureaus[application.province]}审核意见为不同意推荐：{faults}")
        if assessed is None or assessed.state != AssessmentState.CONCLUDED:
            return Decision(False, "技术能力评估尚未作出结论")
        return Decision(listed=True) if assessed.passed else Decision(False, short[assessed.pk])

    return {application.pk: decide(application) for application in applications}


def check_effect(programme: Programme, effective_from: datetime) -> None:
    """Raise :class:`Refused` when units would take part before or after the run phase."""
    opens, closes = programmes.window(programme, WindowKind.RUN)
    if not opens <= effective_from < closes:
        raise Refused(_("生效时间应在试点运行阶段之内"))


def digest(approval_list: ApprovalList) -> str:
    """SHA-256 over what was prepared: number, effect, and every decision with its reason and the scope it opens."""
    rows = [
        {
            "number": e.application.number,
            "uscc": e.application.uscc,
            "listed": e.listed,
            "reason": e.reason,
            "provinces": e.provinces,
            "filing_types": e.filing_types,
        }
        for e in lists.entries(approval_list)
    ]
    return versions.digest(
        {
            "list": approval_list.sequence,
            "effective_from": local_day(approval_list.effective_from).isoformat(),
            "entries": rows,
        }
    )


def _locked_draft(case: ApprovalList) -> ApprovalList:
    approval_list: ApprovalList = ApprovalList.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if approval_list.state != ListState.DRAFT:
        raise Refused(_("只有拟制中的名单可以更新"))
    return approval_list


def _entry_of(approval_list: ApprovalList, entry: ApprovalListEntry) -> ApprovalListEntry:
    held: ApprovalListEntry | None = lists.entries(approval_list).filter(pk=entry.pk).first()
    if held is None:
        raise Refused(_("该单位不在本名单中"))
    return held


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
    waiting = list(lists.offered(approval_list))
    _enter(approval_list, waiting)
    return len(waiting)


def _enter(approval_list: ApprovalList, added: Iterable[Application]) -> None:
    """Each with the decision as of now and, as scope, the provinces it asked for with all filing types."""
    added = list(added)
    decided, facts = decisions(added), applicants.facts_of_many(added)
    ApprovalListEntry.unscoped.bulk_create(
        ApprovalListEntry(
            approval_list=approval_list,
            application=application,
            listed=decided[application.pk].listed,
            reason=decided[application.pk].reason,
            provinces=list(facts[application.pk].provinces),
            filing_types=FilingType.values,
        )
        for application in added
    )


def write_letters(*, list_id: int) -> int:
    """The letters of a published list that are still missing, one per applicant; returns how many were written.

    Every letter is kept in a transaction of its own, so whoever is stopped half-way leaves whole letters behind and
    the next run goes on. The list's row is claimed for each, so two workers never write the same one.
    """
    written = 0
    while _write_next_letter(list_id):
        written += 1
    return written


@transaction.atomic
def _write_next_letter(list_id: int) -> bool:
    claimed = ApprovalList.unscoped.select_for_update(of=("self",)).get(pk=list_id)
    missing = documents.letters_missing(claimed).first() if claimed.published_at else None
    if missing is None or claimed.published_at is None:
        return False
    documents.decision_letter(missing, published_at=claimed.published_at, at=clock.now())
    return True
