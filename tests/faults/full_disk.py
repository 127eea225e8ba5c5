"""A disk that is really full (ENOSPC): ``python full_disk.py``, with ``PILOT_VAR`` an empty disk of its own.

Database, files and spool share what little room there is. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pilot import embedded
from tests.faults import own_servers as own

CHUNK = 1024 * 1024
AWAY = 4.0  # seconds for which the database cannot come back


class Disk:
    """What fills the disk of the portal, and gives the room back."""

    ballast = own.VAR / "ballast"

    def fill(self) -> int:
        """Leave not one byte; returns how many are free then.

        Before, the first connection after a migration writes a file of the database's own, and the database begins a
        new piece of its log, where what it does by itself has room. That there may be none is a scene of its own.
        """
        from django.db import connection

        own._until(own._answers)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_switch_wal()")
            cursor.execute("CHECKPOINT")
        with self.ballast.open("ab", buffering=0) as file:
            for step in (CHUNK, 4096, 1):
                with suppress(OSError):
                    while file.write(bytes(step)):
                        pass
        return os.statvfs(own.VAR).f_bavail

    def free(self) -> None:
        self.ballast.unlink()


def play() -> Any:
    from pilot.workflow import fire
    from tests.factories import world
    from tests.faults.outages import portal

    disk = Disk()
    provider = world.provider()
    world.at("2019-04-10 09:00")
    case = fire(_ready_to_submit(provider), "submit", actor=provider, declaration=True)
    world.at("2019-07-01 09:00")
    with portal("web") as one:
        told = {
            "upload": _upload(disk, one),
            "paper": _paper(disk, case),
            "table": _table(disk),
            "log": _log(disk, one),
        }
        told["deaths"] = one.deaths
    return told


def _upload(disk: Disk, one: Any) -> Any:
    """A file comes in while there is no room, and again when there is."""
    from filings.models import UploadJob
    from filings.services import spool
    from pilot.models import IdempotentAnswer
    from tests.faults.outages import whole_answer
    from tests.faults.senders import ask

    body = b"".join(json.dumps(row).encode() + b"\n" for row in own._forms(1_500, seed=9))
    free = disk.fill()
    full = whole_answer(one.port, body, "full-disk")
    reads = [ask(one.port, "GET", path)[0] for path in ("/guide/", "/api/v1/uploads/", "/readyz")]
    left = [UploadJob.unscoped.count(), len(list(spool.folders())), IdempotentAnswer.objects.count()]
    disk.free()
    again = ask(one.port, "POST", "/api/v1/uploads/", body, "full-disk")[0]
    return {"free": free, "full": full, "reads": reads, "left": left, "again": again}


def _ready_to_submit(provider: Any) -> Any:
    from applications.rules.completeness import REQUIRED_FILES
    from applications.services import uploads
    from applications.services.drafts import save_draft, start_application
    from tests.applications import builders

    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, **builders.content_of(provider))
    for kind in REQUIRED_FILES:
        body = builders.pdf(f"{kind} {case.pk}")
        upload = uploads.begin(case=case, actor=provider, kind=kind, name=f"{kind}.pdf", size=len(body))
        upload = uploads.append(upload=upload, actor=provider, offset=0, chunk=body)
        uploads.finish(upload=upload, actor=provider)
    return case


def _paper(disk: Disk, case: Any) -> Any:
    """The receipt of an application is made, and there is no room for it."""
    from applications.documents import make_receipt
    from applications.models import Application, ApplicationVersion
    from pilot.models import Document

    def kept() -> Any:
        media = own.VAR / "files"
        files = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}
        return files, Document.objects.count(), list(Application.unscoped.values())

    version = ApplicationVersion.unscoped.get(application=case).pk
    before = kept()
    disk.fill()
    code = _code_of(lambda: make_receipt(version_id=version))
    same = kept() == before
    disk.free()
    make_receipt(version_id=version)
    return {"code": code, "nothing_left": same, "made_after": Document.objects.count() - before[1]}


def _table(disk: Disk) -> Any:
    """A table grows until the database has no room for the next page."""
    from django.db import connection

    def grow() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE grown AS SELECT repeat(md5(n::text), 40) FROM generate_series(1, 200000) n"
            )

    disk.fill()
    code = _code_of(grow)
    disk.free()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('grown') IS NULL")
        return {"code": code, "nothing_left": cursor.fetchone()[0]}


def _log(disk: Disk, one: Any) -> Any:
    """The database's own log finds no room and it ends; it dies once more while there is none, and its keeper has no
    room for a word about it. When there is room it comes back."""
    from django.db import connection

    from filings.models import UploadJob
    from tests.faults.senders import ask

    def write() -> None:
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_logical_emit_message(false, 'full', repeat('x', 1000000))")

    jobs = UploadJob.unscoped.count()
    disk.fill()
    code = _code_of(write)
    connection.close()
    with suppress(FileNotFoundError, ProcessLookupError):  # on a busy machine it is away already
        own._crash_database()
    away = {ask(one.port, "GET", "/api/v1/uploads/")[0] for _ in _seconds(AWAY)}
    disk.free()
    own._until(lambda: ask(one.port, "GET", "/api/v1/uploads/")[0] == 200)
    body = b"".join(json.dumps(row).encode() + b"\n" for row in own._forms(20, seed=10))
    # Whoever still has a connection to the database that died is told to come again, and does.
    own._until(lambda: ask(one.port, "POST", "/api/v1/uploads/", body, "full-log")[0] == 202)
    connection.close()
    return {"code": code, "away": sorted(away), "jobs": UploadJob.unscoped.count() - jobs}


def _seconds(number: float) -> Iterator[None]:
    end = time.monotonic() + number
    while time.monotonic() < end:
        yield


def _code_of(act: Any) -> str:
    """What a caller would be told of how an act fails."""
    from pilot import problems

    try:
        act()
    except Exception as error:
        return problems.of_system(error) or repr(error)
    return "nothing failed"


def main() -> Any:
    held = embedded.hold(own.VAR, postgres=True, broker=False)
    try:
        own.build()
        return play()
    finally:
        held.release()
        embedded.stop_servers(own.VAR)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    sys.stdout.write("\n" + json.dumps(main()))
