"""Lists as spreadsheets: short ones at once, long ones by a job (C08). Every export is on record."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from pilot import clock, inventory, watermark
from pilot.actors import Actor
from pilot.database import AWAY
from pilot.errors import Refused
from pilot.models import Export, Notice, Person
from pilot.rules import local_day
from pilot.selectors import people
from pilot.services import audit, export_limits, outbox, workbooks

AT_ONCE: Final = 1_000  # rows written while the reader waits
MOST: Final = 100_000  # rows of one export
KEPT: Final = inventory.period("export")
SILENT: Final = timedelta(minutes=10)  # without a sign of life it is taken up anew; longer than a job may run
MOST_TRIES: Final = 3
STEP: Final = 500  # rows between two signs of life
CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """A list ready to be written: what it is called, its headings, how many rows it has, and how they are read."""

    title: str
    headings: Sequence[str]
    total: int
    rows: Iterable[Sequence[Any]]
    personal: bool = False  # whether a column holds (masked) data of natural persons
    most: int | None = (
        None  # rows of one export, where it is not ``MOST``: for a list that cannot be asked for in parts
    )


type Reader = Callable[[str, Actor, str, str], Table]


@dataclass(frozen=True, slots=True)
class OwnList:
    """A list that is no machine's: what it is called, how it is read, and where its page is for a query.

    ``asked`` is what of an address the list knows, which makes its query; ``read`` raises :class:`Refused` where the
    actor may not open the list or the query is none.
    """

    label: Any
    asked: Callable[[QueryDict], dict[str, str]]
    read: Reader
    address: Callable[[str], str]


_readers: list[Reader] = []
_own: dict[str, OwnList] = {}


def reads_lists(reader: Reader) -> Reader:
    """Decorator: ``reader(machine, actor, query, columns)`` is how the job gets at the list of a machine.

    The lists stand above the services, so they hand themselves down. The reader raises :class:`Refused` when the
    actor may not open the list.
    """
    _readers[:] = [reader]
    return reader


def offer(name: str, own: OwnList) -> None:
    """Let a list that is no machine's be written by the job; ``name`` stands in its exports instead of a machine."""
    _own[name] = own


def own_list(name: str) -> OwnList | None:
    """The list offered under this name; None where a machine has it."""
    return _own.get(name)


def file_name(title: str) -> str:
    """事项_日期.xlsx, by business time."""
    return f"{title}_{local_day(clock.now()):%Y%m%d}.xlsx"


def write_at_once(*, table: Table, machine: str, query: str, actor: Actor, reason: str = "") -> bytes:
    """A short list as a workbook. Raises as :func:`export_limits.check`."""
    buffer = io.BytesIO()
    with export_limits.attempt(actor=actor, machine=machine):
        export_limits.check(actor=actor, rows=table.total, personal=table.personal, reason=reason)
        count = workbooks.write_list(
            buffer,
            headings=table.headings,
            rows=table.rows,
            title=table.title,
            taken_by=watermark.words(actor),
        )
        _on_record(actor, machine, query, count, table, reason)
    return buffer.getvalue()


def request(
    *, actor: Actor, machine: str, table: Table, query: str, columns: str, language: str, reason: str = ""
) -> Export:
    """Have a long list written by a job; one that is already under way for the same rows is not begun again.

    Raises :class:`Refused` above ``MOST`` rows (or the list's own bound), and as :func:`export_limits.check`.
    """
    chosen = {"machine": machine, "query": query, "columns": columns, "language": language}
    with export_limits.attempt(actor=actor, machine=machine):
        return _request(actor, table, reason, chosen)


def _request(actor: Actor, table: Table, reason: str, chosen: dict[str, str]) -> Export:
    most = table.most or MOST
    if table.total > most:
        raise Refused(_("一次最多导出 %(n)s 条，请缩小筛选范围") % {"n": f"{most:,}"})
    Person.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.acting_person)
    same: Export | None = _unfinished().filter(membership=actor.membership_id, **chosen).first()
    if same is not None:
        return same
    export_limits.check(actor=actor, rows=table.total, personal=table.personal, reason=reason)
    export: Export = Export.unscoped.create(
        membership_id=actor.membership_id,
        total=table.total,
        requested_at=clock.security_now(),
        name=file_name(table.title),
        **chosen,
    )
    _on_record(actor, chosen["machine"], chosen["query"], table.total, table, reason, subject=export)
    outbox.post_task("pilot.tasks.write_export", export_id=export.pk)
    return export


def write(*, export_id: int, run: str = "", again: bool = False) -> bool:
    """Write one export; False when there is nothing to do: finished, failed, given up, gone, or somebody is at it.

    ``run`` is the task that asks, ``again`` that it asks once more because the database was away. Raises the
    database's error when it is away; that ends nothing.
    """
    if run and again:
        _give_back(export_id, run)  # which it could not when the database went
    export = _take(export_id, run)
    if export is None:
        return False
    try:
        _write(export)
    except AWAY:
        with suppress(*AWAY):
            _give_back(export_id, run)
        raise
    return True


def _write(export: Export) -> None:
    member = people.in_force().filter(pk=export.membership_id).first()
    try:
        if member is None:
            raise Refused(Export.Failure.ROLE_OVER.label)
        # One clock for all rows, read once.
        with translation.override(export.language), clock.steady():
            actor = member.as_actor(channel="job")
            own = own_list(export.machine)
            read = own.read if own else _readers[0]
            table = read(export.machine, actor, export.query, export.columns)
            digest, size, count = _to_disk(export, table, watermark.words(actor))
    except Refused:
        _end(export, failed=Export.Failure.ROLE_OVER)
    except AWAY:
        raise  # the database is away, which is no fault of this export
    except Exception:
        _end(export, failed=Export.Failure.BROKEN)
        raise
    else:
        _end(export, sha256=digest, size=size, written=count)


def read(*, export: Export, actor: Actor) -> bytes:
    """The finished file; the reading is on record. Raises ``OSError`` when it is gone or was changed."""
    content = path_of(export).read_bytes()
    if hashlib.sha256(content).hexdigest() != export.sha256:
        raise OSError(f"export {export.pk} was changed")
    audit.record(action="list.export_read", actor=actor, subject=export)
    return content


def sweep() -> int:
    """Forget exports whose time is over, with their files, and take up those left lying; returns how many."""
    now = clock.security_now()
    old = list(Export.unscoped.filter(requested_at__lt=now - KEPT))
    for export in old:
        path_of(export).unlink(missing_ok=True)
        export.delete()
    left = (
        _unfinished().annotate(sign=Coalesce(F("seen_at"), F("requested_at"))).filter(sign__lt=now - SILENT)
    )
    return len(old) + sum(write(export_id=pk) for pk in list(left.values_list("pk", flat=True)))


def path_of(export: Export) -> Path:
    """Where the file of an export lies; its name on disk comes from no one's input."""
    return Path(settings.MEDIA_ROOT) / "exports" / f"{export.pk}.xlsx"


def _unfinished() -> QuerySet[Export]:
    rows: QuerySet[Export] = Export.unscoped.filter(finished_at__isnull=True, failed="")
    return rows


@transaction.atomic
def _take(export_id: int, run: str = "") -> Export | None:
    """Claim an export for this worker (house rule 12): a silent one, and only if nobody else is just claiming it.

    Beginnings are counted, not failures, so that one that kills its worker ends as well.
    """
    now = clock.security_now()
    free = Q(seen_at__isnull=True) | Q(seen_at__lt=now - SILENT)
    rows = _unfinished().filter(free, pk=export_id).select_for_update(of=("self",), skip_locked=True)
    export = rows.first()
    if export is None:
        return None
    if export.attempts >= MOST_TRIES:
        logger.error("gave up export %s", export_id)
        _end(export, failed=Export.Failure.BROKEN)
        return None
    export.attempts += 1
    export.seen_at, export.taken_by = now, run
    export.save(update_fields=["seen_at", "taken_by", "attempts"])
    return export


def _give_back(export_id: int, run: str) -> None:
    """Let whoever comes first go on, as if this task had not begun: only the database kept it from an end.

    The claim of a sweep (without ``run``) stands: it does not ask again at once.
    """
    mine = _unfinished().filter(pk=export_id, taken_by=run)
    mine.update(taken_by="", attempts=F("attempts") - 1, **({"seen_at": None} if run else {}))


def _to_disk(export: Export, table: Table, taken_by: str) -> tuple[str, int, int]:
    """Digest, bytes and rows of the file, written aside and renamed: whole or not."""
    path = path_of(export)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            rows = _with_signs(export, table.rows)
            count = workbooks.write_list(
                file, headings=table.headings, rows=rows, title=table.title, taken_by=taken_by
            )
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return digest, size, count


def _with_signs(export: Export, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows, with a sign of life and the progress every ``STEP`` of them."""
    for number, row in enumerate(rows, start=1):
        if number % STEP == 0:
            Export.unscoped.filter(pk=export.pk).update(written=number, seen_at=clock.security_now())
        yield row


@transaction.atomic
def _end(export: Export, *, failed: str = "", sha256: str = "", size: int = 0, written: int = 0) -> None:
    """Record how it ended and tell whoever asked."""
    now = clock.security_now()
    Export.unscoped.filter(pk=export.pk).update(
        finished_at=None if failed else now, failed=failed, sha256=sha256, size=size, written=written
    )
    with translation.override(export.language):
        subject = _("导出未完成：%(name)s") if failed else _("导出已完成：%(name)s")
        Notice.objects.create(
            person_id=export.membership.person_id,
            subject=subject % {"name": export.name},
            url=f"/exports/{export.pk}/",
            at=clock.now(),
            visible_from=now,
            source=f"export:{export.pk}",
        )


def _on_record(
    actor: Actor,
    machine: str,
    query: str,
    count: int,
    table: Table,
    reason: str,
    subject: Export | None = None,
) -> None:
    detail: dict[str, Any] = {"machine": machine, "filter": query, "rows": count}
    if table.personal:
        detail |= {"personal": True, "reason": reason}
    audit.record(
        action=export_limits.EXPORT,
        actor=actor,
        subject=subject,
        object_type="export" if subject else "list",
        object_id=str(subject.pk) if subject else machine,
        detail=detail,
    )
