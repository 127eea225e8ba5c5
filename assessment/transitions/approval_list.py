"""The approval list: prepared by one person, approved by another, published in one transaction with its effects."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assessment import documents
from assessment.models import ApprovalList
from assessment.selectors import applicants, lists
from assessment.services import lists as services
from pilot.actors import Actor
from pilot.enums import BUREAU_ROLES, OrganisationKind, Role
from pilot.errors import Refused
from pilot.models import Membership
from pilot.rules import local_day
from pilot.selectors import people
from pilot.services import outbox, register
from pilot.transitions import another_person
from pilot.workflow import Act, on


def all_concluded(approval_list: ApprovalList, actor: Actor, at: datetime) -> str | None:
    """Guard: nobody is decided on before the assessment is over."""
    if missing := lists.unconcluded(approval_list).count():
        return _("还有 %(n)s 项技术能力评估未作出结论") % {"n": missing}
    return None


def in_time(approval_list: ApprovalList, actor: Actor, at: datetime) -> str | None:
    """Guard: a list takes effect on the day of its publication at the earliest."""
    if local_day(approval_list.effective_from) < local_day(at):
        return _("名单的生效日期早于今天，须重新确定")
    return None


def approvers(approval_list: ApprovalList) -> QuerySet[Membership]:
    """Those who may approve."""
    return people.ministry([Role.MINISTRY_APPROVER])


def preparer(approval_list: ApprovalList) -> QuerySet[Membership]:
    """Whoever prepared the list."""
    return people.in_force().filter(person=approval_list.prepared_by_id)


def bureaus(approval_list: ApprovalList) -> QuerySet[Membership]:
    """The bureaus of all provinces; the applicants learn of their own case."""
    return people.in_force().filter(organisation__kind=OrganisationKind.BUREAU, role__in=BUREAU_ROLES)


@on(ApprovalList, "prepare", guards=[all_concluded], tell=[approvers])
def prepare(approval_list: ApprovalList, act: Act) -> None:
    """Evaluate every applicant, fix the entries with a digest; ``effective_from`` may set another date."""
    if moment := act.data.get("effective_from"):
        approval_list.effective_from = moment
    services.check_effect(approval_list.programme, approval_list.effective_from)
    if words := in_time(approval_list, act.actor, act.at):
        raise Refused(words)
    services.evaluate(approval_list)
    if not lists.entries(approval_list).exists():
        raise Refused(_("名单中没有申请单位"))
    approval_list.prepared_by_id = act.actor.person_id
    approval_list.digest = services.digest(approval_list)


@on(ApprovalList, "approve", guards=[another_person("prepared_by"), in_time], tell=[preparer])
def approve(approval_list: ApprovalList, act: Act) -> None:
    """Another person than the preparer approves."""
    approval_list.approved_by_id = act.actor.person_id


@on(ApprovalList, "send_back", tell=[preparer], reason_required=True)
def send_back(approval_list: ApprovalList, act: Act) -> None:
    """The entries may change again; who prepares next is preparer."""
    approval_list.prepared_by_id = None
    approval_list.digest = ""


@on(ApprovalList, "retract", tell=[preparer], reason_required=True)
def retract(approval_list: ApprovalList, act: Act) -> None:
    """The approval is taken back before publication."""
    approval_list.approved_by_id = None


@on(ApprovalList, "publish", guards=[another_person("prepared_by"), in_time], tell=[bureaus])
def publish(approval_list: ApprovalList, act: Act) -> None:
    """Set every application and enrol the units in this transaction; letters follow in the background.

    Raises :class:`Refused` when the entries are no longer those that were prepared.
    """
    if services.digest(approval_list) != approval_list.digest:
        raise Refused(_("名单内容与提请批准时不一致，请撤回批准后重新拟制"))
    approval_list.published_at = act.at
    entries = list(lists.entries(approval_list))
    facts = applicants.facts_of_many([entry.application for entry in entries])
    for entry in entries:
        application = entry.application
        act.downward(application, "admit" if entry.listed else "decline", reason=entry.reason)
        if entry.listed:
            register.enrol_unit(
                actor=act.actor,
                programme=approval_list.programme,
                organisation=application.provider,
                case_key=application.case_key,
                at=act.at,
                effective_from=approval_list.effective_from,
                licence_expires_on=facts[application.pk].licence_expires_on,
                provinces=entry.provinces,
                filing_types=entry.filing_types,
            )
    documents.approval_list(approval_list, at=act.at)
    outbox.post_task("assessment.tasks.make_letters", list_id=approval_list.pk)
