"""The demonstration as its user meets it: one command, a portal of its own, every machine with every outcome."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# What the script plays until the pilot closes, with twenty forms per unit.
CLOSING = {
    "objection": {"dismissed": 2, "upheld": 1},
    "provider-registration": {"confirmed": 1, "requested": 1},
    "role-change": {"rejected": 1},
    "window-extension": {"rejected": 1},
    "application": {
        "draft": 3, "lapsed": 2, "listed": 8, "not_listed": 24, "refused": 3, "withdrawn": 4,
    },
    "late-admission": {"granted": 1},
    "approval-list": {"published": 2},
    "capability-assessment": {"concluded": 24},
    "interest-declaration": {"clear": 49, "conflicted": 1},
    "opinion": {"signed": 32, "void": 3},
    "provincial-report": {"received": 31},
    "bulletin": {"published": 9},
    "coordination-case": {"answered": 1, "closed": 2, "open": 1},
    "faq-entry": {"drafted": 1, "published": 1},
    "upload-job": {"done": 70},
    "finding": {"confirmed": 10, "overturned": 1, "upheld": 1},
    "inspection": {"committed": 1, "concluded": 3},
    "rectification": {"closed": 2, "overdue": 1},
    "sanction": {"dropped": 2, "imposed": 1, "lifted": 1},
}  # fmt: skip
ALERTS = 28
# One silence ends, one inspection reads all forms of its month; two more draw ten of fourteen by a secret seed, and
# each settles the unit's undeterminable form - and both its alerts - where it happens to draw it.
CLEARED = (3, 5, 7)
UNITS = 8

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def manage() -> Iterator[Callable[..., Any]]:
    """Run ``manage.py`` on a portal of its own; returns the JSON it prints."""
    var = Path(tempfile.mkdtemp(prefix="pilot-demo-"))
    var.chmod(0o711)  # as root the database may run as `nobody`, who has to pass
    ours = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "CELERY_BROKER_URL"}
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    environment |= {"PILOT_VAR": str(var), "PILOT_BOOTSTRAP": "0"}

    def run(*words: str) -> Any:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    yield run
    run("stop")
    shutil.rmtree(var)


def test_the_whole_pilot_and_then_its_beginning_again(manage: Callable[..., Any]) -> None:
    demo = lambda stage: manage("demo", "--stage", stage, "--no-serve", "--forms", "20")  # noqa: E731
    closing = demo("closing")
    assert closing["stage"] == "closing"
    alerts = closing["counts"]["alert"]
    assert sum(alerts.values()) == ALERTS
    assert alerts["cleared"] in CLEARED
    assert closing["counts"] == {**CLOSING, "alert": alerts}
    assert [unit["code"] for unit in manage("register", "--json")] == [str(1001 + n) for n in range(UNITS)]
    audit = manage("verify_audit", "--json")
    assert (audit["ok"], audit["unsealed"]) == (True, 0)

    again = demo("closing")
    assert {**again, "seconds": 0} == {**closing, "seconds": 0}
    assert manage("verify_audit", "--json") == audit

    intake = demo("intake")
    assert intake["counts"]["approval-list"] == {}
    assert intake["counts"]["upload-job"] == {}
    assert manage("register", "--json") == []
    assert manage("verify_audit", "--json")["ok"] is True
