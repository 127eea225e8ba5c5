"""Recurring jobs of intake: thin, idempotent, safe beside a second worker."""

from celery import shared_task

from applications import documents
from applications.services import deadlines, files, forgetting, uploads


@shared_task
def pass_deadlines() -> dict[str, int]:
    """Reminders, lapses, alerts and deemed acceptances that are due."""
    return deadlines.pass_deadlines()


@shared_task
def make_receipt(version_id: int) -> int:
    """The receipt of a submission as PDF; returns the document's id."""
    return documents.make_receipt(version_id=version_id).pk


@shared_task
def rescan_files() -> dict[str, int]:
    """Files that wait for the virus scanner."""
    return files.rescan_pending()


@shared_task
def sweep_uploads() -> int:
    """Uploads nobody goes on with."""
    return uploads.sweep_stale()


@shared_task
def forget_drafts() -> int:
    """Content of applications that were never handed in and cannot be any more."""
    return forgetting.forget_drafts()
