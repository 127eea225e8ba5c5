"""Outages under a whole portal: broker away or wiped, poison, a full disk, slow lines, rolling restarts (F12 to F22).

Each scene runs in a process of its own on servers of its own (``outages.py``), small; by hand the environment gives it
the numbers of docs/security. Times are figures for docs/security; here they only must not run away.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import test_servers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SCENES = Path(__file__).with_name("outages.py")
FULL_DISK = Path(__file__).with_name("full_disk.py")
SUBMITS = 40
var = test_servers.var


@pytest.fixture
def play(var: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run one scene; returns what it printed last."""
    monkeypatch.setattr(test_servers, "SCENES", SCENES)
    return lambda scene: test_servers.play(var, scene)


def test_the_broker_is_away_while_files_come_in(play: Any) -> None:
    """Nobody waits for it, nothing is lost; two timetables, which both survive it, double nothing."""
    told = play("broker_away")
    assert told.pop("p95") < 20
    assert told.pop("done_after") < 120
    assert told == {"statuses": {"202": SUBMITS}, "waiting": SUBMITS, "dead": [], "each_once": True}


def test_what_waits_in_the_broker_is_wiped_out(play: Any) -> None:
    told = play("flushed")
    assert told.pop("done_after") < 120
    assert told == {"sent": SUBMITS, "each_once": True}


def test_poison_is_given_up_after_three_tries_and_delays_nobody(play: Any) -> None:
    told = play("poison")
    calm, busy = told.pop("slowest")
    assert busy - calm < 30
    assert told == {
        "given_up": [["fail", 3, "ValueError"], ["kill", 3, "WorkerLost"]],
        "tries": [3, 3, 3],
        "file": ["failed", "处理在第 0 行之后多次中断，已停止；此前各行的结果有效"],
        "alarm": True,
        "good": SUBMITS,
        "dead": [],
    }


def test_a_broker_that_hangs_keeps_a_task_whose_database_is_away(play: Any) -> None:
    """Two minutes would be too long: the outbox takes a task for lost after an hour."""
    told = play("hung")
    assert told.pop("done_after") < 60
    assert told == {"tries": 2}


def test_the_database_dies_again_and_again_under_load(play: Any) -> None:
    """What was acknowledged is there; whoever was not is told when to come again."""
    told = play("crashes")
    recoveries = told.pop("recoveries")
    assert (len(recoveries), max(recoveries) < 60) == (2, True)
    assert set(told.pop("statuses")) - {503} == {202}
    assert told == {"without_retry_after": 0, "dead": [], "each_once": True}


def test_a_full_disk_is_told_in_words_and_the_portal_goes_on(play: Any) -> None:
    assert play("disk") == {
        "full": [507, "5", "storage.full", "存储空间不足，没有保存任何内容，请稍后重试"],
        "reads": [200, 200, 200],
        "left": [0, 0, 0],
        "again": 202,
        "jobs": 1,
        "same_processes": True,
    }


def test_a_disk_without_a_byte_left(tmp_path: Path) -> None:
    """Database, files and spool on one small disk of their own: all is told in words, nothing is half kept.

    Root mounts it; others do in a user namespace. Where neither may, the scene before this one stands alone.
    """
    alone = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    apart = ["unshare", *alone, "--mount"]
    mounted = [*apart, "sh", "-c", 'mount -t tmpfs -o size=400m,mode=711 none "$0" && exec "$@"']
    trial = [*mounted, str(tmp_path), "true"]
    if subprocess.run(trial, capture_output=True).returncode:
        warnings.warn(
            "no disk of its own may be mounted here: only the limit of a process was tried", stacklevel=1
        )
        return
    folder = Path(tempfile.mkdtemp(prefix="pilot-full-")).resolve()
    folder.chmod(0o711)
    try:
        told = test_servers.play(folder, "", [*mounted, str(folder), sys.executable, str(FULL_DISK)])
    finally:
        folder.rmdir()  # all that was in it went with its disk
    assert told == {
        "upload": {
            "free": 0,
            "full": [507, "5", "storage.full", "存储空间不足，没有保存任何内容，请稍后重试"],
            "reads": [200, 200, 200],
            "left": [0, 0, 0],
            "again": 202,
        },
        "paper": {"code": "storage.full", "nothing_left": True, "made_after": 1},
        "table": {"code": "storage.full", "nothing_left": True},
        "log": {"code": "not.ready", "away": [503], "jobs": 1},
        "deaths": [],
    }


def test_a_byte_a_second_is_cut_off_and_others_go_on(play: Any) -> None:
    told = play("slow")
    _calm, busy = told.pop("p95")
    assert (4 <= told.pop("cut_after") < 30, busy < 20) == (True, True)
    assert told == {"status": "408", "others": [200], "left": 0}


def test_the_web_processes_are_replaced_under_load(play: Any) -> None:
    told = play("rolling")
    assert (told.pop("number") > 0, told.pop("p95") < 120) == (True, True)
    assert told == {"rolls": 2, "statuses": {"202": told["statuses"]["202"]}, "reads": [200]}
