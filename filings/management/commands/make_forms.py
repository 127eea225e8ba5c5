"""``manage.py make_forms``: synthetic forms of a unit to stdout, marked as such; the same arguments, the same file."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import IO, Any, Final, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings import synthetic, writers
from filings.intake.decode import FileFormat
from filings.intake.v3 import MAX_RECORDS
from filings.intake.workbook import MAX_ROWS
from filings.management.commands.ingest import moment
from filings.services.authority import COLUMNS
from pilot import clock
from pilot.errors import PilotError
from pilot.models import PilotUnit
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import register

LIMITS: Final = {FileFormat.V3: MAX_RECORDS, FileFormat.XLSX: MAX_ROWS}
SPAN: Final = timedelta(days=30)


class Command(BaseCommand):
    """Exit 0: written; 1: no such unit, or it was never active; 2: wrong usage."""

    help = "Write synthetic verification forms of a unit to stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("n", metavar="N", type=int)
        parser.add_argument("--unit", metavar="CODE", required=True)
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument(
            "--error-rate", type=float, default=0.0, metavar="R", help="share of rows with a fault"
        )
        parser.add_argument("--format", choices=[str(name) for name in FileFormat], default="ndjson")
        parser.add_argument(
            "--from", dest="start", type=moment, metavar="TIME", help="first time of collection"
        )
        parser.add_argument(
            "--to", dest="end", type=moment, metavar="TIME", help="end of the times of collection"
        )
        parser.add_argument(
            "--authority", type=Path, metavar="FILE", help="write the matching authority extract"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file_format = FileFormat(options["format"])
        if (
            not 0 <= options["n"] <= LIMITS.get(file_format, sys.maxsize)
            or not 0 <= options["error_rate"] <= 1
        ):
            raise CommandError("N or --error-rate is out of range for this format", returncode=2)
        try:
            unit = register.by_code(options["unit"])
        except PilotError as refusal:
            raise CommandError(str(refusal.message)) from refusal
        start, end = _span(unit, options["start"], options["end"])

        def forms() -> Iterator[dict[str, Any]]:
            made = synthetic.make_forms(
                options["n"],
                unit_code=unit.code,
                seed=options["seed"],
                error_rate=options["error_rate"],
                collected_from=start,
                collected_to=end,
            )
            return (form.record for form in made)

        if options["authority"]:
            with options["authority"].open("w", encoding="utf-8", newline="") as extract:
                table = csv.writer(extract)
                table.writerow(COLUMNS)
                table.writerows(synthetic.authority_rows(forms()))
        self._write(file_format, forms, unit)

    def _write(self, file_format: FileFormat, forms: Any, unit: PilotUnit) -> None:
        out = _binary(self.stdout)
        match file_format:
            case FileFormat.NDJSON:
                writers.write_ndjson(forms(), out)
            case FileFormat.CSV:
                writers.write_csv(forms(), out, writers.columns_of(forms()))
            case FileFormat.XLSX:
                writers.write_xlsx(forms(), out, writers.columns_of(forms()))
            case FileFormat.V3:
                writers.write_v3(forms(), out, str(unit.national_id))
        out.flush()


def _binary(stream: Any) -> IO[bytes]:
    """The bytes below a text stream; one that has none, being held in memory, is written to as text."""
    target = getattr(stream, "_out", stream)
    return cast(IO[bytes], getattr(target, "buffer", None) or _TextSink(target))


class _TextSink(io.RawIOBase):
    """Passes UTF-8 bytes on to a text stream."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        self._target.write(bytes(content).decode())
        return len(content)


def _span(unit: PilotUnit, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """When forms are collected: by default in the unit's first thirty active days, as far as they are over."""
    active = register.active_ranges(unit)
    if start is None:
        if not active:
            raise CommandError(f"{unit.code} was never active")
        start = min(first for first, _last in active)
    if end is None:
        today = datetime.combine(local_day(clock.now()), time.min, SHANGHAI)
        end = min(start + SPAN, today)
    if end <= start:
        raise CommandError("there is no time between --from and --to", returncode=2)
    return start, end
