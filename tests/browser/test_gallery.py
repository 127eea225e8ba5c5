"""The command that takes the pictures of the portal, on a portal that is running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pilot import help as texts
from pilot import policy
from tests.browser.conftest import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_every_page_for_everyone_is_taken_at_every_width(
    programme: Any, live_server: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "account_login.png").write_bytes(b"of an earlier run")
    words = [
        "--url",
        live_server.url,
        "--folder",
        str(folder),
        "--role",
        "public",
        "--width",
        "1366",
        "--width",
        "390",
    ]
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "manage.py", "gallery", *words],
        cwd=ROOT,
        env={**ours, "PILOT_VAR": str(tmp_path / "var"), "PILOT_BOOTSTRAP": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    taken = {file.stem for file in folder.glob("*.png")}
    assert {"guide", "account_login", "help_index"} - taken == set()
    assert {name for name in taken if name not in texts.by_page() or not policy.may_open(name, None)} == set()
    assert done.stdout == f"{len(taken)} pages, 0 faults\n"
    assert Image.open(folder / "account_login.png").size == (
        1366,
        768,
    )  # taken anew, though others may open it, too
    narrow = {file.stem: Image.open(file).size for file in (folder / "all/390/public").glob("*.png")}
    assert narrow == dict.fromkeys(taken, (390, 844))
    page = (folder / "index.html").read_text()
    assert [page.count(f'<img src="{name}.png"') for name in sorted(taken)] == [1] * len(taken)
