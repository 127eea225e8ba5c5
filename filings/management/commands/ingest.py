"""``manage.py ingest``: hand in a file of forms for a unit and wait for the outcome."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.enums import JobState
from filings.intake.decode import FileFormat
from filings.models import FormRefusal, UploadJob
from filings.services import comparison, rejects, spool, uploads
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.garbage import keep_what_is_loaded
from pilot.rules import SHANGHAI
from pilot.selectors import register

POLL_SECONDS = 0.2
SHOWN_ROWS = 20


def moment(text: str) -> datetime:
    """A time in ISO 8601; one without an offset is meant in Asia/Shanghai. ValueError otherwise."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=SHANGHAI)


class Command(BaseCommand):
    """Exit 0: processed, whatever was refused inside; 1: refused as a whole, the reason on stderr; 2: wrong usage."""

    help = "Hand in a file of verification forms and wait until it is processed and compared."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--unit", metavar="CODE", required=True)
        parser.add_argument("--format", choices=[str(name) for name in FileFormat], default="")
        parser.add_argument("--encoding", default="utf-8", help="of CSV: utf-8 (default) or gbk")
        parser.add_argument("--received-at", type=moment, metavar="TIME", help="ISO 8601, not later than now")
        parser.add_argument("--dry-run", action="store_true", help="check and count, store no form")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        keep_what_is_loaded()
        try:
            unit = register.by_code(options["unit"])
            with options["file"].open("rb") as source:
                job = uploads.receive_upload(
                    actor=Actor.system("ingest"),
                    unit=unit,
                    source=source,
                    name=options["file"].name,
                    format=options["format"],
                    encoding=options["encoding"],
                    received_at=options["received_at"],
                    dry_run=options["dry_run"],
                )
        except PilotError as refusal:
            raise CommandError(str(refusal.message)) from refusal
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        job = self._complete(job)
        if job.dry_run:
            spool.remove_upload(job.case_key)  # whoever tries a file here has it still
        else:
            comparison.compare_everything(unit=unit)
        if job.state == JobState.FAILED:
            raise CommandError(job.fault)
        self._print(job, options["json"])

    def _complete(self, job: UploadJob) -> UploadJob:
        """The job when it is done: by this process, or by the worker that has it in hand already."""
        while (job := uploads.process(job_id=job.pk)).state in uploads.OPEN_STATES:
            sleep(POLL_SECONDS)
        return job

    def _print(self, job: UploadJob, as_json: bool) -> None:
        refusals = FormRefusal.unscoped.filter(job=job).order_by("row")
        if as_json:
            self.stdout.write(json.dumps(outcome(job, refusals.iterator()), ensure_ascii=False))
            return
        self.stdout.write(
            f"上报批次 {job.number}：共 {job.rows} 行，接收 {job.accepted}，重复 {job.duplicates}，"
            f"拒收 {job.rejected_rows}" + ("（试算，未入库）" if job.dry_run else "")
        )
        for refusal in refusals[:SHOWN_ROWS]:
            faults = "；".join(
                f"{one['code']} {one['field']} {one['message']}" for one in rejects.as_dict(refusal)["errors"]
            )
            self.stdout.write(f"  第 {refusal.row} 行 {refusal.form_no}：{faults}")
        if job.rejected_rows > SHOWN_ROWS:
            self.stdout.write(f"  …… 其余 {job.rejected_rows - SHOWN_ROWS} 行请用 --json 查看")


def outcome(job: UploadJob, refusals: Any) -> dict[str, Any]:
    """The public shape of a processed job."""
    return {
        "job": job.pk,
        "rows": job.rows,
        "accepted": job.accepted,
        "duplicates": job.duplicates,
        "rejected_rows": job.rejected_rows,
        "code_counts": job.code_counts,
        "rejected": [rejects.as_dict(refusal) for refusal in refusals],
    }
