"""Loading checked rows: one transaction per chunk holds forms, refusals, progress and audit.

A unit's chunks are loaded one after another (advisory lock), so repeats and versions are decided on settled rows,
whatever number of workers there is. A chunk that another process has taken meanwhile is not taken again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from filings.intake.records import ErrorItem, UnitContext
from filings.intake.versions import Candidate, Ledger, Stored, Verdict
from filings.models import UnitMonthKey, UploadJob
from filings.rules import RULE_VERSION
from filings.services import crypto, deltas, storage, subjects, supplements
from pilot import clock
from pilot.actors import Actor
from pilot.database import copy_rows
from pilot.rules import local_day
from pilot.services import audit

LOAD_LOCK: Final = 874  # advisory lock class: one loader per unit at a time
SEALED_AT_ONCE: Final = 200
LOADER: Final = Actor.system("intake")

type KeepRefused = Callable[[int, list[Candidate]], None]
"""Takes a chunk's first row number and its refused rows."""

_STORED: Final = """
SELECT form_no, digest, chain_no, version, day FROM filings_verificationform form
WHERE unit_id = %(unit)s AND {where} {beyond}
"""
_OF_RECORDS: Final = """
AND EXISTS (SELECT FROM filings_verificationform first
    WHERE first.unit_id = %(unit)s AND first.form_no = form.chain_no AND first.source = 'v3')
"""  # any door takes forms with such numbers; a dry run of records has tried nothing but records
_TRIED: Final = "UNION ALL SELECT form_no, digest, chain_no, version, day FROM filings_dry_run WHERE {where}"
_TRIAL: Final = """
DROP TABLE IF EXISTS pg_temp.filings_dry_run, pg_temp.filings_dry_refusal, pg_temp.filings_dry_repeat;
CREATE TEMPORARY TABLE filings_dry_run (
    form_no text COLLATE "C" PRIMARY KEY, digest bytea, chain_no text COLLATE "C", version int2, day date
);
CREATE INDEX ON filings_dry_run (chain_no);
CREATE TEMPORARY TABLE filings_dry_refusal (
    job_id int8, unit_id int8, "row" int4, form_no text, received_at timestamptz, errors jsonb
);
CREATE TEMPORARY TABLE filings_dry_repeat (job_id int8, "row" int4, form_no text);
"""
# Of a dry run that was cut off by a restart of the portal, rows may be on record: it once noted them as it went.
_TRIED_ROWS: Final = """
INSERT INTO filings_formrefusal (job_id, unit_id, "row", form_no, received_at, errors)
SELECT job_id, unit_id, "row", form_no, received_at, errors FROM filings_dry_refusal ORDER BY "row"
ON CONFLICT DO NOTHING;
INSERT INTO filings_formrepeat (job_id, "row", form_no)
SELECT job_id, "row", form_no FROM filings_dry_repeat ORDER BY "row"
ON CONFLICT DO NOTHING;
"""
_COLUMNS: Final = {
    "uuid": "uuid", "unit_id": "int8", "job_id": "int8", "row": "int4", "form_no": "text", "chain_no": "text",
    "version": "int2", "supersedes": "text", "day": "date", "received_at": "timestamptz",
    "collected_at": "timestamptz", "late": "bool", "filing_type": "text", "subject_province": "int2",
    "subject_kind": "text", "source": "text", "rule_version": "text", "subject_known": "bool", "digest": "bytea",
    "subject_index": "bytea", "key_id": "int8", "ciphertext": "bytea",
}  # fmt: skip
_REFUSAL_COLUMNS: Final = {
    "job_id": "int8", "unit_id": "int8", "row": "int4", "form_no": "text", "received_at": "timestamptz",
    "errors": "jsonb",
}  # fmt: skip
_REPEAT_COLUMNS: Final = {"job_id": "int8", "row": "int4", "form_no": "text"}
_ADVANCED: Final = (
    "rows", "taken_rows", "accepted", "duplicates", "rejected_rows", "code_counts", "heartbeat_at", "attempts",
)  # fmt: skip
_TRIAL_COLUMNS: Final = {
    "form_no": "text", "digest": "bytea", "chain_no": "text", "version": "int2", "day": "date",
}  # fmt: skip


@dataclass(slots=True)
class Sorted:
    """The rows of a chunk by what becomes of them."""

    taken: list[tuple[Candidate, Verdict]] = field(default_factory=list)
    supplements: list[supplements.Supplement] = field(default_factory=list)
    repeats: list[Candidate] = field(default_factory=list)
    refused: list[tuple[Candidate, tuple[ErrorItem, ...]]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.taken) + len(self.supplements)


def prepare_trial() -> None:
    """Give this connection the temporary tables in which a dry run remembers its own rows, and what became of them."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIAL)


def record_trial() -> None:
    """Put on record the refused and repeated rows of the dry run that ends on this connection.

    Not before: an attempt that is cut off takes them along, and the next one may come to others.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRIED_ROWS)


@transaction.atomic
def load_chunk(
    *,
    job_id: int,
    rows: Sequence[Candidate],
    context: UnitContext,
    keep_refused: KeepRefused,
) -> bool:
    """Take one chunk; returns False when another process has taken these rows already.

    ``keep_refused`` is handed the chunk's first row number and its refused rows, which may be none, before the commit,
    so that none is recorded without its content.
    """
    _lock(UploadJob.unscoped.values_list("unit_id", flat=True).get(pk=job_id))
    job = UploadJob.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=job_id)
    if job.taken_rows != rows[0].number - 1:
        return False
    _take(job, rows, context, keep_refused)
    job.save(update_fields=_ADVANCED)
    return True


def load_whole(
    *,
    job: UploadJob,
    rows: Sequence[Candidate],
    context: UnitContext,
    keep_refused: KeepRefused,
) -> None:
    """Take all rows of a job that this transaction has opened; its next step saves how far it is."""
    _lock(job.unit_id)
    _take(job, rows, context, keep_refused)


def _lock(unit_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOAD_LOCK, unit_id])


def _take(
    job: UploadJob,
    rows: Sequence[Candidate],
    context: UnitContext,
    keep_refused: KeepRefused,
) -> None:
    outcome = _sort(job, rows, context)
    if job.dry_run:
        copy_rows("filings_dry_run", _TRIAL_COLUMNS, map(_trial_row, outcome.taken))
    else:
        _store(job, outcome, context)
    keep_refused(rows[0].number, [row for row, _errors in outcome.refused])
    if outcome.refused:
        refusals = (_refusal_row(job, row, errors) for row, errors in outcome.refused)
        copy_rows("filings_dry_refusal" if job.dry_run else "filings_formrefusal", _REFUSAL_COLUMNS, refusals)
    if outcome.repeats:
        repeats = ((job.pk, row.number, row.form_no) for row in outcome.repeats)
        copy_rows("filings_dry_repeat" if job.dry_run else "filings_formrepeat", _REPEAT_COLUMNS, repeats)
    _advance(job, rows, outcome)


def _sort(job: UploadJob, rows: Sequence[Candidate], context: UnitContext) -> Sorted:
    ledger = _ledger(job, rows, context)
    desk = supplements.Desk(job.unit_id, rows)
    outcome = Sorted()
    for row in rows:
        if row.makes_form:
            verdict = ledger.judge(row)
            if verdict.errors:
                outcome.refused.append((row, verdict.errors))
            elif verdict.repeat:
                outcome.repeats.append(row)
            else:
                outcome.taken.append((row, verdict))
            continue
        judged = desk.judge(row)
        if judged is None:
            outcome.repeats.append(row)
        elif judged.errors:
            outcome.refused.append((row, judged.errors))
        else:
            outcome.supplements.append(judged)
    return outcome


def _ledger(job: UploadJob, rows: Sequence[Candidate], context: UnitContext) -> Ledger:
    """The stored forms that these rows repeat, contradict or correct."""
    numbers = {row.form_no for row in rows} | {row.supersedes for row in rows} - {""}
    found = {form.form_no: form for form in _stored(job, "form_no = ANY(%(values)s)", values=list(numbers))}
    corrected = {found[row.supersedes].chain_no for row in rows if row.supersedes in found}
    chains = _stored(job, "chain_no = ANY(%(values)s)", values=list(corrected)) if corrected else ()
    ledger = Ledger([*found.values(), *chains], context.received_at)
    for key in {row.chain_key for row in rows} - {None}:
        # The number of a V3.0 form is its chain's key and a digest: "." is the character after "-".
        span = "chain_no >= %(low)s AND chain_no < %(high)s"
        for form in _stored(job, span, _OF_RECORDS, low=f"{key}-", high=f"{key}."):
            ledger.add(form, key)
    return ledger


def _stored(job: UploadJob, where: str, beyond: str = "", /, **values: Any) -> list[Stored]:
    """The forms of the job's unit, and those it has tried; ``beyond``: a condition for those that are stored."""
    tried = _TRIED.format(where=where) if job.dry_run else ""
    statement = _STORED.format(where=where, beyond=beyond) + tried
    with connection.cursor() as cursor:
        cursor.execute(statement, {"unit": job.unit_id, **values})
        return [Stored(no, bytes(digest), chain, version, day) for no, digest, chain, version, day in cursor]


def _store(job: UploadJob, outcome: Sorted, context: UnitContext) -> None:
    month = local_day(context.received_at).replace(day=1)
    key = storage.month_key(unit_id=job.unit_id, month=month)
    data_key = storage.data_key(key)
    ordered = sorted(outcome.taken, key=lambda pair: pair[0].form_no)
    late = context.received_late
    with deltas.arriving(unit_id=job.unit_id, arrivals=[_arrival(job, *pair, late) for pair in ordered]):
        copy_rows("filings_verificationform", _COLUMNS, _form_rows(job, ordered, context, key, data_key))
    for row, _verdict in ordered:
        if row.attachments:
            supplements.keep_pictures(job=job, row=row, form_no=row.form_no, key=key, data_key=data_key)
    for supplement in outcome.supplements:
        supplements.keep(job=job, supplement=supplement, key=key, data_key=data_key)
    subjects.note(unit_id=job.unit_id, rows=(row for row, _verdict in ordered))


def _arrival(job: UploadJob, row: Candidate, verdict: Verdict, late: bool) -> deltas.Arrival:
    province = row.province or job.unit.province
    return deltas.Arrival(verdict.chain_no, verdict.version, verdict.day, province, row.subject_kind, late)


def _form_rows(
    job: UploadJob,
    taken: Iterable[tuple[Candidate, Verdict]],
    context: UnitContext,
    key: UnitMonthKey,
    data_key: bytes,
) -> Iterator[tuple[Any, ...]]:
    """The rows of the table of forms. Each step is done for some hundred rows at once, as in ``intake.sound``."""
    late, home = context.received_late, job.unit.province
    for some in batched(taken, SEALED_AT_ONCE):
        uuids = [uuid4() for _pair in some]
        indexes = [
            crypto.certificate_index(*row.certificate) if row.certificate else b"" for row, _verdict in some
        ]
        sealed = [
            storage.close_content(data_key, uuid, canonical=row.canonical, raw=row.raw)
            for uuid, (row, _verdict) in zip(uuids, some, strict=True)
        ]
        for uuid, index, ciphertext, (row, verdict) in zip(uuids, indexes, sealed, some, strict=True):
            yield (
                uuid,
                job.unit_id,
                job.pk,
                row.number,
                row.form_no,
                verdict.chain_no,
                verdict.version,
                verdict.supersedes,
                verdict.day,
                context.received_at,
                row.collected_at,
                late,
                row.filing_type,
                row.province or home,  # a subject not known yet is shown where the unit is at home
                row.subject_kind,
                job.format,
                RULE_VERSION,
                row.subject_known,
                row.digest,
                index,
                key.pk,
                ciphertext,
            )


def _trial_row(pair: tuple[Candidate, Verdict]) -> tuple[Any, ...]:
    row, verdict = pair
    return row.form_no, row.digest, verdict.chain_no, verdict.version, verdict.day


def _refusal_row(job: UploadJob, row: Candidate, errors: Iterable[ErrorItem]) -> tuple[Any, ...]:
    kept = Jsonb([_kept(error) for error in errors])
    return job.pk, job.unit_id, row.number, row.form_no, job.received_at, kept


def _kept(error: ErrorItem) -> dict[str, Any]:
    """An error without any value of the row: code, place, and what the rule itself says (a limit, a unit of size)."""
    kept: dict[str, Any] = {"code": error.code, "field": error.field}
    if error.params:
        kept["params"] = dict(error.params)
    if error.national is not None:
        kept["national"] = error.national
    return kept


def _advance(job: UploadJob, rows: Sequence[Candidate], outcome: Sorted) -> None:
    """Note how far the job is, which the caller saves (``_ADVANCED``): a restart goes on from here."""
    codes = Counter(job.code_counts)
    for _row, errors in outcome.refused:
        codes.update({error.code for error in errors})
    counts = {
        "accepted": outcome.accepted,
        "duplicates": len(outcome.repeats),
        "rejected": len(outcome.refused),
    }
    job.rows = job.taken_rows = rows[-1].number
    job.accepted += counts["accepted"]
    job.duplicates += counts["duplicates"]
    job.rejected_rows += counts["rejected"]
    job.code_counts = dict(sorted(codes.items()))
    job.heartbeat_at = clock.security_now()
    if not job.dry_run:  # which does not go on from here
        job.attempts = 0
    span = {"first_row": rows[0].number, "last_row": rows[-1].number}
    audit.record(action="upload-job.load", actor=LOADER, subject=job, detail=span | counts)


def chunks[T](
    items: Iterable[T], *, most: int, most_bytes: int, weigh: Callable[[T], int]
) -> Iterator[list[T]]:
    """Cut a stream into chunks that hold at most so many items and, but for one item, so many bytes."""
    chunk: list[T] = []
    size = 0
    for item in items:
        weight = weigh(item)
        if chunk and (len(chunk) >= most or size + weight > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += weight
    if chunk:
        yield chunk
