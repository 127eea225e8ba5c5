"""A coordination case's life: the owner answers, whoever opened it is satisfied or asks on."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from filings.models import CoordinationCase
from filings.services.coordination import add_message, due
from pilot.actors import Actor
from pilot.models import Membership
from pilot.selectors import people
from pilot.workflow import Act, on


def owning_office(case: CoordinationCase, actor: Actor, at: datetime) -> str | None:
    """Guard: the organisation that owns the matter answers."""
    return None if actor.organisation_id == case.owner_id else _("由责任单位答复")


def opening_office(case: CoordinationCase, actor: Actor, at: datetime) -> str | None:
    """Guard: the organisation that opened it."""
    return None if actor.organisation_id == case.opener_id else _("由提出单位办理")


def opener(case: CoordinationCase) -> QuerySet[Membership]:
    """Audience: the organisation that opened it."""
    return people.in_force().filter(organisation=case.opener_id)


def owner(case: CoordinationCase) -> QuerySet[Membership]:
    """Audience: the organisation that owns it."""
    return people.in_force().filter(organisation=case.owner_id)


@on(CoordinationCase, "reply", guards=[owning_office], tell=[opener], reason_required=True)
def reply(case: CoordinationCase, act: Act) -> None:
    """The answer is a message of the thread, with up to five ``proofs``."""
    _say(case, act)


@on(CoordinationCase, "close", guards=[opening_office], tell=[owner])
def close(case: CoordinationCase, act: Act) -> None:
    """Settled; a closing remark joins the thread."""
    if act.reason.strip():
        add_message(case=case, actor=act.actor, text=act.reason, at=act.at)


@on(CoordinationCase, "reopen", guards=[opening_office], tell=[owner], reason_required=True)
def reopen(case: CoordinationCase, act: Act) -> None:
    """What is still missing is a message of the thread; the clock starts afresh."""
    _say(case, act)
    case.due_at = due(case.unit, act.at)


def _say(case: CoordinationCase, act: Act) -> None:
    proofs = act.data.get("proofs") or ()
    add_message(case=case, actor=act.actor, text=act.reason, at=act.at, proofs=proofs)
