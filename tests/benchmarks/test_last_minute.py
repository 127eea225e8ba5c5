"""The benchmark of the last minute, small: it runs from end to end, tells its figures, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilot import benchmarks

ROOT = Path(__file__).parents[2]
FOREIGN = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "CELERY_BROKER_URL"}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.95, 0.0),
        ([3.0], 0.5, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([*map(float, range(1, 101))], 0.95, 95.0),
    ],
)
def test_percentiles_are_values_that_occurred(values: list[float], share: float, expected: float) -> None:
    assert benchmarks.percentile(values, share) == expected


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pilot-test-bench-"))
    made.chmod(0o711)  # as root the database may run as `nobody`, who has to pass
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_providers_in_the_last_seconds(folder: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= {"PILOT_BOOTSTRAP": "0", "PILOT_VAR": str(folder / "untouched"), "TMPDIR": str(folder)}
    words = ["bench", "last_minute", "--providers", "5", "--seconds", "2", "--json"]
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.keys() == {"name", "machine", "runs", "figures", "ratios"}
    told = {
        name: report["figures"][name]
        for name in ("providers", "submitted", "lost", "double", "late", "receipts")
    }
    assert told == {"providers": 5, "submitted": 5, "lost": 0, "double": 0, "late": 0, "receipts": 5}
    assert [path for path in folder.iterdir() if path.name.startswith("pilot-bench-")] == []
    assert (folder / "untouched" / "postgres").exists() is False
