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


def submit(*, actor: Actor, job: UploadJob, arrived_at: datetime) -> UploadJob:
    """Hand in for real, received ``arrived_at``, the very file of a dry run; returns the new job.

    Raises StateChanged once that is no longer possible, and what :func:`uploads.receive_waiting` raises. The file
    goes over to the new job, so a second press of the button finds nothing to hand in. Copying it may take minutes:
    nothing is locked meanwhile, and whoever presses in between is told by the job that was made first.
    """
    _check_kept(job)
    waiting = _copy(job)
    with transaction.atomic():
        locked = UploadJob.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=job.pk)
        try:
            _check_kept(locked)
        except StateChanged:
            spool.remove(waiting.key)
            raise
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


def _copy(job: UploadJob) -> uploads.Waiting:
    """The file under a key of its own; each is encrypted for its job."""
    try:
        with spool.open_upload(job.case_key) as stream:
            return uploads.take_in(stream)
    except FileNotFoundError as error:
        raise _gone() from error


def _check_kept(job: UploadJob) -> None:
    # The file goes only after the commit, so whoever presses in between is told by the job it made.
    handed_in = UploadJob.unscoped.filter(unit=job.unit_id, sha256=job.sha256, dry_run=False, pk__gt=job.pk)
    if kept_until(job) is None or handed_in.exists():
        raise _gone()


def _gone() -> StateChanged:
    return StateChanged(_("试算的文件已正式上报或已过保留期，请重新选择文件上报"))
