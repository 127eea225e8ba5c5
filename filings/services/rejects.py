"""Refused rows of a job: their content kept encrypted for 30 days, given back as a file of the same format."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import chain
from typing import IO, Any, Final

import msgspec
from django.utils.translation import gettext as _

from filings import writers
from filings.enums import JobState
from filings.intake.decode import FileFormat, codec_of
from filings.intake.records import ErrorItem
from filings.intake.versions import Candidate
from filings.models import FormRefusal, UploadJob
from filings.services import spool, storage
from pilot.errors import ContentDestroyed
from pilot.rules import local_day

KEPT_FOR: Final = timedelta(days=30)
COMPRESSION: Final = 1


class Part(msgspec.Struct):
    """The refused rows of one chunk, each as it was sent, and what makes them a file again.

    ``columns``: the header of their table; ``operation``: of their V3.0 upload.
    """

    columns: list[str]
    operation: str
    rows: list[tuple[int, bytes]]


def keep(job: UploadJob, columns: list[str], first_row: int, rows: list[Candidate]) -> None:
    """Keep refused rows of the chunk that starts at ``first_row``."""
    part = Part(columns, rows[0].operation, [(row.number, row.raw) for row in rows])
    spool.write_refused(job.case_key, first_row, zlib.compress(msgspec.msgpack.encode(part), COMPRESSION))


def available(job: UploadJob) -> bool:
    """Whether refused rows of the job can be fetched, still, or of a dry run already: their errors come as it ends."""
    return not under_trial(job) and spool.has_refused(job.case_key)


def under_trial(job: UploadJob) -> bool:
    """Whether the job is a dry run that has not ended, so that none of its rows is on record."""
    return job.dry_run and job.state not in {JobState.DONE, JobState.FAILED}


def obtainable(job: UploadJob) -> bool:
    """As :func:`available`; raises :class:`ContentDestroyed` when retention took the rows and not their 30 days."""
    if available(job):
        return True
    if storage.is_destroyed(unit_id=job.unit_id, month=local_day(job.received_at).replace(day=1)):
        raise ContentDestroyed(_("内容已销毁"))
    return False


def errors_of(refusal: FormRefusal) -> list[ErrorItem]:
    """The errors of a refused row, which know their words in every language."""
    return [
        ErrorItem(kept["code"], kept["field"], kept.get("params", {}), kept.get("national"))
        for kept in refusal.errors
    ]


def as_dict(refusal: FormRefusal, language: str = "zh") -> dict[str, Any]:
    """The public shape of a refusal: ``{row, form_no, errors: [{code, field, message}]}``."""
    return {
        "row": refusal.row,
        "form_no": refusal.form_no,
        "errors": [error.as_dict(language) for error in errors_of(refusal)],
    }


def content(job: UploadJob, language: str = "zh") -> Iterator[bytes]:
    """The refused rows as a file of the job's own format, each with its errors, piece by piece."""
    parts = _parts(job)
    match FileFormat(job.format):
        case FileFormat.NDJSON:
            for part in parts:
                yield _written(writers.refused_ndjson, _rows(job, part, language))
        case FileFormat.CSV:
            for number, part in enumerate(parts):
                codec = codec_of(job.encoding)
                write = partial(
                    writers.refused_csv,
                    columns=part.columns,
                    # A mark at its head, or spreadsheets take UTF-8 for the encoding of their own country.
                    codec="utf-8-sig" if codec == "utf-8" and number == 0 else codec,
                    headed=number == 0,
                )
                yield _written(write, _rows(job, part, language))
        case FileFormat.XLSX:  # bounded by the door: 50,000 rows, like the 50 MB of V3.0
            first = next(parts)
            rows = chain.from_iterable(_rows(job, part, language) for part in chain([first], parts))
            yield _written(partial(writers.refused_xlsx, columns=first.columns), rows)
        case FileFormat.V3:
            first = next(parts)
            rows = chain.from_iterable(_rows(job, part, language) for part in chain([first], parts))
            provider = str(job.unit.national_id)
            yield _written(partial(writers.refused_v3, operation=first.operation, national_id=provider), rows)


def _written(write: Callable[[Iterable[writers.RefusedRow], IO[bytes]], None], rows: Iterable[Any]) -> bytes:
    out = BytesIO()
    write(rows, out)
    return out.getvalue()


def _parts(job: UploadJob) -> Iterator[Part]:
    for content in spool.read_refused(job.case_key):
        yield msgspec.msgpack.decode(zlib.decompress(content), type=Part)


def _rows(job: UploadJob, part: Part, language: str) -> Iterator[writers.RefusedRow]:
    numbers = [number for number, _raw in part.rows]
    refusals = FormRefusal.unscoped.filter(job=job, row__in=numbers)
    errors = {refusal.row: errors_of(refusal) for refusal in refusals}
    for number, raw in part.rows:
        yield writers.RefusedRow(number, raw, [error.as_dict(language) for error in errors.get(number, ())])
