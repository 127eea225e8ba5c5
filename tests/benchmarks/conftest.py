"""Benchmarks run as people run them: by the command, from end to end, small."""

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
FOREIGN = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "CELERY_BROKER_URL"}


@pytest.fixture
def bench() -> Iterator[Callable[..., Any]]:
    """Runs ``manage.py bench`` with some words; gives its report, and sees that nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-test-bench-"))
    folder.chmod(0o711)  # as root the database may run as `nobody`, who has to pass
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= {"PILOT_BOOTSTRAP": "0", "PILOT_VAR": str(folder / "untouched"), "TMPDIR": str(folder)}

    def run(*words: str) -> Any:
        command = [sys.executable, "manage.py", "bench", *words, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report.keys() == {"name", "machine", "runs", "figures", "ratios"}
        assert [path for path in folder.iterdir() if path.name.startswith("pilot-bench-")] == []
        assert (folder / "untouched" / "postgres").exists() is False
        return report

    yield run
    shutil.rmtree(folder)
