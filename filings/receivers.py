"""What this app does when something happens: an upheld objection changes the sanction it was against, and units'
systems are told of what concerns them (ids, numbers, counts and states; never what a form or a person says).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from filings.enums import JobState, RectificationState, SanctionState
from filings.models import Alert, Bulletin, Finding, Rectification, Sanction, UploadJob
from filings.services import alerts
from filings.signals import findings_opened
from pilot.models import Objection, PilotUnit
from pilot.services import outbox, webhooks
from pilot.signals import case_moved, objection_upheld
from pilot.workflow import Act, fire

UPLOAD_FINISHED = webhooks.declare("upload.finished", gettext_lazy("上报批次处理完成"))
UPLOAD_FAILED = webhooks.declare("upload.failed", gettext_lazy("上报批次处理失败"))
FINDING_OPENED = webhooks.declare("finding.opened", gettext_lazy("新增差错"))
RECTIFICATION_ISSUED = webhooks.declare("rectification.issued", gettext_lazy("签发整改通知"))
BULLETIN_PUBLISHED = webhooks.declare("bulletin.published", gettext_lazy("发布通报"))
_JOB_EVENTS = {JobState.DONE: UPLOAD_FINISHED, JobState.FAILED: UPLOAD_FAILED}

outbox.only_while(Alert.slug(), alerts.still_stands)  # a mail never tells of an alert that is over


@receiver(objection_upheld, dispatch_uid="filings.annul_sanction")
def annul_sanction(sender: Any, *, objection: Objection, actor: Any, at: Any, **kwargs: Any) -> None:
    """The sanction objected to is annulled in the same transaction; one lifted meanwhile has ended already."""
    if objection.against_machine != Sanction.slug():
        return
    sanction = Sanction.unscoped.get(pk=objection.against_id)
    if sanction.state != SanctionState.LIFTED:
        fire(sanction, "annul", actor=actor.downward(), at=at, reason=objection.finding)


@receiver(case_moved, sender=UploadJob, dispatch_uid="filings.fold_counts")
def fold_counts(sender: Any, *, case: UploadJob, act: Act, **kwargs: Any) -> None:
    """A file is in: its counts need not wait for beat. Jobs that end together share one message."""
    if case.state in _JOB_EVENTS and case.accepted and not case.by_request:
        outbox.post_task_once("filings.tasks.fold_counts")


# --- webhooks -------------------------------------------------------------------------------------
@receiver(case_moved, sender=UploadJob, dispatch_uid="filings.announce_upload")
def announce_upload(sender: Any, *, case: UploadJob, act: Act, **kwargs: Any) -> None:
    """A job has ended. Forms handed in by a call of their own were answered by it."""
    event = _JOB_EVENTS.get(case.state)
    if event is None or case.by_request:
        return
    _to_unit(
        event,
        case.unit,
        act.at,
        upload=str(case.case_key),
        state=case.state,
        dry_run=case.dry_run,
        rows=case.rows,
        accepted=case.accepted,
        duplicates=case.duplicates,
        rejected_rows=case.rejected_rows,
        code_counts=case.code_counts,
    )


@receiver(findings_opened, dispatch_uid="filings.announce_findings")
def announce_findings(
    sender: Any, *, unit: PilotUnit, findings: list[Finding], at: datetime, **kwargs: Any
) -> None:
    """One message for a batch, as its notice; the findings themselves are read by the API."""
    first = findings[0]
    _to_unit(FINDING_OPENED, unit, at, count=len(findings), first=first.number, due_at=_moment(first.due_at))


@receiver(case_moved, sender=Rectification, dispatch_uid="filings.announce_rectification")
def announce_rectification(sender: Any, *, case: Rectification, act: Act, **kwargs: Any) -> None:
    """An order was issued, the first time or for another round."""
    if case.state == RectificationState.ISSUED:
        _to_unit(
            RECTIFICATION_ISSUED,
            case.unit,
            act.at,
            number=case.number,
            state=case.state,
            round=case.round,
            findings=case.findings.count(),
            due_at=_moment(case.due_at),
        )


@receiver(case_moved, sender=Bulletin, dispatch_uid="filings.announce_bulletin")
def announce_bulletin(sender: Any, *, case: Bulletin, act: Act, **kwargs: Any) -> None:
    """The figures of a month are public; every unit of the programme is told the same."""
    if act.name == "publish":
        corrects = case.corrects.sequence if case.corrects else None
        webhooks.announce(
            event=BULLETIN_PUBLISHED,
            to=Q(unit__programme=case.programme_id),
            at=act.at,
            data={"sequence": case.sequence, "period": case.period, "corrects": corrects},
        )


def _to_unit(event: str, unit: PilotUnit, at: datetime, **data: Any) -> None:
    webhooks.announce(event=event, to=Q(unit=unit), at=at, data={"unit": unit.code, **data})


def _moment(at: datetime | None) -> str | None:
    return None if at is None else localtime(at).isoformat(timespec="seconds")
