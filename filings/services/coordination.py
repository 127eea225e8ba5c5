"""Coordination cases (协调事项, notice 四（一）): a problem raised by one side and owned by another.

Days are working days of the programme's rules ``coordination_days`` and ``coordination_reminder_days``; without such a
rule no clock runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import CoordinationCategory, CoordinationState
from filings.models import CoordinationCase, CoordinationMessage
from filings.services import attachments
from filings.services.acting import beginner
from filings.services.attachments import Proof
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import OrganisationKind
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.models import Organisation, PilotUnit, Programme
from pilot.selectors import people, programmes
from pilot.services import audit, notices
from pilot.workflow import open_case as begin


@transaction.atomic
def open_case(
    *,
    actor: Actor,
    unit: PilotUnit,
    subject: str,
    text: str,
    owner: Organisation,
    category: str = CoordinationCategory.OTHER,
    proofs: Sequence[Proof] = (),
) -> CoordinationCase:
    """Raise a problem of a pilot unit with the organisation that is to solve it.

    Raises :class:`Refused` for another provider's unit, for an owner outside the three sides (the unit itself, a
    bureau, the ministry), when one would write to oneself, and above five files.
    """
    if actor.is_provider and unit.organisation_id != actor.organisation_id:
        raise Refused(_("只能提出本单位的事项"))
    if owner.pk == actor.organisation_id:
        raise Refused(_("责任单位不能是提出单位"))
    _check_side(unit, owner)
    by, at = beginner(actor), clock.now()
    case = CoordinationCase(
        case_key=uuid4(),
        unit=unit,
        category=category,
        subject=subject.strip(),
        opened_by_id=by.person,
        opener_id=by.organisation,
        owner=owner,
        due_at=due(unit, at),
    )
    begin(case, actor=actor, at=at)
    add_message(case=case, actor=actor, text=text, at=at, proofs=proofs)
    with on_record():
        notice = _("%(number)s · 新的协调事项") % {"number": case.number}
    _tell_owner(case, notice, "1")
    return case


def _check_side(unit: PilotUnit, owner: Organisation) -> None:
    official = owner.kind in {OrganisationKind.BUREAU, OrganisationKind.MINISTRY}
    if not official and owner.pk != unit.organisation_id:
        raise Refused(_("责任单位应为该试点单位、通信管理局或部"))


def due(unit: PilotUnit, start: datetime) -> datetime | None:
    """Until when the owner answers what was asked at ``start``; None where the programme has no such rule."""
    days = programmes.rule(unit.programme, "coordination_days")
    return programmes.deadline(unit.programme, start=start, days=days) if days else None


def add_message(
    *, case: CoordinationCase, actor: Actor, text: str, at: datetime, proofs: Sequence[Proof] = ()
) -> CoordinationMessage:
    """Append a message with its files to the thread; the caller is inside a transaction."""
    attachments.attach(cases=[case], proofs=proofs, at=at)
    return CoordinationMessage.unscoped.create(
        case=case, person_id=actor.person_id, organisation_id=actor.organisation_id, text=text.strip(), at=at
    )


@audit.denials_recorded("coordination-case.hand_over")
@transaction.atomic
def hand_over(*, case: CoordinationCase, actor: Actor, owner: Organisation, reason: str) -> CoordinationCase:
    """The owner passes the matter on to another side; the thread says so and the deadline stays.

    Raises :class:`NotPermitted` for anybody but the owner, :class:`Refused` for a matter that is not open, and for a
    new owner who is the old one, asked the question, or belongs to none of the three sides.
    """
    if not policy.may_act(CoordinationCase.slug(), "hand_over", actor.role):
        raise NotPermitted(_("由责任单位转办"))
    locked: CoordinationCase = (
        CoordinationCase.unscoped.select_for_update(of=("self",))
        .select_related("unit", "owner")
        .get(pk=case.pk)
    )
    if why := hand_over_obstacle(locked, actor):
        raise Refused(why)
    if owner.pk in {locked.owner_id, locked.opener_id}:
        raise Refused(_("请转给提出单位和现责任单位以外的一方"))
    _check_side(locked.unit, owner)
    before, at = locked.owner, clock.now()
    locked.owner = owner
    locked.save(update_fields=["owner"])
    with on_record():
        words = _("转由%(owner)s办理：%(reason)s") % {"owner": owner.name, "reason": reason.strip()}
        notice = _("%(number)s · 协调事项转由贵单位办理") % {"number": locked.number}
    message = add_message(case=locked, actor=actor, text=words, at=at)
    audit.record(
        action="coordination-case.hand_over",
        actor=actor,
        subject=locked,
        detail={"from": before.pk, "to": owner.pk},
    )
    _tell_owner(locked, notice, f"message-{message.pk}")
    return locked


def hand_over_obstacle(case: CoordinationCase, actor: Actor) -> str | None:
    """Why a matter cannot be passed on now by this actor, in words; None where it can."""
    if case.state != CoordinationState.OPEN:
        return _("待答复的事项可以转办")
    return None if actor.organisation_id == case.owner_id else _("由责任单位转办")


def remind() -> int:
    """Remind the owners of matters whose deadline is near, once per deadline; returns of how many.

    Nobody before a programme is installed: the timetable runs on an empty portal, too.
    """
    programme, now = Programme.objects.filter(is_current=True).first(), clock.now()
    days = programmes.rule(programme, "coordination_reminder_days") if programme else None
    if programme is None or days is None:
        return 0
    bound = programmes.deadline(programme, start=now, days=days)
    rows = CoordinationCase.unscoped.filter(state=CoordinationState.OPEN, due_at__gt=now, due_at__lte=bound)
    keys = [
        pk
        for pk, due_at, told in rows.values_list("pk", "due_at", "reminded_due_at").order_by("pk")
        if told != due_at
    ]
    return sum(_remind(pk, now) for pk in keys)


@transaction.atomic
def _remind(pk: int, now: datetime) -> bool:
    rows = CoordinationCase.unscoped.select_for_update(skip_locked=True, of=("self",))
    case: CoordinationCase | None = rows.filter(pk=pk, state=CoordinationState.OPEN, due_at__gt=now).first()
    if case is None or case.due_at is None or case.reminded_due_at == case.due_at:
        return False
    case.reminded_due_at = case.due_at
    case.save(update_fields=["reminded_due_at"])
    with on_record():
        notice = _("%(number)s · 协调事项答复期限将至") % {"number": case.number}
    _tell_owner(case, notice, f"reminder-{case.due_at:%Y%m%d}")
    return True


def _tell_owner(case: CoordinationCase, subject: str, step: str) -> None:
    notices.send(
        members=people.in_force().filter(organisation=case.owner_id),
        subject=subject,
        machine=case.slug(),
        object_id=case.pk,
        source=f"{case.slug()}:{case.pk}:{step}",
    )
