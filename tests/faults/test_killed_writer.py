"""kill -9 at random moments of uploading, handing in and making papers: disk and database agree (F09, F10).

``PILOT_KILL_POINTS`` says how many processes are killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from applications.models import Application, ApplicationFile, ApplicationVersion, PartialUpload
from applications.services import uploads
from applications.tasks import sweep_uploads
from pilot.models import Document, NumberSequence, TransitionRecord
from pilot.services import documents
from pilot.services.leftovers import ABANDONED_AFTER
from pilot.tasks import clear_leftovers
from tests.factories import world

ROOT = Path(__file__).parents[2]
WRITER = Path(__file__).with_name("killed_writer.py")
KILLS = int(os.environ.get("PILOT_KILL_POINTS", "4"))

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300 + 20 * KILLS),
]


@pytest.fixture
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "media"
    return tmp_path


def play(var: Path) -> dict[str, int]:
    words = [connection.settings_dict["NAME"], str(var / "media"), str(var / "var"), str(KILLS), "87"]
    done = subprocess.run(
        [sys.executable, str(WRITER), *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ended: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return ended


def named() -> set[str]:
    """Every digest a row names."""
    rows = [*ApplicationFile.unscoped.all(), *Document.objects.all()]
    return {row.sha256 for row in rows}


def whole(digests: set[str]) -> bool:
    """Whether all that rows name lies on disk unchanged; raises OSError where it does not."""
    return all(hashlib.sha256(documents.read_bytes(digest)).hexdigest() == digest for digest in digests)


def on_disk(var: Path) -> set[str]:
    return {path.name for path in (var / "media").glob("*/*")}


def sealed(var: Path) -> set[str]:
    """What bears its final name."""
    return {name for name in on_disk(var) if len(name) == 64}


def test_disk_and_database_agree_wherever_the_writer_was_killed(var: Path) -> None:
    world.install()
    ended = play(var)
    assert ended["killed"] == KILLS
    assert ended["whole"] >= 1

    # No row without its file, no file that is not what its row says, and nothing sealed that no row knows.
    assert whole(named())
    assert sealed(var) - named() == set()
    assert all(uploads.path_of(row).stat().st_size >= row.received for row in PartialUpload.unscoped.all())
    # A number was given out once, with everything that goes with it, or not at all.
    cases = Application.unscoped.exclude(case_number="").order_by("case_number")
    numbers = [f"SQ2019-44-{n:05d}" for n in range(1, cases.count() + 1)]
    assert list(cases.values_list("case_number", flat=True)) == numbers
    assert NumberSequence.objects.get(series="SQ2019-44").last == len(numbers)
    assert sorted(ApplicationVersion.unscoped.values_list("application", flat=True)) == sorted(
        cases.values_list("pk", flat=True)
    )
    kinds = Counter(Document.objects.values_list("kind", flat=True))
    accepted = TransitionRecord.objects.filter(machine="application", name="accept").count()
    letters = sum(kinds.values()) - kinds["receipt"]
    assert (letters, kinds["receipt"] <= len(numbers)) == (accepted, True)
    assert NumberSequence.objects.get(series="letter-44-2019").last == letters

    # Half an hour later what the dead left is settled or gone; nobody else lost anything.
    moment = (timezone.now() - ABANDONED_AFTER).timestamp() - 1
    for path in [*(var / "media").glob("*/*"), *(var / "var" / "uploads").glob("*")]:
        os.utime(path, (moment, moment))
    clear_leftovers()
    sweep_uploads()
    assert on_disk(var) == named()
    assert whole(named())
    resumable = {row.token for row in PartialUpload.unscoped.all()}
    assert {path.name for path in (var / "var" / "uploads").glob("*")} == resumable
    assert clear_leftovers() == {"settled": 0, "removed": 0}
