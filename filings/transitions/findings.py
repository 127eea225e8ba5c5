"""A finding's life: confirmed by the unit or by time, or disputed and decided by an official who did not find it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from filings.enums import FindingState, RectificationState
from filings.models import Finding, Rectification
from filings.services.attachments import keep_proof
from filings.services.findings import has_jurisdiction
from filings.transitions.guards import clock_ran_out, in_time, own_unit, people_of_unit
from pilot.actors import Actor
from pilot.language import on_record
from pilot.models import Membership
from pilot.selectors import people
from pilot.transitions import another_person
from pilot.workflow import Act, on

ENDED = {RectificationState.CLOSED, RectificationState.CANCELLED}


def jurisdiction(finding: Finding, actor: Actor, at: datetime) -> str | None:
    """Guard: the bureau of the subject's or the unit's province, or the ministry."""
    if has_jurisdiction(actor, finding.subject_province, finding.unit.province):
        return None
    return _("只能办理主体所在省或单位注册省的差错")


def officials(finding: Finding) -> QuerySet[Membership]:
    """Audience: whoever can decide a dispute, in the two provinces concerned."""
    return people.bureau(finding.subject_province) | people.bureau(finding.unit.province)


@on(Finding, "confirm", guards=[own_unit, clock_ran_out])
def confirm(finding: Finding, act: Act) -> None:
    """The unit agrees, or its time to dispute is over: from now on the finding counts whatever its source."""


@on(Finding, "dispute_finding", guards=[own_unit, in_time], tell=[officials], reason_required=True)
def dispute(finding: Finding, act: Act) -> None:
    """Keep the unit's grounds, and a file of proof if one was handed in."""
    finding.dispute = act.reason
    keep_proof(case=finding, upload=act.data.get("proof"), at=act.at)


@on(
    Finding,
    "uphold",
    guards=[jurisdiction, another_person("found_by")],
    tell=[people_of_unit],
    reason_required=True,
)
def uphold(finding: Finding, act: Act) -> None:
    """The finding counts for good."""
    finding.decided_by_id = act.actor.person_id


@on(
    Finding,
    "overturn",
    guards=[jurisdiction, another_person("found_by")],
    tell=[people_of_unit],
    reason_required=True,
)
def overturn(finding: Finding, act: Act) -> None:
    """The error leaves the figures; an order whose findings are all overturned is cancelled with it."""
    finding.decided_by_id = act.actor.person_id
    orders = Rectification.unscoped.filter(findings=finding).exclude(state__in=ENDED)
    for order in orders.order_by("pk"):
        others = order.findings.exclude(pk=finding.pk)
        if not others.exclude(state=FindingState.OVERTURNED).exists():
            with on_record():
                reason = _("所依据的差错已全部撤销")
            act.downward(order, "cancel", reason=reason)
