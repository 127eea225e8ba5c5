"""docs/conventions.toml stays true: every convention there once, with places that exist and tests that run."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.security.rows import ROOT
from tests.security.test_rows import stands

COUNTS = {"C": 16, "P": 13, "R": 9, "O": 5}
IDS = [f"{letter}{number:02d}" for letter, count in COUNTS.items() for number in range(1, count + 1)]


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "docs/conventions.toml").read_text(encoding="utf-8"))[
        "row"
    ]
    return found


def test_every_convention_is_there_once() -> None:
    assert [row["id"] for row in rows()] == IDS


def test_every_convention_has_a_browser_test_that_runs_and_a_place_that_exists() -> None:
    unshown = [
        row["id"]
        for row in rows()
        if not any(test.startswith("tests/browser/") for test in row["tests"])
        or not all(stands(test) for test in row["tests"])
    ]
    nowhere = [place for row in rows() for place in row["where"] if not (ROOT / place).exists()]
    assert (unshown, nowhere) == ([], [])
