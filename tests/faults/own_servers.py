"""Servers that fail under a portal of its own: ``python own_servers.py SCENE`` in an own ``PILOT_VAR``.

``build`` makes the world once; each other scene breaks something in the middle of uploads, and prints what became of
it as JSON. A process of its own, so that nobody else's database restarts.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import batched
from pathlib import Path
from typing import Any

from pilot.embedded import die_with_parent

ROOT = Path(__file__).parents[2]
VAR = Path(os.environ["PILOT_VAR"])
SECRET = VAR / "api-key"
PATIENCE = 120.0
ROWS, CHUNK = 240, 40
BATCH, REQUESTS = 20, 12
VICTIMS = {2: "web", 4: "web", 7: "database", 9: "web", 10: "database"}
"""Number of a request → what dies while it is under way."""
QUICK = 15.0  # seconds for four receipts while the broker is away


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
    """The broker dies under a worker that has work, stays away while more comes in, and comes back."""
    from filings.models import UploadJob, VerificationForm
    from filings.services import uploads
    from pilot.embedded.broker import Broker
    from pilot.embedded.layout import Layout
    from pilot.models import OutboxMessage
    from pilot.services import outbox
    from tests.filings.api.caller import Caller

    # An outage of a minute in seconds: what the portal does after these times, it does sooner.
    uploads.SILENT_AFTER, outbox.RETRY_AFTER = timedelta(seconds=3), timedelta(seconds=1)  # type: ignore[misc]
    caller, server, numbers = Caller(SECRET.read_text()), Broker(Layout.of(VAR)), list[str]()

    def hand_in(seed: int) -> Any:
        rows = _forms(BATCH, seed=seed)
        numbers.extend(row["form_no"] for row in rows)
        body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        return caller.post("uploads/", body, content_type="application/x-ndjson", key=f"broker-{seed}")

    def all_done(answers: list[Any]) -> bool:
        if not workers or workers[-1].poll() is not None:  # it ends when it has lost its broker
            workers.append(_worker())  # as ``serve`` does
        uploads.sweep()  # what beat does every few seconds
        outbox.relay()
        keys = [answer.json()["id"] for answer in answers]
        return UploadJob.unscoped.filter(case_key__in=keys, state="done").count() == len(keys)

    process = server.start()
    workers: list[subprocess.Popen[bytes]] = []
    try:
        _until(server.answers)
        answers = [hand_in(11)]
        _until(lambda: all_done(answers))
        answers += [hand_in(seed) for seed in range(12, 16)]
        process.kill()
        process.wait()
        began = time.monotonic()
        away = [hand_in(seed) for seed in range(16, 19)]
        rows = _forms(BATCH, seed=19)
        numbers.extend(row["form_no"] for row in rows)
        request = caller.post("forms/", rows, key="broker-19")
        took = time.monotonic() - began
        waiting = OutboxMessage.objects.filter(target="filings.tasks.process_upload", sent_at=None).count()
        process = server.start()
        _until(server.answers)
        _until(lambda: all_done(answers + away))
    finally:
        for program in (*workers, process):
            program.terminate()
            program.wait(60)
    stored = VerificationForm.unscoped.filter(form_no__in=numbers).values_list("form_no", flat=True)
    return {
        "statuses": [answer.status_code for answer in (*answers, *away, request)],
        "quick": took < QUICK,
        "waiting": waiting,
        "workers": len(workers),
        "each_once": sorted(stored) == sorted(numbers),
    }


def requests() -> Any:
    """Web and database die under requests; their sender tries each again under its key until it is answered."""
    from django.db import connection

    from filings.models import UploadJob, VerificationForm
    from pilot.models import IdempotentAnswer

    before = UploadJob.unscoped.count()
    rows = _forms(REQUESTS * BATCH, seed=5)
    statuses, deaths = list[int](), {"web": 0, "database": 0}
    with _listener() as listener, _Web(listener) as server:
        for number, batch in enumerate(batched(rows, BATCH)):
            victim = VICTIMS.get(number)
            delay = number % 4 * 0.02  # before the work, within it, after its commit
            while True:
                line = _ask(server.port, f"requests-{number}", batch)
                if victim:
                    select.select([line.sock], [], [], delay)
                    deaths[victim] += 1
                    server.restart() if victim == "web" else _crash_database()
                victim, status = None, _status(line)
                if status:
                    statuses.append(status)
                if status == 200:
                    break
                _until(_answers)
    connection.close()  # this process's own line broke, too
    numbers = sorted(row["form_no"] for row in rows)
    stored = VerificationForm.unscoped.filter(form_no__in=numbers).values_list("form_no", flat=True)
    jobs = UploadJob.unscoped.order_by("pk")[before:]
    return {
        "deaths": deaths,
        "statuses": sorted(set(statuses)),
        "each_once": sorted(stored) == numbers,
        "jobs": [len(jobs), sorted({job.state for job in jobs})],
        "answers": IdempotentAnswer.objects.filter(key__startswith="requests-").count(),
    }


def web() -> Any:
    """The web process dies while a file streams in; the sender tries again under the same key."""
    from filings.models import UploadJob
    from filings.services import spool, uploads
    from pilot.models import IdempotentAnswer

    rows = _forms(2_000, seed=3)
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    before = UploadJob.unscoped.count()
    with _listener() as listener, _Web(listener) as server:
        line = _begin(server.port, len(body))
        line.sendall(body[: len(body) // 2])
        _until(lambda: _bytes_in(spool) > 256 * 1024)
        server.kill()
        line.close()
    left = len(list(spool.folders()))
    registered = UploadJob.unscoped.count() - before
    answers = IdempotentAnswer.objects.filter(key="web-1").count()
    kept = uploads.tidy(), len(list(spool.folders()))  # it may belong to a receipt that is under way
    uploads.ABANDONED_AFTER = timedelta(0)  # type: ignore[misc]
    tidied = uploads.tidy(), len(list(spool.folders()))
    with _listener() as listener, _Web(listener) as server:
        line = _begin(server.port, len(body))
        line.sendall(body)
        status = line.recv(4096).split(b" ", 2)[1].decode()
        line.close()
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
def _listener() -> Iterator[socket.socket]:
    """The portal's socket, which stays open while its web server dies and comes back."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


class _Web:
    """gunicorn as the portal starts it, in a process group of its own."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self._fd = listener.fileno()

    def __enter__(self) -> _Web:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "pilot.wsgi", "--bind", f"fd://{self._fd}"),
                *("--worker-class", "pilot.arrival_worker.ArrivalWorker", "--threads", "2"),
                *("--log-level", "critical", "--no-control-socket"),
            ],
            cwd=ROOT,
            env={**os.environ, "PILOT_DB_POOL": "1"},
            pass_fds=[self._fd],
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )

    def kill(self) -> None:
        """``kill -9`` of the server and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def restart(self) -> None:
        """Killed, and started again: who waits at the door is served by the next one."""
        self.kill()
        self.start()


def _worker() -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "celery", "-A", "pilot.celery", "worker", "--pool", "solo")
    return subprocess.Popen(
        [*command, "-l", "CRITICAL"], cwd=ROOT, preexec_fn=die_with_parent(signal.SIGKILL)
    )


def _ask(port: int, key: str, rows: Sequence[Any]) -> http.client.HTTPConnection:
    """A request that was sent and waits for its answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {
        "Authorization": f"Bearer {SECRET.read_text()}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    line.request("POST", "/api/v1/forms/", json.dumps(rows).encode(), headers)
    return line


def _status(line: http.client.HTTPConnection) -> int:
    """What was answered; 0 when nothing was."""
    try:
        with contextlib.closing(line):
            return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0


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
    scene = {"build": build, "database": database, "broker": broker, "requests": requests, "web": web}[
        sys.argv[1]
    ]
    sys.stdout.write(json.dumps(scene()))
