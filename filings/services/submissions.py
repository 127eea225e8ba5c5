"""The door for requests: a few forms handed in by a unit's own system are judged and answered at once.

Each request is an upload job of its own, received, loaded and finished in one transaction, so that what came in by
request stands on record like what came in by file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import get_language

from filings.intake.decode import FileFormat, Row
from filings.intake.versions import Candidate
from filings.models import FormRefusal, UploadJob
from filings.models.uploads import BY_REQUEST
from filings.selectors.contexts import unit_context
from filings.services import loading, rejects, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.workflow import begun, fire


def submit(
    *,
    actor: Actor,
    unit: PilotUnit,
    rows: Sequence[Row],
    received_at: datetime,
    trial: bool = False,
) -> dict[str, Any]:
    """Take a request's forms; returns ``{job, dry_run, rows, accepted, duplicates, rejected}``.

    Good rows are taken whatever the others are. A trial is judged against what is stored and stores nothing; its
    ``job`` is None. ``rows`` are numbered from 1, at least one.
    """
    # A trial is undone while its answer may be kept; whatever else fails takes everything around it along.
    with transaction.atomic(savepoint=trial):
        answer = _take(actor, unit, rows, received_at, trial)
        if trial:
            transaction.set_rollback(True)
    return answer


def _take(
    actor: Actor, unit: PilotUnit, rows: Sequence[Row], received_at: datetime, trial: bool
) -> dict[str, Any]:
    job = _job(unit, rows, received_at)
    context = unit_context(unit, received_at)
    candidates = list(uploads.candidates(rows, context))

    def keep_refused(first_row: int, refused: list[Candidate]) -> None:
        if refused and not trial:
            rejects.keep(job, [], first_row, refused)

    with begun(job, actor=actor):
        fire(job, "start", actor=loading.LOADER)
        loading.load_whole(job=job, rows=candidates, context=context, keep_refused=keep_refused)
        fire(job, "finish", actor=loading.LOADER)
    return outcome(job, trial=trial)


def _job(unit: PilotUnit, rows: Sequence[Row], received_at: datetime) -> UploadJob:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row.raw)
        digest.update(b"\n")
    return UploadJob(
        case_key=uuid4(),
        unit=unit,
        source_name=BY_REQUEST,
        format=FileFormat.NDJSON,
        sha256=digest.hexdigest(),
        size=sum(len(row.raw) + 1 for row in rows),
        received_at=received_at,
        heartbeat_at=clock.security_now(),
    )


def outcome(job: UploadJob, *, trial: bool) -> dict[str, Any]:
    """What became of every row, in the reader's language."""
    language = get_language() or "zh"
    refusals = FormRefusal.unscoped.filter(job=job).order_by("row") if job.rejected_rows else ()
    return {
        "job": None if trial else str(job.case_key),
        "dry_run": trial,
        "rows": job.rows,
        "accepted": job.accepted,
        "duplicates": job.duplicates,
        "rejected": [rejects.as_dict(refusal, language) for refusal in refusals],
    }
