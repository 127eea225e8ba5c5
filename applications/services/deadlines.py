"""What happens when a clock of intake runs out, or nearly does, and when the window closes; each exactly once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.selectors import deadlines, tellings
from pilot import clock
from pilot.actors import Actor
from pilot.database import AWAY
from pilot.language import on_record
from pilot.models import Membership, Programme
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
            done[_attempt(_pass_one, pk, at)] += 1
        for pk in deadlines.untold(programme, at=at, limit=BATCH):
            done[_attempt(_tell_closed, pk, at)] += 1
    del done[""]
    return dict(done)


def _attempt(step: Callable[[Application, datetime], str], pk: int, at: datetime) -> str:
    """Take one application's row and do what is due; nothing for one in other hands, which the next run sees.

    One that cannot be moved now keeps none of the others waiting; the next run tries it again.
    """
    try:
        with transaction.atomic():
            rows = Application.unscoped.select_for_update(skip_locked=True, of=("self",))
            case: Application | None = rows.filter(pk=pk).first()
            return step(case, at) if case else ""
    except AWAY:
        raise  # the database is away, which is no fault of this case
    except Exception:
        logger.exception("deadline of application %s", pk)
        return "failed"


def _pass_one(case: Application, at: datetime) -> str:
    if case.due_at is None:
        return ""
    over = deadlines.is_over(case.due_at, at)
    if case.state == ApplicationState.RETURNED:
        return _lapse(case) if over else _remind(case, at)
    if case.state == ApplicationState.SUBMITTED:
        return _silence(case) if over else _warn(case, at)
    return ""


def _lapse(case: Application) -> str:
    fire(case, "lapse", actor=SYSTEM, at=case.due_at)
    return "lapsed"


def _silence(case: Application) -> str:
    if deadlines.deems_acceptance(case.programme):
        fire(case, "deem_accepted", actor=SYSTEM, at=case.due_at)
        return "deemed_accepted"
    if case.due_at == case.alerted_due_at:
        return ""
    with on_record():
        subject = _("%(number)s · 受理已逾期") % {"number": case.number}
    case.alerted_due_at = case.due_at
    _tell(case, "overdue", subject, tellings.bureau_leads(case) | tellings.officers(case))
    return "alerted"


def _remind(case: Application, at: datetime) -> str:
    if case.due_at == case.alerted_due_at or not _runs_out_by(
        case, at, deadlines.reminder_bound(case.programme, at)
    ):
        return ""
    with on_record():
        subject = _("%(number)s · 补正期限将至") % {"number": case.number}
    case.alerted_due_at = case.due_at
    _tell(case, "reminder", subject, tellings.applicant(case))
    return "reminded"


def _warn(case: Application, at: datetime) -> str:
    if case.due_at == case.warned_due_at or not _runs_out_by(
        case, at, deadlines.warning_bound(case.programme, at)
    ):
        return ""
    with on_record():
        subject = _("%(number)s · 受理期限将至") % {"number": case.number}
    case.warned_due_at = case.due_at
    _tell(case, "warning", subject, tellings.bureau(case))
    return "warned"


def _runs_out_by(case: Application, at: datetime, bound: datetime) -> bool:
    """Whether the clock still runs, and ends by ``bound``; in the minute after the bell it does neither."""
    return case.due_at is not None and at < case.due_at <= bound


def _tell_closed(case: Application, at: datetime) -> str:
    closing = deadlines.closing(case.programme, case.provider_id)
    if case.state != ApplicationState.DRAFT or not deadlines.is_over(closing, at):
        return ""
    if case.closed_told_at is not None and case.closed_told_at >= closing:
        return ""
    with on_record():
        subject = _("申请窗口已关闭，您的申请草稿未提交")
    case.closed_told_at = closing
    _tell(case, "closed", subject, tellings.applicant(case))
    return "closed"


def _tell(case: Application, what: str, subject: str, members: QuerySet[Membership]) -> None:
    """Write notices, audit row and the mark by which it is not done again, in the transaction that holds the row."""
    notices.send(
        members=members,
        subject=subject,
        machine=case.slug(),
        object_id=case.pk,
        source=f"{case.slug()}:{case.pk}:{what}",
    )
    case.save(update_fields=["alerted_due_at", "warned_due_at", "closed_told_at"])
    audit.record(action=f"application.{what}", actor=SYSTEM, subject=case)


def tell_extended(*, programme: Programme, source: str) -> int:
    """Tell the owners of drafts that the window of their programme closes later; returns how many people.

    The caller holds the transaction in which the extension was granted.
    """
    with on_record():
        subject = _("申请窗口已延长，草稿仍可提交")
    return sum(
        notices.send(
            members=tellings.applicant(case),
            subject=subject,
            machine=case.slug(),
            object_id=case.pk,
            source=source,
        )
        for case in deadlines.drafts(programme).order_by("pk")
    )
