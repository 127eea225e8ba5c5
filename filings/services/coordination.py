"""Coordination cases (协调事项, notice 四（一）): a problem raised by one side and owned by another."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.models import CoordinationCase, CoordinationMessage
from filings.services.acting import beginner
from pilot import clock
from pilot.actors import Actor
from pilot.enums import OrganisationKind
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import Organisation, PilotUnit
from pilot.selectors import people
from pilot.services import notices
from pilot.workflow import open_case as begin


@transaction.atomic
def open_case(
    *, actor: Actor, unit: PilotUnit, subject: str, text: str, owner: Organisation
) -> CoordinationCase:
    """Raise a problem of a pilot unit with the organisation that is to solve it.

    Raises :class:`Refused` for another provider's unit, for an owner outside the three sides (the unit itself, a
    bureau, the ministry), or when one would write to oneself.
    """
    if actor.is_provider and unit.organisation_id != actor.organisation_id:
        raise Refused(_("只能提出本单位的事项"))
    if owner.pk == actor.organisation_id:
        raise Refused(_("责任单位不能是提出单位"))
    official = owner.kind in {OrganisationKind.BUREAU, OrganisationKind.MINISTRY}
    if not official and owner.pk != unit.organisation_id:
        raise Refused(_("责任单位应为该试点单位、通信管理局或部"))
    by, at = beginner(actor), clock.now()
    case = CoordinationCase(
        case_key=uuid4(),
        unit=unit,
        subject=subject.strip(),
        opened_by_id=by.person,
        opener_id=by.organisation,
        owner=owner,
    )
    begin(case, actor=actor, at=at)
    add_message(case=case, actor=actor, text=text, at=at)
    with on_record():
        notice = _("%(number)s · 新的协调事项") % {"number": case.number}
    notices.send(
        members=people.in_force().filter(organisation=owner.pk),
        subject=notice,
        machine=case.slug(),
        object_id=case.pk,
        source=f"{case.slug()}:{case.pk}:1",
    )
    return case


def add_message(*, case: CoordinationCase, actor: Actor, text: str, at: datetime) -> CoordinationMessage:
    """Append a message to the thread; the caller is inside a transaction."""
    return CoordinationMessage.unscoped.create(
        case=case, person_id=actor.person_id, organisation_id=actor.organisation_id, text=text.strip(), at=at
    )
