"""Database, broker and web process fail in the middle of uploads: what was acknowledged is there once, every job ends.

Each scene runs in a process of its own on servers of its own (``own_servers.py``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pilot import embedded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
SCENES = Path(__file__).with_name("own_servers.py")


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """A portal's folder with a database that holds one unit; no broker."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-fault-")).resolve()
    folder.chmod(0o711)  # as root the server may run as `nobody`, who has to pass
    held = embedded.hold(folder, postgres=True, broker=False)
    try:
        play(folder, "build")
        yield folder
    finally:
        held.release()
        embedded.stop_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


def play(var: Path, scene: str, command: Sequence[str] = ()) -> Any:
    """Run one scene, or a command that plays one; returns what it printed last."""
    env = {
        name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "BROKER_URL"))
    }
    env |= {"PILOT_VAR": str(var), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command or [sys.executable, str(SCENES), scene],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_database_dies_twice_in_the_middle_of_a_job(var: Path) -> None:
    """Before the commit of the third chunk of 40 rows, and after that of another."""
    assert play(var, "database") == {
        "taken": [80, 160],
        "state": "done",
        "counts": [240, 240, 0, 0],
        "each_once": True,
    }


def test_the_broker_dies_under_a_worker_and_comes_back(var: Path) -> None:
    """Eight files and a request: those taken while it was away wait in the outbox, and nobody waits for it."""
    assert play(var, "broker") == {
        "statuses": [202] * 8 + [200],
        "quick": True,
        "waiting": 3,
        "workers": 2,  # the one that lost its broker ended: taken up again, it might take no more tasks
        "each_once": True,
    }


def test_web_and_database_die_under_requests(var: Path) -> None:
    """At different moments of the work; every request is answered in the end, and its rows are there once."""
    told = play(var, "requests")
    # Whoever asks again while the first attempt is still under way is told so (409), which depends on the moment.
    assert set(told.pop("statuses")) - {409} == {200, 503}
    assert told == {
        "deaths": {"web": 3, "database": 2},
        "each_once": True,
        "jobs": [12, ["done"]],
        "answers": 12,
    }


def test_the_web_process_dies_while_a_file_streams_in(var: Path) -> None:
    """Nothing is half registered; what it left is forgotten in time; trying again under the same key is one job."""
    assert play(var, "web") == {
        "registered": 0,
        "answers": 0,
        "left": 1,
        "kept": [0, 1],
        "tidied": [1, 0],
        "status": "202",
        "jobs": 1,
        "accepted": 2000,
    }
