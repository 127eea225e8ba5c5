"""Bureaus whose report is to come are told: by an officer who urges (催报), and on their own when time runs out.

What was told stands in the notices: each carries what it is about as its source, so nothing is told twice.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from assessment.enums import ReportState
from assessment.models import ProvincialReport
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.models import Notice, Programme
from pilot.rules import local_day
from pilot.selectors import people, programmes
from pilot.services import audit, notices

SYSTEM: Final = Actor.system("assessment.report_urges")
REMINDER_DAYS: Final = 2  # where the programme holds no ``report_reminder_days``


@audit.denials_recorded("provincial-report.urge")
@transaction.atomic
def urge(*, case: ProvincialReport, actor: Actor) -> None:
    """Ask the people of a bureau to send their report, once a day of business time.

    Raises :class:`NotPermitted` for whoever does not receive reports, :class:`Refused` when the report was sent, the
    bureau was urged today, or nobody works there. Officers who urge at once queue for the report's row.
    """
    if not policy.may_act(case.slug(), "urge", actor.role):
        raise NotPermitted(_("只有部经办人员可以催报"))
    locked: ProvincialReport = ProvincialReport.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if locked.state != ReportState.OPEN:
        raise Refused(_("该局已报送，无需催报"))
    with on_record():
        subject = _("%(number)s · 催报汇总表") % {"number": locked.number}
    source = f"urge:{local_day(clock.now())}"
    if _told(locked, source):
        raise Refused(_("今天已向该局催报，明天可再次催报"))
    if not _tell(locked, source, subject, action="urge", actor=actor):
        raise Refused(_("该局没有可以通知的人员"))


def remind(*, at: datetime | None = None) -> dict[str, int]:
    """Tell bureaus whose report is due within the programme's reminder days, and once more when it is overdue.

    Each once for each due date, at ``at`` (business time, default now). Safe beside another worker: every report is
    claimed by its row, one in other hands is left to the next run.
    """
    at = at or clock.now()
    done: Counter[str] = Counter()
    for programme in Programme.objects.order_by("pk"):
        bound = _bound(programme, at)
        due = ProvincialReport.unscoped.filter(
            programme=programme, state=ReportState.OPEN, due_at__lte=bound
        ).order_by("due_at", "pk")
        for pk in list(due.values_list("pk", flat=True)):
            done[_remind_one(pk, at)] += 1
    del done[""]
    return dict(done)


def _bound(programme: Programme, at: datetime) -> datetime:
    days = programmes.rule(programme, "report_reminder_days")
    return programmes.deadline(programme, start=at, days=REMINDER_DAYS if days is None else days)


@transaction.atomic
def _remind_one(pk: int, at: datetime) -> str:
    rows = ProvincialReport.unscoped.select_for_update(skip_locked=True, of=("self",))
    report = rows.filter(pk=pk, state=ReportState.OPEN).first()
    if report is None or report.due_at is None:
        return ""
    action = "overdue" if at >= report.due_at else "reminder"
    with on_record():
        words = (
            _("%(number)s · 汇总报送已逾期") if action == "overdue" else _("%(number)s · 汇总报送期限将至")
        )
        subject = words % {"number": report.number}
    source = f"{action}:{local_day(report.due_at)}"
    if _told(report, source):
        return ""
    return action if _tell(report, source, subject, action=action, actor=SYSTEM) else ""


def _source(report: ProvincialReport, source: str) -> str:
    return f"{report.slug()}:{report.pk}:{source}"


def _told(report: ProvincialReport, source: str) -> bool:
    return Notice.objects.filter(source=_source(report, source)).exists()


def _tell(report: ProvincialReport, source: str, subject: str, *, action: str, actor: Actor) -> int:
    """Notices and audit row in the transaction that holds the row; returns how many people were told."""
    told = notices.send(
        members=people.bureau(report.province),
        subject=subject,
        machine=report.slug(),
        object_id=report.pk,
        source=_source(report, source),
    )
    if told:
        audit.record(action=f"provincial-report.{action}", actor=actor, subject=report, detail={"told": told})
    return told
