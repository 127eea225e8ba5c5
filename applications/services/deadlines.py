"""What happens when a clock of intake runs out: reminder, lapse, alert or deemed acceptance, each exactly once."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.selectors import deadlines, tellings
from pilot import clock
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.models import Programme
from pilot.services import audit, notices
from pilot.workflow import fire

BATCH = 500
SYSTEM = Actor.system("applications.deadlines")
logger = logging.getLogger(__name__)


def pass_deadlines(*, at: datetime | None = None) -> dict[str, int]:
    """Do everything the clocks ask for at ``at`` (business time, default now); returns how often each was done.

    Safe beside another worker and when run again: every application is claimed by its row, looked at afresh, and
    remembers the deadline people were told of. What a clock brings about is dated to the moment it ran out.
    """
    at = at or clock.now()
    done: Counter[str] = Counter()
    for programme in Programme.objects.order_by("pk"):
        for pk in deadlines.due(programme, at=at, limit=BATCH):
            try:
                outcome = _pass_one(pk, at=at)
            except PilotError:
                logger.exception("deadline of application %s", pk)
                outcome = "failed"
            if outcome:
                done[outcome] += 1
    return dict(done)


@transaction.atomic
def _pass_one(pk: int, *, at: datetime) -> str | None:
    rows = Application.unscoped.select_for_update(skip_locked=True, of=("self",))
    case: Application | None = rows.filter(pk=pk, due_at__isnull=False).first()
    if case is None or case.due_at is None:
        return None
    overdue = at >= case.due_at
    if case.state == ApplicationState.RETURNED:
        return _lapse(case) if overdue else _remind(case, at=at)
    if case.state == ApplicationState.SUBMITTED and overdue:
        return _deem_accepted(case) if deadlines.deems_acceptance(case.programme) else _alert(case)
    return None


def _lapse(case: Application) -> str:
    fire(case, "lapse", actor=SYSTEM, at=case.due_at)
    return "lapsed"


def _deem_accepted(case: Application) -> str:
    fire(case, "deem_accepted", actor=SYSTEM, at=case.due_at)
    return "deemed_accepted"


def _remind(case: Application, *, at: datetime) -> str | None:
    if case.due_at == case.alerted_due_at or (case.due_at or at) > deadlines.reminder_bound(
        case.programme, at
    ):
        return None
    notices.send(
        members=tellings.applicant(case),
        subject=_("%(number)s · 补正期限将至") % {"number": case.number},
        machine=case.slug(),
        object_id=case.pk,
        source=_source(case, "reminder"),
    )
    _mark_told(case, "reminder")
    return "reminded"


def _alert(case: Application) -> str | None:
    if case.due_at == case.alerted_due_at:
        return None
    notices.send(
        members=tellings.bureau_leads(case) | tellings.officers(case),
        subject=_("%(number)s · 受理已超期") % {"number": case.number},
        machine=case.slug(),
        object_id=case.pk,
        source=_source(case, "overdue"),
    )
    _mark_told(case, "overdue")
    return "alerted"


def _source(case: Application, what: str) -> str:
    return f"{case.slug()}:{case.pk}:{what}"


def _mark_told(case: Application, what: str) -> None:
    case.alerted_due_at = case.due_at
    case.save(update_fields=["alerted_due_at"])
    audit.record(action=f"application.{what}", actor=SYSTEM, subject=case)
