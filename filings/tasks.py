"""Jobs of the run phase: ids in, one service call each; idempotent and safe beside a second worker."""

from __future__ import annotations

import logging

from celery import shared_task

from filings.services import (
    alerts,
    buckets,
    comparison,
    deadlines,
    national,
    nightly,
    storage,
    uploads,
    v3_access,
)
from pilot import problems
from pilot.models import PilotUnit

logger = logging.getLogger(__name__)


# --- uploads --------------------------------------------------------------------------------------
@shared_task
def process_upload(job_id: int) -> None:
    """Process an upload job, or a good part of a long one."""
    try:
        uploads.process(job_id=job_id, seconds=uploads.PASS_SECONDS)
    except OSError as error:
        if not problems.of_system(error):
            raise
        logger.error(
            "upload job %s waits for room on the disk: %s", job_id, error
        )  # the sweep goes on with it


@shared_task
def compare_unit(unit_id: int) -> int:
    """Compare what a unit handed in with the authority's records, or a good part of much."""
    unit = PilotUnit.unscoped.get(pk=unit_id)
    return comparison.compare_pending(unit=unit, thorough=False, seconds=comparison.PASS_SECONDS)


@shared_task
def ask_authority_again() -> int:
    """Ask the authority again for the forms whose time has come, well within a task's time."""
    return comparison.compare_due(seconds=comparison.PASS_SECONDS)


@shared_task
def match_national() -> int:
    """Look once more for the forms of national answers that had none."""
    return national.match_again()


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


# --- figures --------------------------------------------------------------------------------------
@shared_task
def fold_counts() -> int:
    """Fold what writers queued into the daily buckets."""
    return buckets.fold()


@shared_task
def rebuild_counts() -> None:
    """Count every bucket afresh, one unit after the other."""
    for unit in PilotUnit.unscoped.order_by("pk"):
        buckets.rebuild(unit=unit)


# --- supervision ----------------------------------------------------------------------------------
@shared_task
def pass_deadlines() -> int:
    """Do what follows from deadlines that have passed."""
    return deadlines.pass_deadlines()


@shared_task
def nightly_recount() -> int:
    """Recount every unit's figures from the forms, then look at the alerts."""
    appended = nightly.recount_everything()
    alerts.review()
    return appended


@shared_task
def review_alerts() -> int:
    """Open and clear alerts by what the figures say now."""
    return alerts.review()
