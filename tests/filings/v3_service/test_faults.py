"""Twenty at once, and web processes killed with a file in hand: one job, nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from filings.models import UploadJob, V3Access, V3Upload
from filings.services import spool, uploads
from tests.filings.v3_service.client import System

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
WEB = Path(__file__).with_name("killed.py")


@pytest.fixture(autouse=True)
def spool_of_its_own() -> None:
    """The processes share the session's spool."""
    settings.VAR = Path(os.environ["PILOT_VAR"])


def state() -> tuple[int, int, int]:
    return UploadJob.unscoped.count(), V3Upload.unscoped.count(), V3Access.unscoped.get().last_sequence


def test_twenty_at_once_under_one_number_make_one_job(system: System, document: Any, filing: Any) -> None:
    content, barrier = document(filing(1)), Barrier(20)
    before = {key for key, _at in spool.folders()}

    def send(_n: int) -> str:
        barrier.wait()
        try:
            return system.upload(1, content).text
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(send, range(20)))
    assert (len(answers), state()) == (1, (1, 1, 1))
    assert {key for key, _at in spool.folders()} - before == {UploadJob.unscoped.get().case_key}


def die(system: System, content: bytes, where: str, folder: Path) -> None:
    """Send a file to a web process that is killed before it answers."""
    sent = folder / "call.xml"
    bodies: list[bytes] = []
    recorder = System(**{**system.__dict__, "post": lambda body, _type: bodies.append(body)})
    with pytest.raises(TypeError):
        recorder.upload(1, content)
    sent.write_bytes(bodies[0])
    words = [sys.executable, str(WEB), connection.settings_dict["NAME"], where, str(sent)]
    ended = subprocess.run(words, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("where", "kept"), [("before", (0, 0, 0)), ("after", (1, 1, 1))])
def test_a_web_process_killed_with_a_file_in_hand(
    system: System, document: Any, filing: Any, tmp_path: Path, where: str, kept: tuple[int, int, int]
) -> None:
    content = document(filing(1))
    die(system, content, where, tmp_path)
    assert state() == kept
    assert (system.upload(1, content).code, state()) == (0, (1, 1, 1))  # the provider sends it again
    job = uploads.process(job_id=UploadJob.unscoped.get().pk)
    assert (job.state, job.accepted) == ("done", 1)
    assert system.open(system.download()).count(b"<Jgdm>1060</Jgdm>") == 1
