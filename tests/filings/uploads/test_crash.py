"""Real workers on a real database: killed in the middle, or two at once; no row is lost and none is doubled."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from filings.models import FormRefusal, UploadJob, VerificationForm
from filings.services import rejects, storage, uploads
from filings.synthetic import make_forms
from tests.factories import world
from tests.filings import builders

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
ROWS, CHUNK = 240, 40
WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(autouse=True)
def spool_of_its_own() -> None:
    """The workers read the same spool, so it is the session's."""
    settings.VAR = Path(os.environ["PILOT_VAR"])


def start(job: Any, *arguments: Any) -> subprocess.Popen[bytes]:
    name = connection.settings_dict["NAME"]
    words = [sys.executable, str(WORKER), name, str(job.pk), str(CHUNK), *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.fixture
def rows(unit: Any) -> list[dict[str, Any]]:
    """Forms of which every tenth is faulty, and which repeat the first five at the end."""
    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }
    forms = [form.record for form in make_forms(ROWS - 5, unit_code=unit.code, seed=9, **span)]
    for form in forms[9::10]:
        form["verifier_name"] = ""
    return forms + forms[:5]


def receive(unit: Any, rows: list[dict[str, Any]]) -> Any:
    return uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        name="forms.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )


def outcome(job: Any) -> tuple[int, int, int, int]:
    job = UploadJob.unscoped.get(pk=job.pk)
    return job.rows, job.accepted, job.duplicates, job.rejected_rows


@pytest.mark.parametrize(("kill_at", "where"), [(1, "before"), (3, "before"), (3, "after"), (6, "after")])
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    unit: Any, rows: list[dict[str, Any]], kill_at: int, where: str
) -> None:
    job = receive(unit, rows)
    assert start(job, kill_at, where).wait() == -signal.SIGKILL
    taken = (kill_at if where == "after" else kill_at - 1) * CHUNK
    broken = UploadJob.unscoped.get(pk=job.pk)
    assert (broken.state, broken.taken_rows) == ("processing", taken)
    assert outcome(job)[0] == sum(outcome(job)[1:]) == taken
    assert VerificationForm.unscoped.filter(unit=unit).count() == broken.accepted

    done = uploads.process(job_id=job.pk)
    while done.state == "processing":  # the database frees the killed session's lock as soon as it notices
        done = uploads.process(job_id=job.pk)
    assert (done.state, outcome(job)) == ("done", (240, 212, 5, 23))
    numbers = VerificationForm.unscoped.filter(unit=unit).values_list("form_no", flat=True)
    assert sorted(numbers) == sorted({row["form_no"] for row in rows if row["verifier_name"]})
    refused = list(FormRefusal.unscoped.filter(job=job).order_by("row").values_list("row", flat=True))
    assert refused == list(range(10, 236, 10))
    kept = b"".join(rejects.content(done)).splitlines()
    assert [json.loads(line)["_row"] for line in kept] == refused
    assert storage.open_form(VerificationForm.unscoped.first())["form_no"] in numbers


@pytest.mark.slow
def test_two_workers_with_overlapping_files_of_one_unit(unit: Any, rows: list[dict[str, Any]]) -> None:
    jobs = [receive(unit, rows[:160]), receive(unit, rows[80:])]
    workers = [start(job) for job in jobs]
    assert [worker.wait() for worker in workers] == [0, 0]
    first, second = map(outcome, jobs)
    assert first[1] + second[1] == VerificationForm.unscoped.filter(unit=unit).count() == 212
    assert [sum(one[1:]) for one in (first, second)] == [160, 160]


@pytest.mark.slow
def test_two_workers_on_one_job(unit: Any, rows: list[dict[str, Any]]) -> None:
    job = receive(unit, rows)
    workers = [start(job) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert (UploadJob.unscoped.get(pk=job.pk).state, outcome(job)) == ("done", (240, 212, 5, 23))


def test_a_job_in_another_hand_is_left_to_it(unit: Any, rows: list[dict[str, Any]]) -> None:
    job = receive(unit, rows)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [uploads.JOB_LOCK, job.pk])
        assert uploads.process(job_id=job.pk).state == "received"
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [uploads.JOB_LOCK, job.pk])
    finally:
        other.close()
    assert uploads.process(job_id=job.pk).state == "done"
