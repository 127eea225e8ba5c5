"""Documents the portal makes: rendered, stored by hash outside the web root, recorded for good."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from pilot import clock, disk
from pilot.actors import Actor
from pilot.errors import ContentDestroyed
from pilot.machines import Case
from pilot.models import AuditEntry, Document
from pilot.pdf import render_pdf
from pilot.services import audit

DESTROYED = "document.destroy"
PDF = "application/pdf"
TEXT = "text/plain; charset=utf-8"
WAITING = ".waiting"
SUFFIXES = {
    PDF: "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    TEXT: "txt",
}  # else: a workbook
OTHER_STORES: Final = {
    "filings.nationalfile",
    "filings.picturecontent",
    "filings.uploadjob",
    "pilot.export",
}
"""Models whose ``sha256`` names content that does not lie here. Of any other model it keeps the file."""


def suffix_of(content_type: str) -> str:
    """How the name of a document's file ends."""
    return SUFFIXES.get(content_type, "xlsx")


def put_bytes(content: bytes) -> str:
    """Store content under its SHA-256 and return the digest (hex). Written aside, synced and renamed: whole or not.

    Inside a transaction it waits under a name of its own until the row that names it has committed: what bears its
    final name is on record. What nobody came back for :mod:`pilot.services.leftovers` clears up.
    """
    digest = hashlib.sha256(content).hexdigest()
    _lock(digest, "pg_advisory_xact_lock_shared")
    if _final(digest).exists():
        return digest
    waiting = waiting_of(digest)
    waiting.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _kept_waiting(waiting):
        disk.keep_whole(waiting, content)
    transaction.on_commit(partial(settle, digest), robust=True)
    return digest


def _kept_waiting(waiting: Path) -> bool:
    """Whether content of another transaction waits there already; if so it counts as new again."""
    with shelf(waiting):
        if waiting.exists():
            os.utime(waiting)
            return True
    return False


def settle(digest: str) -> None:
    """Give content its final name: the row that names it has committed. Without it nothing happens."""
    with suppress(FileNotFoundError):  # another transaction with the same content was first
        waiting_of(digest).replace(_final(digest))


@contextmanager
def shelf(path: Path) -> Iterator[None]:
    """Nobody clears up in this file's folder meanwhile, and nobody else looks there for what waits."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def path_of(digest: str) -> Path:
    """Where content with this digest lies. Only hex digests come here, so no name from a user reaches the disk."""
    final = _final(digest)
    if not final.exists() and (waiting := waiting_of(digest)).exists():
        return waiting
    return final


def waiting_of(digest: str) -> Path:
    """Where content waits for the commit of the row that names it."""
    return _final(digest).with_suffix(WAITING)


def _final(digest: str) -> Path:
    return Path(settings.MEDIA_ROOT) / digest[:2] / f"{int(digest, 16):064x}"


def forget(digest: str) -> None:
    """Take content off the disk for good."""
    for path in (_final(digest), waiting_of(digest)):
        path.unlink(missing_ok=True)


def forget_unless_needed(digests: Collection[str], *, without: models.QuerySet[Any]) -> None:
    """Take content off the disk for good that no row names but those of ``without``. Safe beside its writers."""
    for digest in sorted(digests):
        with transaction.atomic():
            _lock(digest, "pg_advisory_xact_lock")
            if not needed({digest}, without=without):
                forget(digest)


def needed(digests: Collection[str], *, without: models.QuerySet[Any] | None = None) -> set[str]:
    """Those of these digests that a row of any table names, but for the rows of ``without``."""
    kept: set[str] = set()
    for model in _naming():
        rows = model._base_manager.filter(sha256__in=digests)
        if without is not None and model is without.model:
            rows = rows.exclude(pk__in=without.values("pk"))
        kept.update(rows.values_list("sha256", flat=True))
    return kept


def _naming() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        with suppress(FieldDoesNotExist):
            model._meta.get_field("sha256")
            if model._meta.label_lower not in OTHER_STORES:
                yield model


def _lock(digest: str, function: str) -> None:
    """Writers share the lock until their row has committed; who takes content away has it alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [int(digest[:15], 16)])


def read_bytes(digest: str) -> bytes:
    """The stored content; raises ``OSError`` when it is gone or no longer has its digest."""
    try:
        content = path_of(digest).read_bytes()
    except FileNotFoundError:  # a commit may have given it its final name meanwhile
        content = path_of(digest).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise OSError(f"stored file {digest[:12]}… was changed")
    return content


def content_of(document: Document) -> bytes:
    """The file of a document; raises :class:`ContentDestroyed` after retention, ``OSError`` when it was lost."""
    try:
        return read_bytes(document.sha256)
    except FileNotFoundError:
        on_record = AuditEntry.objects.filter(
            action=DESTROYED, object_type="document", object_id=str(document.pk)
        )
        if on_record.exists():
            raise ContentDestroyed(_("内容已销毁")) from None
        raise


def record_destroyed(*, actor: Actor, document: Document) -> None:
    """Put on record that the file of a document goes; the row itself stays, and so does its digest."""
    audit.record(action=DESTROYED, actor=actor, subject=document)


def render(template: str, context: Mapping[str, Any], *, title: str) -> bytes:
    """The PDF of a template, marked where this is a demonstration; nothing is kept."""
    return render_pdf(template, {**context, "demo_mark": clock.is_demo()}, title=title)


@transaction.atomic
def make(
    *,
    case: Case,
    kind: str,
    title: str,
    template: str,
    context: Mapping[str, Any],
    at: datetime | None = None,
) -> Document:
    """Render a PDF for a case and keep it. The file is on disk before the row that names it commits."""
    content = render(template, context, title=title)
    return keep(case=case, kind=kind, title=title, content=content, at=at)


@transaction.atomic
def keep(
    *,
    case: Case,
    kind: str,
    title: str,
    content: bytes,
    content_type: str = "application/pdf",
    at: datetime | None = None,
) -> Document:
    """Keep finished content (PDF, picture or table) as a document of a case."""
    return Document.objects.create(
        machine=case.slug(),
        object_id=case.pk,
        case_key=case.case_key,
        kind=kind,
        title=title,
        sha256=put_bytes(content),
        size=len(content),
        content_type=content_type,
        made_at=at or clock.now(),
    )
