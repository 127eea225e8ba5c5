"""Jobs of the run phase: ids in, one service call each; idempotent and safe beside a second worker."""

from __future__ import annotations

from celery import shared_task

from filings.services import comparison, deadlines, nightly, storage, uploads, v3_access
from pilot.models import PilotUnit


# --- uploads --------------------------------------------------------------------------------------
@shared_task
def process_upload(job_id: int) -> None:
    """Process an upload job, or a good part of a long one."""
    uploads.process(job_id=job_id, seconds=uploads.PASS_SECONDS)


@shared_task
def compare_unit(unit_id: int) -> int:
    """Compare what a unit handed in with the authority's records."""
    return comparison.compare_pending(unit=PilotUnit.unscoped.get(pk=unit_id), thorough=False)


@shared_task
def sweep() -> int:
    """Pick up jobs that were left lying."""
    return uploads.sweep()


@shared_task
def tidy() -> None:
    """Forget files whose time is over, follow a rotated master key."""
    uploads.tidy()
    storage.rewrap_keys()
    v3_access.rewrap_secrets()


# --- supervision ----------------------------------------------------------------------------------
@shared_task
def pass_deadlines() -> int:
    """Do what follows from deadlines that have passed."""
    return deadlines.pass_deadlines()


@shared_task
def nightly_recount() -> int:
    """Recount every unit's figures from the forms."""
    return nightly.recount_everything()
