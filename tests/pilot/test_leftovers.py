"""What waits on disk for a commit: settled by it, gone without it, and cleared up when nobody comes back (F09, F10)."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from pilot import clock
from pilot.models import Document, Programme
from pilot.services import documents
from pilot.services.leftovers import ABANDONED_AFTER
from pilot.tasks import clear_leftovers


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


def names(disk: Path) -> list[str]:
    return sorted(str(path.relative_to(disk)) for path in disk.glob("*/*"))


def grow_old(disk: Path) -> None:
    moment = (clock.security_now() - ABANDONED_AFTER - timedelta(seconds=1)).timestamp()
    for path in disk.glob("*/*"):
        os.utime(path, (moment, moment))


def row(digest: str) -> Document:
    return Document.objects.create(
        machine="application",
        object_id=1,
        case_key="0" * 32,
        kind="proof",
        sha256=digest,
        size=1,
        made_at=clock.now(),
    )


def name_of(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest}"


@pytest.mark.django_db(transaction=True)
def test_content_gets_its_name_with_the_commit_and_not_without(disk: Path) -> None:
    with transaction.atomic():
        digest = documents.put_bytes(b"kept")
        assert names(disk) == [f"{name_of(b'kept')}.waiting"]
        assert documents.read_bytes(digest) == b"kept"
        with closing(connection.copy()) as other, other.cursor() as cursor:  # who takes content away waits
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int(digest[:15], 16)])
            assert cursor.fetchone() == (False,)
    assert names(disk) == [name_of(b"kept")]
    with suppress(ZeroDivisionError), transaction.atomic():
        lost = documents.put_bytes(b"lost")
        raise ZeroDivisionError
    assert names(disk) == sorted([name_of(b"kept"), f"{name_of(b'lost')}.waiting"])
    grow_old(disk)
    with transaction.atomic():  # the same content comes again: it is new again, so nobody clears it away
        assert documents.put_bytes(b"lost") == lost
        assert clear_leftovers() == {"settled": 0, "removed": 0}
    assert names(disk) == sorted(map(name_of, (b"kept", b"lost")))
    assert documents.put_bytes(b"alone") == name_of(b"alone")[3:]
    assert (disk / name_of(b"alone")).read_bytes() == b"alone"


def test_what_nobody_came_back_for_is_settled_or_removed(disk: Path, programme: Programme) -> None:
    """The test's transaction stays open, so nothing is settled by a commit: as if every writer had died."""
    row(documents.put_bytes(b"committed"))
    documents.put_bytes(b"rolled back")
    (disk / name_of(b"rolled back")).with_name("tmp12345678").write_bytes(b"half")
    before = names(disk)
    assert clear_leftovers() == {"settled": 0, "removed": 0}
    assert names(disk) == before
    grow_old(disk)
    assert clear_leftovers() == {"settled": 1, "removed": 2}
    assert names(disk) == [name_of(b"committed")]
    documents.forget(hashlib.sha256(b"committed").hexdigest())
    assert names(disk) == []


def test_papers_and_forms_half_set_go_too(settings: Any, tmp_path: Path, programme: Programme) -> None:
    settings.VAR = tmp_path
    for folder in ("papers", "forms", "fonts"):
        (tmp_path / folder).mkdir()
        for name in ("tmp12345678", "whole.pdf"):
            (tmp_path / folder / name).write_bytes(b"x")
    assert clear_leftovers() == {"settled": 0, "removed": 0}
    grow_old(tmp_path)
    assert clear_leftovers() == {"settled": 0, "removed": 3}
    assert names(tmp_path) == ["fonts/whole.pdf", "forms/whole.pdf", "papers/whole.pdf"]


def test_content_goes_when_no_other_row_needs_it(disk: Path, programme: Programme) -> None:
    assert sorted(model._meta.label_lower for model in documents._naming()) == [
        "applications.applicationfile",
        "assessment.testresult",
        "pilot.document",
    ]
    mine, other = row(documents.put_bytes(b"shared")), row(documents.put_bytes(b"shared"))
    own = Document.objects.filter(pk=mine.pk)
    documents.forget_unless_needed({mine.sha256}, without=own)
    assert documents.read_bytes(mine.sha256) == b"shared"
    documents.forget_unless_needed({mine.sha256}, without=Document.objects.filter(pk__in=[mine.pk, other.pk]))
    assert names(disk) == []


def test_content_that_gets_its_name_while_it_is_read_is_found(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = documents.put_bytes(b"settled")
    waiting = documents.waiting_of(digest)
    documents.settle(digest)
    looks = iter((waiting, documents.path_of(digest)))
    monkeypatch.setattr(documents, "path_of", lambda _digest: next(looks))
    assert documents.read_bytes(digest) == b"settled"
