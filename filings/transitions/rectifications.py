"""A rectification order's life: drafted, issued by a lead, answered by the unit, accepted or sent round again."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from filings.documents import make_rectification_letter
from filings.enums import FindingState, InspectionState, RectificationState
from filings.models import Rectification
from filings.services import attachments
from filings.transitions.guards import bureau_of_unit, clock_ran_out, own_unit, people_of_unit, unit_bureau
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Membership
from pilot.selectors import people, programmes
from pilot.transitions import another_person
from pilot.workflow import Act, on


def findings_overturned(order: Rectification, actor: Actor, at: datetime) -> str | None:
    """Guard: an order that was issued ends only when nothing is left of its grounds; a draft may be given up."""
    if actor.is_system or order.state == RectificationState.DRAFTED:
        return None
    if order.findings.exclude(state=FindingState.OVERTURNED).exists():
        return _("所依据的差错未全部撤销")
    return None


def drafter(order: Rectification) -> QuerySet[Membership]:
    """Audience: whoever drafted it."""
    return people.person(order.drafted_by_id)


def unit_if_issued(order: Rectification) -> QuerySet[Membership]:
    """Audience: the unit's people, where the order was ever issued to them."""
    return Membership.objects.none() if order.issued_by_id is None else people_of_unit(order)


def _start_clock(order: Rectification, act: Act) -> None:
    order.due_at = programmes.deadline(order.unit.programme, start=act.at, days=order.days)


@on(
    Rectification,
    "issue",
    guards=[unit_bureau, another_person("drafted_by")],
    tell=[people_of_unit, drafter],
)
def issue(order: Rectification, act: Act) -> None:
    """The lead signs; the letter is made and the deadline starts."""
    order.issued_by_id = act.actor.person_id
    _start_clock(order, act)
    make_rectification_letter(order=order, at=act.at)


@on(Rectification, "answer", guards=[own_unit], tell=[bureau_of_unit])
def answer(order: Rectification, act: Act) -> None:
    """Take over ``answer_text`` and up to five ``proofs``. An answer is welcome after the deadline, too."""
    order.answer_text = str(act.data.get("answer_text", "")).strip()
    if not order.answer_text:
        raise Refused(_("请填写整改报告"), field="answer_text")
    attachments.attach(cases=[order], proofs=act.data.get("proofs") or (), at=act.at)


def recheck_concluded(order: Rectification, actor: Actor, at: datetime) -> str | None:
    """Guard: a fresh sample that was named is waited for."""
    under_way = order.recheck is not None and order.recheck.state not in {
        InspectionState.CONCLUDED,
        InspectionState.CANCELLED,
    }
    return _("复查抽样尚未作出结论") if under_way else None


@on(Rectification, "accept", guards=[unit_bureau, recheck_concluded], tell=[people_of_unit])
def accept(order: Rectification, act: Act) -> None:
    """The lead is satisfied; errors stay in the figures. Without a fresh sample it is said why none is needed."""
    checked = order.recheck is not None and order.recheck.state == InspectionState.CONCLUDED
    if not checked and not act.reason.strip():
        raise Refused(_("没有复查结论的，请说明不需要复查的理由"), field="reason")


@on(Rectification, "reject", guards=[unit_bureau], tell=[people_of_unit], reason_required=True)
def reject(order: Rectification, act: Act) -> None:
    """A new round with a letter and a deadline of its own."""
    order.round += 1
    _start_clock(order, act)
    make_rectification_letter(order=order, at=act.at, reason=act.reason)


@on(Rectification, "pass_due", guards=[clock_ran_out], tell=[people_of_unit, bureau_of_unit])
def pass_due(order: Rectification, act: Act) -> None:
    """No answer came in time."""


@on(
    Rectification,
    "cancel",
    guards=[unit_bureau, findings_overturned],
    tell=[unit_if_issued, bureau_of_unit],
    reason_required=True,
)
def cancel(order: Rectification, act: Act) -> None:
    """Its findings were overturned, or the draft was not signed."""
