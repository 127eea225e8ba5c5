"""Servers that fail under a portal of its own: ``python own_servers.py SCENE`` in an own ``PILOT_VAR``.

``build`` makes the world once; each other scene breaks something in the middle of uploads, and prints what became of
it as JSON. A process of its own, so that nobody else's database restarts.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VAR = Path(os.environ["PILOT_VAR"])
SECRET = VAR / "api-key"
PATIENCE = 120.0
ROWS, CHUNK = 240, 40


def build() -> Any:
    """The schema, a programme, a unit with a key."""
    from django.core.management import call_command

    from tests.factories import world
    from tests.filings import builders
    from tests.filings.api.caller import issued

    call_command("migrate", verbosity=0)
    programme = world.install()
    unit = builders.enrol(programme, world.provider())
    world.at("2019-07-01 09:00")
    SECRET.write_text(issued(unit).secret)
    return unit.code


def database() -> Any:
    """The database dies before a chunk's commit, and after another's; it comes back by itself each time."""
    from django.db import InterfaceError, OperationalError, connection

    from filings.models import UploadJob, VerificationForm
    from filings.services import loading, uploads

    uploads.CHUNK_ROWS = CHUNK  # type: ignore[misc]
    job, numbers = _receive(ROWS)
    taken = []
    for name, at in (("_advance", 3), ("load_chunk", 2)):
        plain = getattr(loading, name)
        setattr(loading, name, _then(plain, at, _crash_database))
        with contextlib.suppress(OperationalError, InterfaceError):
            uploads.process(job_id=job.pk)
            return "the database did not die"
        setattr(loading, name, plain)
        connection.close()
        _until(_answers)
        taken.append(UploadJob.unscoped.get(pk=job.pk).taken_rows)
    while (done := uploads.process(job_id=job.pk)).state == "processing":
        time.sleep(0.1)
    stored = VerificationForm.unscoped.filter(job=job).values_list("form_no", flat=True)
    return {
        "taken": taken,
        "state": done.state,
        "counts": [done.rows, done.accepted, done.duplicates, done.rejected_rows],
        "each_once": sorted(stored) == sorted(numbers),
    }


def broker() -> Any:
    """No broker when files come in; then one with a worker."""
    from filings.models import UploadJob
    from pilot import embedded
    from pilot.models import OutboxMessage
    from pilot.services import outbox
    from tests.filings.api.caller import Caller

    caller = Caller(SECRET.read_text())
    began = time.monotonic()
    rows = _forms(5, seed=4)
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    answer = caller.post("uploads/", body, content_type="application/x-ndjson", key="broker-1")
    took = time.monotonic() - began
    message = OutboxMessage.objects.filter(target="filings.tasks.process_upload").latest("pk")
    waiting = {"status": answer.status_code, "quick": took < 15, "left": message.sent_at is not None}
    request = caller.post("forms/", rows[:1], key="broker-2").status_code

    embedded.hold(VAR, postgres=False, broker=True)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "pilot.celery",
        "worker",
        "--pool",
        "solo",
        "-l",
        "ERROR",
    ]
    worker = subprocess.Popen(command, cwd=ROOT)
    try:

        def finished() -> bool:
            outbox.relay()
            return UploadJob.unscoped.get(case_key=answer.json()["id"]).state == "done"

        _until(finished)
    finally:
        worker.terminate()
        worker.wait(60)
    job = UploadJob.unscoped.get(case_key=answer.json()["id"])
    return {
        **waiting,
        "request": request,
        "counts": [job.rows, job.accepted, job.duplicates, job.rejected_rows],
    }


def web() -> Any:
    """The web process dies while a file streams in; the sender tries again under the same key."""
    from filings.models import UploadJob
    from filings.services import spool, uploads
    from pilot.models import IdempotentAnswer

    rows = _forms(2_000, seed=3)
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    before = UploadJob.unscoped.count()
    with _web() as (port, process):
        line = _begin(port, len(body))
        line.sendall(body[: len(body) // 2])
        _until(lambda: _bytes_in(spool) > 256 * 1024)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        line.close()
    left = len(list(spool.folders()))
    registered = UploadJob.unscoped.count() - before
    answers = IdempotentAnswer.objects.filter(key="web-1").count()
    kept = uploads.tidy(), len(list(spool.folders()))  # it may belong to a receipt that is under way
    uploads.ABANDONED_AFTER = timedelta(0)  # type: ignore[misc]
    tidied = uploads.tidy(), len(list(spool.folders()))
    with _web() as (port, process):
        line = _begin(port, len(body))
        line.sendall(body)
        status = line.recv(4096).split(b" ", 2)[1].decode()
        line.close()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    job = UploadJob.unscoped.latest("pk")
    job = uploads.process(job_id=job.pk)
    return {
        "registered": registered,
        "answers": answers,
        "left": left,
        "kept": kept,
        "tidied": tidied,
        "status": status,
        "jobs": UploadJob.unscoped.count() - before,
        "accepted": job.accepted,
    }


# --- tools --------------------------------------------------------------------------------------------
def _forms(number: int, seed: int) -> list[dict[str, Any]]:
    from filings.synthetic import make_forms
    from pilot.models import PilotUnit
    from tests.factories import world

    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }
    code = PilotUnit.unscoped.get().code
    return [form.record for form in make_forms(number, unit_code=code, seed=seed, **span)]


def _receive(number: int) -> tuple[Any, list[str]]:
    from filings.services import uploads
    from pilot.models import PilotUnit
    from tests.factories import world
    from tests.filings import builders

    rows = _forms(number, seed=1)
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=PilotUnit.unscoped.get(),
        source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        name="forms.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    return job, [row["form_no"] for row in rows]


def _then(plain: Callable[..., Any], at: int, act: Callable[[], None]) -> Callable[..., Any]:
    """The function, followed by an act at its call number ``at``."""
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = plain(*args, **kwargs)
        if calls == at:
            act()
        return result

    return counted


def _crash_database() -> None:
    """What ``pg_ctl stop -m immediate`` does: no checkpoint, no farewell."""
    from pilot.embedded.layout import Layout
    from pilot.embedded.postgres import Postgres

    lock = Postgres(Layout.of(VAR)).data / "postmaster.pid"
    os.kill(int(lock.read_text().split()[0]), signal.SIGQUIT)
    _until(lambda: not _answers())


def _answers() -> bool:
    from django.db import OperationalError, connection

    probe = connection.copy()
    try:
        probe.ensure_connection()
    except OperationalError:
        return False
    probe.close()
    return True


@contextlib.contextmanager
def _web() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """gunicorn as the portal starts it, in a process group of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "pilot.wsgi", "--bind", f"fd://{listener.fileno()}"),
                *("--worker-class", "pilot.arrival_worker.ArrivalWorker", "--threads", "2"),
                *("--log-level", "warning", "--no-control-socket"),
            ],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            yield port, process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _begin(port: int, size: int) -> socket.socket:
    """The head of an upload; its body is up to the caller."""
    line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    head = (
        "POST /api/v1/uploads/ HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {SECRET.read_text()}",
        "Content-Type: application/x-ndjson",
        "Idempotency-Key: web-1",
        f"Content-Length: {size}",
    )
    line.sendall("\r\n".join((*head, "", "")).encode())
    return line


def _bytes_in(spool: Any) -> int:
    return sum(path.stat().st_size for job, _at in spool.folders() for path in spool.folder(job).glob("*"))


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(true)
        time.sleep(0.1)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    scene = {"build": build, "database": database, "broker": broker, "web": web}[sys.argv[1]]
    sys.stdout.write(json.dumps(scene()))
