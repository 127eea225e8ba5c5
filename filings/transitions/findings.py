"""A finding's life: confirmed by the unit or by time, or disputed and decided by an official who did not find it.

Findings of one unit can be answered together: each is moved by itself, all in one transaction, with one cause or the
same grounds and files, and with one notice per office.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from filings.enums import FindingState, RectificationState
from filings.models import Finding, Rectification
from filings.services import attachments
from filings.services.findings import has_jurisdiction, record_cause_of
from filings.transitions.guards import clock_ran_out, in_time, own_unit, people_of_unit
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.language import on_record
from pilot.selectors import people
from pilot.services import notices
from pilot.transitions import another_person
from pilot.workflow import Act, fire, on

ENDED = {RectificationState.CLOSED, RectificationState.CANCELLED}
TOGETHER = 200  # findings answered in one act


def jurisdiction(finding: Finding, actor: Actor, at: datetime) -> str | None:
    """Guard: the bureau of the subject's or the unit's province, or the ministry."""
    if has_jurisdiction(actor, finding.subject_province, finding.unit.province):
        return None
    return _("只能办理主体所在省或单位注册省的差错")


@on(Finding, "confirm", guards=[own_unit, clock_ran_out])
def confirm(finding: Finding, act: Act) -> None:
    """The unit agrees, or its time to dispute is over: from now on the finding counts whatever its source.

    With ``cause`` (one on record) or ``cause_text`` the cause is recorded once for this finding and the ``others``
    confirmed with it.
    """
    if act.actor.is_system:
        return
    finding.cause = record_cause_of(
        unit=finding.unit,
        actor=act.actor,
        at=act.at,
        cause=act.data.get("cause"),
        text=act.data.get("cause_text"),
    )
    for other in _others(finding, act):
        fire(other, "confirm", actor=act.actor, at=act.at, reason=act.reason, cause=finding.cause)


@on(Finding, "dispute_finding", guards=[own_unit, in_time], reason_required=True)
def dispute(finding: Finding, act: Act) -> None:
    """Keep the unit's grounds and up to five ``proofs``, for this finding and for the ``others`` disputed with it."""
    finding.dispute = act.reason
    if act.data.get("together"):
        return
    others = _others(finding, act)
    for other in others:
        fire(other, "dispute_finding", actor=act.actor, at=act.at, reason=act.reason, together=True)
    attachments.attach(cases=[finding, *others], proofs=act.data.get("proofs") or (), at=act.at)
    _tell_officials([finding, *others], act)


def _others(finding: Finding, act: Act) -> list[Finding]:
    """The findings answered together with this one, in the order of their keys.

    Two acts that name each other's finding cross all the same; the database then ends one (``pilot.workflow.fire``).
    """
    given = {other.pk for other in act.data.get("others") or ()} - {finding.pk}
    if len(given) >= TOGETHER:
        raise Refused(_("一次最多办理 %(most)s 条差错") % {"most": TOGETHER})
    rows = Finding.unscoped.filter(pk__in=given, unit=finding.unit).select_related("unit").order_by("pk")
    return list(rows)


def _tell_officials(findings: list[Finding], act: Act) -> None:
    """One notice per office that can decide: the unit's bureau of all, every other bureau of those of its province."""
    home = findings[0].unit.province
    per_office: dict[int, list[Finding]] = {home: findings}
    for finding in findings:
        if finding.subject_province != home:
            per_office.setdefault(finding.subject_province, []).append(finding)
    for province, rows in per_office.items():
        words: dict[str, Any] = {"number": rows[0].number, "count": len(rows)}
        with on_record():
            subject = (
                _("%(number)s · 提出异议") % words
                if len(rows) == 1
                else _("%(number)s 等 %(count)s 条差错 · 提出异议") % words
            )
        notices.send(
            members=people.bureau(province),
            subject=subject,
            machine=Finding.slug(),
            object_id=rows[0].pk,
            source=act.key,
        )


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
