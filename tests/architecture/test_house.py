"""The house plan: what stands at the top, who imports whom, how long files are, data that refuses unscoped queries."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from pilot.actors import Actor
from pilot.machines import Owned, UnscopedQueryError

ROOT = Path(__file__).resolve().parents[2]
TOP = {
    "manage.py",
    "pyproject.toml",
    "README.md",
    "requirements.lock",
    "pilot",
    "applications",
    "assessment",
    "filings",
    "templates",
    "tests",
    "docs",
}
LONGEST = 500
OWNED = [model for model in apps.get_models() if issubclass(model, Owned)]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [Path(name) for name in listed.decode().split("\0") if name and (ROOT / name).exists()]


def test_nothing_else_stands_at_the_top() -> None:
    assert {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")} == TOP


def test_no_file_needs_a_map() -> None:
    code = [
        p for p in tracked() if p.suffix in {".py", ".html", ".css", ".js"} and "migrations" not in p.parts
    ]
    lengths = {str(p): len((ROOT / p).read_text(encoding="utf-8").splitlines()) for p in code}
    assert {name: n for name, n in lengths.items() if n >= LONGEST} == {}


def test_imports_keep_to_the_house_plan() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout[-2000:] if result.returncode else "") == (0, "")


def test_no_two_advisory_locks_share_a_class() -> None:
    """Else what one holds for a job, say, another waits for on behalf of a unit that happens to have the same key."""
    declared = re.compile(r"^(?:\w+_)?LOCK(?:: Final)? = (\d+)", re.MULTILINE)
    code = [p for p in tracked() if p.suffix == ".py" and p.parts[0] != "tests"]
    classes = Counter(n for p in code for n in declared.findall((ROOT / p).read_text(encoding="utf-8")))
    assert {n: uses for n, uses in classes.items() if uses > 1} == {}


@pytest.mark.parametrize("model", OWNED, ids=lambda m: m.__name__)
def test_owned_data_refuses_an_unscoped_query(db: None, model: Any) -> None:
    with pytest.raises(UnscopedQueryError):
        model.objects.all()
    with pytest.raises(UnscopedQueryError):
        model.objects.filter(pk=1)


@pytest.mark.parametrize("model", OWNED, ids=lambda m: m.__name__)
def test_somebody_without_a_role_sees_nothing(db: None, model: Any) -> None:
    assert list(model.objects.visible_to(Actor(role="", name="nobody"))[:1]) == []
