"""kill -9 of real Celery workers in the middle of batches: nothing is lost, nothing is doubled (F11).

``PILOT_KILL_BATCHES`` says how many batches there are.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from filings.enums import JobState
from filings.models import UploadJob, VerificationForm
from filings.services import uploads
from filings.synthetic import make_forms
from pilot.celery import app
from pilot.models import TransitionRecord
from pilot.services import outbox
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).parents[2]
WORKER = ROOT / "tests" / "browser" / "worker.py"
BATCHES = int(os.environ.get("PILOT_KILL_BATCHES", "100"))
FORMS, KILLS, PATIENCE = 10, 5, 240 + BATCHES


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue of this test's own, on this session's broker and spool."""
    settings.VAR = Path(os.environ["PILOT_VAR"])
    name = f"kill-{connection.settings_dict['NAME']}"
    app.conf.task_routes = {"*": {"queue": name}}
    app.amqp.flush_routes()
    app.amqp.__dict__.pop("router", None)
    yield name
    app.conf.task_routes = None
    app.amqp.flush_routes()
    app.amqp.__dict__.pop("router", None)


def start_workers(queue: str) -> list[subprocess.Popen[bytes]]:
    """Two workers; what a killed one held comes back after eight seconds."""
    command = [sys.executable, str(WORKER), connection.settings_dict["NAME"], queue]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PILOT_VISIBILITY_TIMEOUT": "8"}
    return [subprocess.Popen(command, cwd=ROOT, env=env) for _ in range(2)]


def receive(unit: Any, number: int) -> int:
    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }
    forms = make_forms(FORMS, unit_code=unit.code, seed=number, **span)
    body = b"".join(json.dumps(form.record).encode() + b"\n" for form in forms)
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(body),
        name=f"{number}.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    return job.pk


@pytest.mark.timeout(300 + 2 * PATIENCE)
def test_five_kills_in_a_hundred_batches(unit: Any, queue: str) -> None:
    jobs = [receive(unit, number) for number in range(BATCHES)]
    workers, kills = start_workers(queue), 0
    end = time.monotonic() + PATIENCE
    while (done := UploadJob.unscoped.filter(state=JobState.DONE).count()) < BATCHES:
        assert time.monotonic() < end, f"{done} of {BATCHES} batches after {PATIENCE} s"
        if kills < KILLS and done >= (kills + 1) * BATCHES // (KILLS + 1):
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            workers, kills = start_workers(queue), kills + 1
        uploads.sweep()  # what beat does every few seconds
        outbox.relay()
        with contextlib.suppress(subprocess.TimeoutExpired):
            workers[0].wait(timeout=0.2)
    for worker in workers:
        worker.terminate()
        worker.wait(timeout=60)

    assert kills == KILLS
    assert VerificationForm.unscoped.filter(unit=unit).count() == BATCHES * FORMS
    assert VerificationForm.unscoped.filter(unit=unit).values("form_no").distinct().count() == BATCHES * FORMS
    finished = TransitionRecord.objects.filter(machine="upload-job", name="finish")
    assert sorted(finished.values_list("object_id", flat=True)) == sorted(jobs)
