"""Outages under a whole portal of its own: ``python outages.py SCENE`` in an own ``PILOT_VAR`` (see ``own_servers``).

Web, worker and beat run as ``manage.py serve`` starts them. Sizes come from the environment; the small ones are for
CI. Each scene prints what came of it as JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

from pilot import embedded, supervisor
from pilot.benchmarks import percentile, processes
from pilot.embedded.broker import Broker
from tests.faults import own_servers as own
from tests.faults.senders import Senders, ask

SUBMITS = int(os.environ.get("PILOT_SUBMITS", "40"))
SECONDS = float(os.environ.get("PILOT_OUTAGE_SECONDS", "4"))
CRASHES = int(os.environ.get("PILOT_CRASHES", "2"))
ROLLS = int(os.environ.get("PILOT_ROLLS", "2"))
ROLL_PAUSE = float(os.environ.get("PILOT_ROLL_PAUSE", "0"))  # seconds from one restart done to the next
RATE = float(os.environ.get("PILOT_LOAD_RATE", "10"))  # requests a second
HANG = 8.0  # seconds: longer than a worker waits for its broker
LAYOUT = embedded.Layout.of(own.VAR)


# --- the portal ---------------------------------------------------------------------------------------
class Portal:
    """The children of ``serve``, by name, on a socket of their own."""

    def __init__(self, listener: socket.socket, programs: list[supervisor.Program]) -> None:
        self.port: int = listener.getsockname()[1]
        self.deaths: list[str] = []
        self.children = {
            program.name: supervisor.Child(program, lambda _chinese, english: self.deaths.append(english))
            for program in programs
        }

    def pid(self, name: str) -> int:
        process = self.children[name].process
        assert process is not None
        return process.pid

    def answers(self) -> bool:
        return supervisor.answers(f"http://127.0.0.1:{self.port}/")

    def look(self) -> None:
        for child in self.children.values():
            child.look()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Within the block whoever ends is started again, as ``serve`` does."""
        over = Event()

        def keep() -> None:
            while not over.wait(supervisor.TICK):
                self.look()

        with ThreadPoolExecutor(1) as pool:
            keeper = pool.submit(keep)
            try:
                yield
            finally:
                over.set()
                keeper.result()


@contextlib.contextmanager
def portal(*names: str, **changes: Any) -> Iterator[Portal]:
    """The named children; ``changes`` are further programs' arguments by name, ``environment`` what they are told."""
    environment = {
        "PILOT_API_RATE": "1000000",
        "PILOT_LOG_LEVEL": "CRITICAL",
        **changes.pop("environment", {}),
    }
    held = embedded.hold(own.VAR, postgres=True, broker=False)
    with supervisor.listen("127.0.0.1", 0) as listener:
        known = {
            program.name: program for program in supervisor.programs(LAYOUT, listener=listener, held=held)
        }
        second = str(LAYOUT.run / "beat-schedule-2")
        known["beat2"] = replace(
            known["beat"], name="beat2", arguments=(*known["beat"].arguments[:-1], second)
        )
        programs = [
            replace(
                known[name],
                arguments=(*known[name].arguments, *changes.get(name, ())),
                environment=known[name].environment | environment,
            )
            for name in names
        ]
        one = Portal(listener, programs)
        try:
            one.look()
            if "web" in names:
                own._until(one.answers)
            yield one
        finally:
            for child in one.children.values():
                child.terminate()
            embedded.wait_until(lambda: all(child.is_gone() for child in one.children.values()), timeout=20)
            for child in one.children.values():
                child.kill()
    held.release()


@contextlib.contextmanager
def broker() -> Iterator[Any]:
    """A broker that a scene may kill and start again; gives a function for each."""
    server = Broker(LAYOUT)
    running: list[Any] = []

    def start() -> None:
        running.append(server.start())
        own._until(server.answers)

    def kill() -> None:
        running[-1].kill()
        running[-1].wait()

    start()
    try:
        yield server, start, kill
    finally:
        kill()


# --- the scenes' tools ------------------------------------------------------------------------------
def unfinished() -> int:
    from filings.models import UploadJob

    return UploadJob.unscoped.filter(state__in=["received", "processing"]).count()


def seconds_until(true: Callable[[], bool]) -> float:
    began = time.monotonic()
    own._until(true)
    return round(time.monotonic() - began, 1)


def first_sent(port: int) -> int:
    """A number no scene before has used; the portal works from end to end once its file is taken."""
    from pilot.models import IdempotentAnswer

    first = IdempotentAnswer.objects.count()
    warm = Senders(port, first, 1)
    warm.send(0)
    own._until(lambda: unfinished() == 0)
    return first + 1


# --- the scenes ---------------------------------------------------------------------------------------
def broker_away() -> Any:
    """F12 and F19: the broker dies, files keep coming in, it comes back; two timetables run all the time."""
    with broker() as (_server, start, kill), portal("web", "worker", "beat", "beat2") as one, one.kept():
        senders = Senders(one.port, first_sent(one.port), SUBMITS)
        kill()
        senders.all_at(SUBMITS / SECONDS, SUBMITS)
        waiting = unfinished()
        start()
        took = seconds_until(lambda: unfinished() == 0)
        dead = [name for name, child in one.children.items() if child.is_gone()]
    return {
        "statuses": dict(senders.journal.statuses),
        "waiting": waiting,
        "p95": senders.journal.p95,
        "done_after": took,
        "dead": dead,
        "each_once": senders.each_once(),
    }


def flushed() -> Any:
    """F13: what waits in the broker is wiped out; the outbox notices and sends it again."""
    from pilot.models import OutboxMessage
    from pilot.services import outbox

    with broker() as (server, _start, _kill), portal("web", "worker", "beat") as one:
        first = first_sent(one.port)
        outbox.sweep()
        one.children["worker"].terminate()
        own._until(one.children["worker"].is_gone)
        senders = Senders(one.port, first, SUBMITS)
        senders.all_at(SUBMITS / SECONDS, SUBMITS)
        sent = OutboxMessage.objects.filter(
            target="filings.tasks.process_upload", sent_at__isnull=False, cancelled_at=None
        ).count()
        server._say(b"FLUSHALL")
        one.children["worker"].process = None
        one.children["worker"].look()
        took = seconds_until(lambda: unfinished() == 0)
    return {"sent": sent, "done_after": took, "each_once": senders.each_once()}


def poison() -> Any:
    """F14: a task that fails, one that kills its process, a file that kills it; good files come in meanwhile."""
    from filings.models import UploadJob
    from filings.services import uploads
    from pilot.models import OutboxMessage
    from pilot.services import operations, outbox
    from tests.faults import poison as poisoned

    outbox.RETRY_AFTER, uploads.SILENT_AFTER = timedelta(seconds=1), timedelta(seconds=3)  # type: ignore[misc]
    with broker(), portal("web", "worker", "beat", worker=("--include", poisoned.__name__)) as one:
        first = first_sent(one.port)
        calm = Senders(one.port, first, SUBMITS)
        calm.all_at(RATE, SUBMITS)
        own._until(lambda: unfinished() == 0)
        first += SUBMITS
        before = UploadJob.unscoped.latest("pk").pk
        for task in (poisoned.fail, poisoned.kill):
            outbox.post_task(task.name)
        rows = [row | {"verifier_name": poisoned.NAME} for row in own._forms(2, seed=90_000 + first)]
        body = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
        assert ask(one.port, "POST", "/api/v1/uploads/", body, f"poison-{first}")[0] == 202
        job = UploadJob.unscoped.latest("pk")
        senders = Senders(one.port, first, SUBMITS)
        senders.all_at(RATE, SUBMITS)

        def ended() -> bool:
            uploads.sweep()
            outbox.relay()
            poison = outbox.given_up().filter(target__startswith=poisoned.__name__)
            return UploadJob.unscoped.get(pk=job.pk).state == "failed" and poison.count() == 2

        own._until(ended)
        own._until(lambda: unfinished() == 0)
        dead = [name for name, child in one.children.items() if child.is_gone()]
    good = UploadJob.unscoped.filter(pk__gt=job.pk, state="done")
    calmly = UploadJob.unscoped.filter(pk__gt=before - SUBMITS, pk__lte=before)
    slowest = [round(max(map(delay_of, jobs)), 1) for jobs in (calmly, good)]
    outbox.given_up().exclude(target__startswith=poisoned.__name__).delete()
    row = UploadJob.unscoped.get(pk=job.pk)
    given_up = list(outbox.given_up().values_list("target", "attempts", "last_error"))
    alarms = operations.alarms()
    OutboxMessage.objects.filter(target__startswith=poisoned.__name__).delete()
    return {
        "given_up": sorted([target.rpartition(".")[2], tries, error] for target, tries, error in given_up),
        "tries": [poisoned.tries(name) for name in ("fail", "kill", "file")],
        "file": [row.state, row.fault],
        "alarm": "tasks" in alarms,
        "good": good.count(),
        "slowest": slowest,
        "dead": dead,
    }


def hung() -> Any:
    """F12: the broker hangs for a while, and a task that the database fails cannot be sent again meanwhile."""
    from pilot.celery import app
    from pilot.models import OutboxMessage
    from pilot.services import outbox
    from tests.faults import poison as poisoned

    program = ("--include", poisoned.__name__)
    with broker(), portal("worker", worker=program) as one, one.kept():
        outbox.sweep()  # the broker's mark stands: it does not count as wiped out
        with app.connection_for_write() as connection:
            pid = connection.channel().client.info("server")["process_id"]
        outbox.post_task(poisoned.hang.name, broker=pid)
        own._until(lambda: poisoned.tried("hang") == 1)
        time.sleep(HANG)
        os.kill(pid, signal.SIGCONT)
        took = seconds_until(lambda: not OutboxMessage.objects.filter(target=poisoned.hang.name).exists())
    return {"tries": poisoned.tries("hang"), "done_after": took}


def delay_of(job: Any) -> float:
    """Seconds between a file's receipt and the end of its job."""
    from pilot.models import TransitionRecord

    record = TransitionRecord.objects.get(machine="upload-job", name="finish", object_id=job.pk)
    opened = TransitionRecord.objects.filter(machine="upload-job", object_id=job.pk).order_by("pk").first()
    assert opened is not None
    return float((record.at - opened.at).total_seconds())


def crashes() -> Any:
    """F15: the database dies again and again while files come in; their senders keep the journal."""
    from django.db import connection

    recoveries = []
    with broker(), portal("web", "worker", "beat") as one:
        senders = Senders(one.port, first_sent(one.port), SUBMITS)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(senders.all_at, RATE, SUBMITS)
            for crash in range(CRASHES):
                share = (crash + 1) * SUBMITS // (CRASHES + 1)
                own._until(lambda share=share: len(senders.journal.acknowledged) >= share)  # type: ignore[misc]
                own._crash_database()
                began = time.monotonic()
                own._until(lambda: ask(one.port, "GET", "/api/v1/uploads/")[0] == 200)
                recoveries.append(round(time.monotonic() - began, 1))
            sending.result()
        connection.close()
        own._until(lambda: unfinished() == 0)
        dead = [name for name, child in one.children.items() if child.is_gone()]
    return {
        "statuses": sorted(senders.journal.statuses),
        "without_retry_after": senders.journal.without_retry_after,
        "recoveries": recoveries,
        "dead": dead,
        "each_once": senders.each_once(),
    }


def disk() -> Any:
    """F17: no file of the web processes can grow beyond 64 KiB, as on a full disk; then there is room again."""
    from filings.models import UploadJob
    from filings.services import spool
    from pilot.models import IdempotentAnswer

    key = f"disk-{IdempotentAnswer.objects.count()}"
    body = b"".join(json.dumps(row).encode() + b"\n" for row in own._forms(1_500, seed=9))
    before = UploadJob.unscoped.count(), len(list(spool.folders()))
    with portal("web") as one:
        workers = processes.children(one.pid("web"), named="gunicorn")
        limit(workers, 64 * 1024)
        full = whole_answer(one.port, body, key)
        reads = [ask(one.port, "GET", path)[0] for path in ("/guide/", "/api/v1/uploads/", "/readyz")]
        left = UploadJob.unscoped.count() - before[0], len(list(spool.folders())) - before[1]
        answers = IdempotentAnswer.objects.filter(key=key).count()
        limit(workers, resource.RLIM_INFINITY)
        again = ask(one.port, "POST", "/api/v1/uploads/", body, key)[0]
        same = processes.children(one.pid("web"), named="gunicorn") == workers
    return {
        "full": full,
        "reads": reads,
        "left": [*left, answers],
        "again": again,
        "jobs": UploadJob.unscoped.count() - before[0],
        "same_processes": same,
    }


def limit(pids: list[int], size: int) -> None:
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def whole_answer(port: int, body: bytes, key: str) -> list[Any]:
    """Status, ``Retry-After``, code and words."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=own.PATIENCE)
    headers = {"Authorization": f"Bearer {own.SECRET.read_text()}", "Content-Type": "application/x-ndjson"}
    with contextlib.closing(line):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may answer before all was sent
            line.request("POST", "/api/v1/uploads/", body, headers | {"Idempotency-Key": key})
        answer = line.getresponse()
        told = json.loads(answer.read())
        return [answer.status, answer.headers.get("Retry-After"), told["code"], told["detail"]]


def slow() -> Any:
    """F18: one sender gives a byte a second; others go on as before."""
    from filings.services import spool

    left = len(list(spool.folders()))
    with portal("web", environment={"PILOT_SLOW_SECONDS": str(SECONDS)}) as one:
        calm = [timed(one.port) for _ in range(20)]
        line = own._begin(one.port, 10_000)
        began, busy = time.monotonic(), []
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(drip, line)
            while not answer.done():
                busy.append(timed(one.port))
        status, took = answer.result()[9:12].decode(), round(time.monotonic() - began, 1)
        left = len(list(spool.folders())) - left
    return {
        "status": status,
        "cut_after": took,
        "others": sorted({status for status, _seconds in busy}),
        "p95": [round(percentile([seconds for _status, seconds in part], 0.95), 3) for part in (calm, busy)],
        "left": left,
    }


def drip(line: socket.socket) -> bytes:
    """A byte a second until something is answered; that."""
    with contextlib.closing(line):
        while not select.select([line], [], [], 1.0)[0]:
            line.sendall(b"x")
        return line.recv(4096)


def timed(port: int) -> tuple[int, float]:
    began = time.monotonic()
    status, _again = ask(port, "GET", "/guide/")
    return status, time.monotonic() - began


def rolling() -> Any:
    """F22: the web processes are replaced again and again under requests, none of which fails."""
    with broker(), portal("web") as one:
        senders = Senders(one.port, first_sent_without_worker(), SUBMITS * 10)
        reads, stop = Counter[int](), Event()

        def read() -> None:
            while not stop.wait(1 / RATE):
                reads[ask(one.port, "GET", "/guide/")[0]] += 1

        with ThreadPoolExecutor(2) as pool:
            reading, sending = pool.submit(read), pool.submit(senders.all_at, RATE, SUBMITS * 10)
            rolls, old = 0, gunicorns(one)
            while rolls < ROLLS:
                os.kill(one.pid("web"), signal.SIGHUP)
                own._until(lambda old=old: renewed(one, old))  # type: ignore[misc]
                rolls, old = rolls + 1, gunicorns(one)
                stop.wait(ROLL_PAUSE)
            senders.stop.set()
            stop.set()
            sending.result()
            reading.result()
    return {
        "rolls": rolls,
        "statuses": dict(senders.journal.statuses),
        "reads": sorted(reads),
        "number": sum(reads.values()) + len(senders.journal.seconds),
        "p95": senders.journal.p95,
    }


def first_sent_without_worker() -> int:
    from pilot.models import IdempotentAnswer

    return IdempotentAnswer.objects.count() + 1


def gunicorns(one: Portal) -> set[int]:
    return set(processes.children(one.pid("web"), named="gunicorn"))


def renewed(one: Portal, old: set[int]) -> bool:
    """Whether all old processes are gone and as many new ones are there."""
    now = gunicorns(one)
    return len(now) == supervisor.WEB_PROCESSES and not now & old


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    scenes = (broker_away, flushed, poison, hung, crashes, disk, slow, rolling)
    scene = {act.__name__: act for act in scenes}[sys.argv[1]]
    sys.stdout.write("\n" + json.dumps(scene()))
