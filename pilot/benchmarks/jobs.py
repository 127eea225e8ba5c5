"""How upload jobs of several units are worked off by real Celery workers: two processes beside one.

Files wait in the spool, messages in the broker, then a worker starts as ``serve`` starts it. Each process first takes
small files, so that its start is not counted. What passes through the broker is looked at: a reference, no payload.
"""

# ruff: noqa: S603  (it starts programs it names itself)

from __future__ import annotations

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from celery import current_app
from django.conf import settings
from django.db import connections
from django.db.models import Max, Min

from filings.enums import JobState
from filings.models import UploadJob
from pilot.benchmarks import Goal, Report
from pilot.benchmarks.forms_world import enrol, install, make_lines, receive
from pilot.embedded import die_with_parent, wait_until
from pilot.models import Programme, TransitionRecord

WARMING_ROWS: Final = 200
PATIENCE: Final = 1_800.0  # seconds until all jobs are done
GOALS: Final = {
    "two_of_one": Goal(1.6),
    "largest_message_bytes": Goal(2_048, at_most=True),
    "messages_with_payload": Goal(0, at_most=True),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--units", type=int, default=8, help="each hands in one file")
    parser.add_argument("--rows", type=int, default=10_000, help="of each file")
    parser.add_argument("--error-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Work off as many jobs with one process as then with two."""
    programme = install()
    lines = make_lines(options["rows"], seed=options["seed"], error_rate=options["error_rate"])
    rows = options["units"] * len(lines)
    report = Report("jobs", runs=1)
    report.figures = {
        "units": options["units"],
        "rows": options["rows"],
        "file_bytes": len(b"\n".join(lines)),
    }
    messages: list[bytes] = []
    for name, number in (("one", 1), ("two", 2)):
        seconds = _seconds(programme, lines, units=options["units"], processes=number, messages=messages)
        report.figures[f"{name}_rows_s"] = round(rows / seconds)
    report.figures |= {
        "two_of_one": round(report.figures["two_rows_s"] / report.figures["one_rows_s"], 3),
        "messages": len(messages),
        "largest_message_bytes": max(map(len, messages)),
        "messages_with_payload": sum(b"form_no" in message for message in messages),
    }
    report.judge(GOALS)
    return report


def _seconds(
    programme: Programme, lines: Sequence[bytes], *, units: int, processes: int, messages: list[bytes]
) -> float:
    """From the start of the first job to the end of the last one. Raises RuntimeError when they do not end well."""
    small = b"\n".join(lines[:WARMING_ROWS])
    warming = [receive(enrol(programme), small, "ndjson") for _ in range(2 * processes)]
    jobs = [receive(enrol(programme), b"\n".join(lines), "ndjson") for _ in range(units)]
    messages += waiting_messages()
    every = [job.pk for job in (*warming, *jobs)]
    connections.close_all()

    def done() -> bool:
        return not UploadJob.unscoped.filter(pk__in=every).exclude(state=JobState.DONE).exists()

    with _worker(processes):
        if not wait_until(done, timeout=PATIENCE, interval=0.5):
            raise RuntimeError("the jobs were not done in time")
    steps = TransitionRecord.objects.filter(machine=UploadJob.slug(), object_id__in=[job.pk for job in jobs])
    span = steps.filter(name__in=["start", "finish"]).aggregate(
        first=Min("recorded_at"), last=Max("recorded_at")
    )
    return float((span["last"] - span["first"]).total_seconds())


def waiting_messages() -> list[bytes]:
    """The messages that wait in the broker, whole, as bytes."""
    with current_app.connection_for_read() as line:
        client: Any = line.default_channel.client  # type: ignore[attr-defined]
        return list(client.lrange(current_app.conf.task_default_queue, 0, -1))


@contextmanager
def _worker(processes: int) -> Iterator[None]:
    """A Celery worker of so many processes, until the end of the block."""
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "pilot", "--quiet"),
            *("worker", "--concurrency", str(processes), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle"),
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONWARNINGS": "ignore:You're running the worker with superuser"},
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=120)
