"""Twenty at once, and web processes killed with a file in hand: one job, nothing lost, nothing doubled."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
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


@contextmanager
def server() -> Iterator[int]:
    """gunicorn as the portal starts it; its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        words = [
            *(sys.executable, "-m", "gunicorn", "tests.filings.v3_service.own_wsgi"),
            *("--bind", f"fd://{listener.fileno()}", "--worker-class", "pilot.arrival_worker.ArrivalWorker"),
            *("--threads", "2", "--log-level", "warning", "--no-control-socket"),
        ]
        environment = os.environ | {
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "PYTHONPATH": str(ROOT),
        }
        process = subprocess.Popen(words, cwd=ROOT, env=environment, pass_fds=[listener.fileno()])
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


def in_chunks(port: int, pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """Send a call as clients do that do not know its length beforehand."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"Content-Type": "text/xml; charset=utf-8", "Transfer-Encoding": "chunked"}
    with closing(line):
        line.request("POST", "/ISPWebService/upDownLoad", body=pieces, headers=head, encode_chunked=True)
        answer = line.getresponse()
        return answer.status, answer.read()


@pytest.mark.slow
def test_calls_in_chunks_through_a_real_web_server(system: System, document: Any, filing: Any) -> None:
    content = document(filing(1))
    with server() as port:

        def post(body: bytes, _type: str) -> tuple[int, bytes]:
            return in_chunks(port, (body[start : start + 1000] for start in range(0, len(body), 1000)))

        chunked = System(**{**system.__dict__, "post": post})
        assert (chunked.upload(1, content).code, state()) == (0, (1, 1, 1))
        assert System(**{**chunked.__dict__, "encoded": True}).upload(2, content).code == 0
        assert chunked.download().code == 2
        # Bounded like any other, though no length was stated.
        head, _mark, tail = chunked.envelope("isp_upload", beianInfo="*").partition(b"*")
        megabyte = b"QUJD" * (1024 * 1024 // 4)
        status, answer = in_chunks(port, [head, *(megabyte for _n in range(76)), tail])
        assert system.read("isp_upload", status, answer).code == 18
    assert state() == (2, 2, 2)


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
