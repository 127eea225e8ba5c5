"""Dry runs handed in for real: the file lies in the spool still, so it is not sent again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import JobState
from filings.models import UploadJob
from filings.services import spool, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.errors import StateChanged


def kept_until(job: UploadJob) -> datetime | None:
    """Until when (business time) a dry run can be handed in for real; None for one that cannot (any more)."""
    if not job.dry_run or job.state != JobState.DONE or job.heartbeat_at is None:
        return None
    until = job.heartbeat_at + uploads.TRIED_KEPT
    if until <= clock.security_now() or not spool.has_upload(job.case_key):
        return None
    return until + clock.offset()


@transaction.atomic
def submit(*, actor: Actor, job: UploadJob, arrived_at: datetime) -> UploadJob:
    """Hand in for real, received ``arrived_at``, the very file of a dry run; returns the new job.

    Raises StateChanged once that is no longer possible, and what :func:`uploads.receive_waiting` raises. The file
    goes over to the new job, so a second press of the button finds nothing to hand in.
    """
    locked = UploadJob.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=job.pk)
    # The file goes only after the commit, so whoever presses in between is told by the job it made.
    handed_in = UploadJob.unscoped.filter(
        unit=locked.unit, sha256=locked.sha256, dry_run=False, pk__gt=locked.pk
    )
    if kept_until(locked) is None or handed_in.exists():
        raise StateChanged(_("试算的文件已正式上报或已过保留期，请重新选择文件上报"))
    with spool.open_upload(locked.case_key) as stream:
        waiting = uploads.take_in(stream)
    real = uploads.receive_waiting(
        actor=actor,
        unit=locked.unit,
        waiting=waiting,
        name=locked.source_name,
        format=locked.format,
        encoding=locked.encoding or "utf-8",
        arrived_at=arrived_at,
        dry_run=False,
    )
    transaction.on_commit(lambda: spool.remove_upload(locked.case_key))
    return real
