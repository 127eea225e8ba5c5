"""The door for files: receive one, process it in chunks, pick up what was left lying.

``process`` may be called by any number of workers and commands at once: a lock that ends with the session makes one
of them the owner, and every chunk commits together with how far the job is, so whoever goes on loses and doubles
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from io import SEEK_END
from pathlib import PurePosixPath
from time import monotonic, sleep
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from django.db import Error as DatabaseFault
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from filings.enums import JobState
from filings.intake.decode import FileFormat, Row, check, column_names, guess_format, read_rows, typed
from filings.intake.lines import Readable
from filings.intake.records import FileRefused, UnitContext
from filings.intake.sound import sound
from filings.intake.versions import Candidate
from filings.models import UploadJob
from filings.models.uploads import BY_REQUEST
from filings.selectors.contexts import unit_context
from filings.services import crypto, loading, rejects, spool, storage
from pilot import clock, problems
from pilot.actors import Actor
from pilot.errors import ContentDestroyed, NotPermitted, Refused
from pilot.models import PilotUnit
from pilot.rules import local_day
from pilot.services import audit, outbox
from pilot.workflow import fire, open_case

JOB_LOCK: Final = 878  # advisory lock class: one process per job
CHUNK_ROWS: Final = 5_000
CHUNK_BYTES: Final = 32 * 1024 * 1024
ERROR_BYTES: Final = 700
"""What one error of a row takes, with what is kept of it."""
JUDGED_AT_ONCE: Final = 200
JUDGED_BYTES: Final = 1024 * 1024
"""As they were sent; in Python's objects rows may take twenty times as much."""
MOST_REFUSED: Final = 100_000
"""Rows of one file, as many as the country has forms in a month: three bytes of a file cost a kilobyte kept here."""
PASS_SECONDS: Final = 240
"""A worker hands a long job on after this time, well inside the time limit of a task."""
SILENT_AFTER: Final = timedelta(seconds=60)
ABANDONED_AFTER: Final = timedelta(hours=1)
PIECES_KEPT: Final = timedelta(hours=24)
"""How long an upload waits for its next piece."""
TRIED_KEPT: Final = timedelta(hours=24)
"""How long the file of a dry run can be handed in for real."""
LARGEST_FILE: Final = 2 * 1024**3
MAX_ATTEMPTS: Final = 3
RESTART: Final = (0, 1, 2, 4)
"""Seconds for which a database that went away is waited for, one after the other."""
OPEN_STATES: Final = (JobState.RECEIVED, JobState.PROCESSING)
_PICTURES: Final = re.compile(rb"(<(?:Fjnr|Spwj)>)[^<]*")
_COUNTS: Final = ("rows", "taken_rows", "accepted", "duplicates", "rejected_rows")


class FileNotTaken(Refused):
    """A file refused as a whole; ``code`` names the fault, ``national`` the code of the V3.0 interface, if any."""

    def __init__(self, fault: FileRefused) -> None:
        super().__init__(fault.message(get_language() or "zh"))
        self.code = fault.code
        self.national = fault.national


class Waiting(NamedTuple):
    """A file in the spool that no job names yet."""

    key: UUID
    spooled: spool.Spooled


def receive_upload(
    *,
    actor: Actor,
    unit: PilotUnit,
    source: Readable,
    name: str,
    format: str = "",
    encoding: str = "utf-8",
    received_at: datetime | None = None,
    dry_run: bool = False,
) -> UploadJob:
    """Take in a file of forms and have it processed; returns the job.

    An empty ``format`` is told from name and content. ``received_at`` (business time, default now) lets officials
    enter what came in earlier; that is audited. Raises :class:`FileNotTaken` for a fault at the head of the file,
    :class:`Refused` or :class:`NotPermitted` for anything else; then nothing is stored.
    """
    _judge_receipt(actor=actor, unit=unit, received_at=received_at)
    return receive_waiting(
        actor=actor,
        unit=unit,
        waiting=take_in(source),
        name=name,
        format=format,
        encoding=encoding,
        received_at=received_at,
        dry_run=dry_run,
    )


def take_in(source: Readable) -> Waiting:
    """Write a file to the spool as it arrives. Whoever does not register it forgets it (``spool.remove``)."""
    key = uuid4()
    try:
        return Waiting(key, spool.write_upload(key, source))
    except BaseException:
        spool.remove(key)
        raise


def receive_waiting(
    *,
    actor: Actor,
    unit: PilotUnit,
    waiting: Waiting,
    name: str,
    format: str = "",
    encoding: str = "utf-8",
    received_at: datetime | None = None,
    arrived_at: datetime | None = None,
    dry_run: bool = False,
) -> UploadJob:
    """Register a file that lies in the spool; as :func:`receive_upload`. ``arrived_at`` is the door's own stamp."""
    key, spooled = waiting
    try:
        _judge_receipt(actor=actor, unit=unit, received_at=received_at)
        file_format = judge_head(key, unit, name=name, stated=format, encoding=encoding)
        job = UploadJob(
            case_key=key,
            unit=unit,
            source_name=_shown_name(name),
            format=file_format,
            encoding=encoding if file_format is FileFormat.CSV else "",
            sha256=spooled.sha256,
            size=spooled.size,
            received_at=received_at or arrived_at or clock.now(),
            dry_run=dry_run,
            heartbeat_at=clock.security_now(),
        )
        _register(job, actor=actor, backfilled=received_at is not None)
    except FileRefused as fault:
        spool.remove(key)
        raise FileNotTaken(fault) from fault
    except DatabaseFault:
        raise  # the job may be there: a connection that breaks at the commit does not tell; else ``tidy`` forgets it
    except Exception:  # an interruption may strike right after the commit: then too the job is there
        spool.remove(key)
        raise
    return job


def hand_in(
    *, actor: Actor, file: Any, format: str, encoding: str, dry_run: bool, at: datetime | None = None
) -> UploadJob:
    """Receive a file from a provider's browser, for the unit of its organisation; raises as :func:`receive_upload`.

    ``file`` is one that lies in the spool already (``filings.receiving.SpooledFile``), or any that can be read;
    ``at`` is when its request arrived, however long the file took from then on.
    """
    unit = unit_of(actor)
    return receive_waiting(
        actor=actor,
        unit=unit,
        waiting=file.take() if hasattr(file, "take") else take_in(file),
        name=file.name,
        format=format,
        encoding=encoding,
        arrived_at=at,
        dry_run=dry_run,
    )


def unit_of(actor: Actor) -> PilotUnit:
    """The pilot unit of a provider's organisation; raises :class:`Refused` for one that is in no register."""
    unit: PilotUnit | None = (
        PilotUnit.unscoped.filter(organisation=actor.organisation_id).order_by("-pk").first()
    )
    if unit is None:
        raise Refused(_("本单位不在试点单位名录中，不能上报核验单"))
    return unit


@audit.denials_recorded("upload-job.open")
def _judge_receipt(*, actor: Actor, unit: PilotUnit, received_at: datetime | None) -> None:
    if actor.is_provider and actor.organisation_id != unit.organisation_id:
        raise NotPermitted(_("只能上报本单位的核验单"))
    if received_at is None:
        return
    if actor.is_provider:
        raise NotPermitted(_("接收时间由系统记录，不能自行填写"))
    if received_at > clock.now():
        raise Refused(_("接收时间不得晚于当前业务时间"))
    if storage.is_destroyed(unit_id=unit.pk, month=local_day(received_at).replace(day=1)):
        raise Refused(_("该月的核验单内容已销毁，不能再补录"))


def judge_head(key: UUID, unit: PilotUnit, *, name: str, stated: str, encoding: str) -> FileFormat:
    """The format of a spooled file whose head shows no fault; raises ``FileRefused`` otherwise."""
    with spool.open_upload(key) as stream:
        file_format = FileFormat(stated) if stated else guess_format(name, stream)
        rows = read_rows(stream, file_format, encoding=encoding, national_id=str(unit.national_id))
        next(rows, None)
    return file_format


def _shown_name(name: str) -> str:
    """The last part of a file's name without control characters; it is shown, never used as a path."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(character for character in last if character.isprintable())[:255]
    return f"“{shown}”" if shown == BY_REQUEST else shown


@transaction.atomic
def _register(job: UploadJob, *, actor: Actor, backfilled: bool) -> None:
    open_case(job, actor=actor)
    if backfilled:
        detail = {"received_at": job.received_at.isoformat()}
        audit.record(action="upload-job.backfill", actor=actor, subject=job, detail=detail)
    outbox.post_task("filings.tasks.process_upload", job_id=job.pk)


def process(*, job_id: int, seconds: float | None = None) -> UploadJob:
    """Process a job unless another process has it in hand; returns it as it then is.

    With ``seconds`` the work stops after about that time and is posted anew; a dry run, which cannot be, fails.
    """
    with _claim(job_id) as mine:
        if mine:
            _process(UploadJob.unscoped.get(pk=job_id), seconds)
    return UploadJob.unscoped.get(pk=job_id)


@contextmanager
def _claim(job_id: int) -> Iterator[bool]:
    """Make this session the owner of the job. The lock ends with the session, so a killed worker frees it at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [JOB_LOCK, job_id])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [JOB_LOCK, job_id])
            except DatabaseFault:
                connection.close()  # and the lock with it


def _process(job: UploadJob, seconds: float | None) -> None:
    if job.state not in OPEN_STATES:
        return
    if job.dry_run:
        _begin_trial(job)
    if job.attempts >= MAX_ATTEMPTS:
        if job.dry_run:
            _fail(job, "file.trial_broke_off")
        else:
            _fail(job, "job.broke_off", row=job.taken_rows)
        return
    with _counted(job):
        _attempt(job, seconds)


@contextmanager
def _counted(job: UploadJob) -> Iterator[None]:
    """Count an attempt before it is made, so that one that kills its worker counts too.

    One that was stopped by what passes is taken back: the job waits for room on the disk, for the database and for a
    master key that is missing, however long.
    """
    kept = UploadJob.unscoped.filter(pk=job.pk)
    kept.update(attempts=F("attempts") + 1, heartbeat_at=clock.security_now())
    try:
        yield
    except Exception as error:
        if isinstance(error, crypto.MasterKeyMissing) or problems.of_system(error):
            _take_back(job)
        raise


def _take_back(job: UploadJob) -> None:
    """Of a database in the middle of a restart only the first attempt counts: no other begins before it is back."""
    for pause in RESTART:
        sleep(pause)
        if not connection.is_usable():
            connection.close()  # the next query connects anew
        with suppress(DatabaseFault):
            UploadJob.unscoped.filter(pk=job.pk, attempts__gt=0).update(attempts=F("attempts") - 1)
            return


def _attempt(job: UploadJob, seconds: float | None) -> None:
    if job.state == JobState.RECEIVED:
        fire(job, "start", actor=loading.LOADER)
    job = UploadJob.unscoped.select_related("unit__programme").get(pk=job.pk)
    try:
        complete = _take(job, None if seconds is None else monotonic() + seconds)
    except FileRefused as fault:
        _fail(job, fault.code, **fault.params)
    except (FileNotFoundError, InvalidTag):
        _fail(job, "job.file_lost")
    except ContentDestroyed:
        _fail(job, "job.content_destroyed")
    else:
        if complete:
            _end(job, "finish")
            if not job.dry_run:  # what was tried can be handed in for real without sending it again
                spool.remove_upload(job.case_key)
        elif job.dry_run:  # what it remembers cannot be handed on
            _fail(job, "file.trial_too_long")
        else:
            outbox.post_task("filings.tasks.process_upload", job_id=job.pk)


def _begin_trial(job: UploadJob) -> None:
    """What a dry run remembers is its session's own, until the next one: one that was cut off begins afresh."""
    UploadJob.unscoped.filter(pk=job.pk).update(code_counts={}, **dict.fromkeys(_COUNTS, 0))
    spool.remove_refused(job.case_key)
    loading.prepare_trial()


def _fail(job: UploadJob, fault: str, **params: str | int) -> None:
    taken = UploadJob.unscoped.values_list("taken_rows", flat=True).get(pk=job.pk)
    spool.remove_refused(job.case_key, taken + 1)  # of a chunk that was cut off
    _end(job, "fail", fault=fault, params=params)
    spool.remove_upload(job.case_key)


@transaction.atomic
def _end(job: UploadJob, step: str, **data: Any) -> None:
    if job.dry_run:
        loading.record_trial()
    fire(job, step, actor=loading.LOADER, **data)


def _take(job: UploadJob, until: float | None) -> bool:
    """Take the rows that are not taken yet; returns whether that was all of them."""
    file_format = FileFormat(job.format)
    context = unit_context(job.unit, job.received_at)

    @cache
    def columns() -> list[str]:
        with spool.open_upload(job.case_key) as head:
            return column_names(head, file_format, encoding=job.encoding)

    refused = job.rejected_rows

    def keep_refused(first_row: int, rows: list[Candidate]) -> None:
        nonlocal refused
        spool.remove_refused(job.case_key, first_row)  # of an attempt that was cut off
        if rows:
            rejects.keep(job, columns(), first_row, rows)
            refused += len(rows)

    with spool.open_upload(job.case_key) as stream:
        if stream.seek(0, SEEK_END) != job.size:
            raise InvalidTag
        stream.seek(0)
        raw_rows = read_rows(
            stream, file_format, encoding=job.encoding, national_id=str(job.unit.national_id)
        )
        rows = candidates((raw for raw in raw_rows if raw.number > job.taken_rows), context)
        for chunk in loading.chunks(rows, most=CHUNK_ROWS, most_bytes=CHUNK_BYTES, weigh=_weigh):
            if until is not None and monotonic() > until:
                return False
            if not loading.load_chunk(job_id=job.pk, rows=chunk, context=context, keep_refused=keep_refused):
                return False
            spool.note_reached(job.case_key, stream.tell())
            if refused > MOST_REFUSED:
                raise FileRefused("file.too_many_refused", limit=MOST_REFUSED)
    return True


def candidates(rows: Iterable[Row], context: UnitContext) -> Iterator[Candidate]:
    """Raw rows, each judged by itself and reduced to what loading needs; some hundred at a time (``intake.sound``)."""
    for some in loading.chunks(
        rows, most=JUDGED_AT_ONCE, most_bytes=JUDGED_BYTES, weigh=lambda row: len(row.raw)
    ):
        judged = sound([typed(raw) for raw in some], context)
        digests = [b"" if row is None else crypto.repeat_digest(row.canonical) for row in judged]
        yield from [
            _checked(raw, context) if row is None else Candidate.of_sound(raw.number, row, raw.raw, digest)
            for raw, row, digest in zip(some, judged, digests, strict=True)
        ]


def _weigh(row: Candidate) -> int:
    """About how many bytes a row takes until it is stored."""
    pictures = sum(len(one.content) for one in row.attachments)
    return len(row.raw) + len(row.canonical) + pictures + ERROR_BYTES * len(row.errors)


def _checked(raw: Row, context: UnitContext) -> Candidate:
    row = check(raw, context)
    # Pictures of V3.0 forms are kept apart; a refused record keeps its own, for the unit to correct.
    apart = row.v3 is not None and row.v3.makes_form and not row.errors
    sent = _PICTURES.sub(rb"\1", raw.raw) if apart else raw.raw
    return Candidate.of(row, sent, crypto.repeat_digest(row.digest_source))


@transaction.atomic
def sweep() -> int:
    """Post the jobs again that nobody has touched for a minute; returns how many."""
    now = clock.security_now()
    silent = UploadJob.unscoped.filter(state__in=OPEN_STATES, heartbeat_at__lt=now - SILENT_AFTER)
    jobs = list(silent.select_for_update(skip_locked=True))
    for job in jobs:
        UploadJob.unscoped.filter(pk=job.pk).update(heartbeat_at=now)
        outbox.post_task("filings.tasks.process_upload", job_id=job.pk)
    return len(jobs)


def tidy() -> int:
    """Forget files whose time is over; returns how many jobs lost some.

    Refused rows are kept for 30 days, what was tried for one; what no job names was left by a receipt that broke off.
    """
    now, touched = clock.security_now(), dict(spool.folders())
    pieces = set(spool.unfinished())  # before the jobs: what is handed in meanwhile is one or the other
    jobs = UploadJob.unscoped.filter(case_key__in=touched)
    known = set(jobs.values_list("case_key", flat=True))
    waiting = set(jobs.filter(state__in=OPEN_STATES).values_list("case_key", flat=True))
    tried = jobs.filter(dry_run=True, state=JobState.DONE, heartbeat_at__gt=now - TRIED_KEPT)
    needed = waiting | set(tried.values_list("case_key", flat=True))

    def kept_for(key: UUID) -> timedelta:
        if key in known:
            return rejects.KEPT_FOR
        return PIECES_KEPT if key in pieces else ABANDONED_AFTER

    over = [key for key, at in touched.items() if key not in waiting and now - at > kept_for(key)]
    for key in over:
        spool.remove(key)
    for key in known - needed - set(over):
        spool.remove_upload(key)
    return len(over)
