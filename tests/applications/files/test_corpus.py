"""Hostile files are refused in the words of their rule, in little time and memory; good files are taken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from applications.models import ApplicationFile
from applications.services.drafts import start_application
from applications.services.files import add_file
from applications.validators import files as validator
from applications.validators.limits import Rule
from pilot.actors import Actor
from pilot.errors import Refused
from tests.applications import builders
from tests.applications.files.good import GOOD, Good
from tests.applications.files.hostile import HOSTILE, Case

MAX_SECONDS = 5
MAX_KIBIBYTES = 300 * 1024
# A small process of its own between us and the inspection tells what the inspection used, however it ended.
WITNESS = """
import resource, subprocess, sys
ended = subprocess.run([sys.executable, "-m", "applications.validators.inspection"])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
sys.exit(ended.returncode)
"""
# The fast suite takes one file for every refusal there is, and every fourth of the good ones.
FAST = list({case.words: case for case in reversed(HOSTILE)}.values())


def params(cases: Sequence[Any], fast: Sequence[Any]) -> list[Any]:
    """The files as parameters, those that are not in the fast suite marked."""
    return [
        pytest.param(case, id=ascii(case.name[:30]), marks=() if case in fast else pytest.mark.slow)
        for case in cases
    ]


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the peak memory of the last inspection stands in KiB, and its time in seconds."""
    path = tmp_path / "peak"
    monkeypatch.setattr(validator, "COMMAND", (sys.executable, "-c", WITNESS, str(path)))
    monkeypatch.setattr(validator, "_good", type(validator._good)())
    return path


def used(path: Path) -> dict[str, bool]:
    """Whether the inspection, if there was one, kept to its limits. Its own time counts, not that of a busy machine."""
    peak, seconds = path.read_text().split() if path.exists() else ("0", "0")
    return {"memory": int(peak) <= MAX_KIBIBYTES, "time": float(seconds) <= MAX_SECONDS}


KEPT = {"memory": True, "time": True}


def test_there_are_enough_of_each() -> None:
    assert (len(HOSTILE) >= 40, len(GOOD) >= 40) == (True, True)
    assert len({case.name for case in GOOD}) == len(GOOD)


def test_every_rule_has_words() -> None:
    assert list(validator.WORDS) == list(Rule)


def test_every_rule_is_broken_by_some_file() -> None:
    said = {case.words for case in HOSTILE}
    unbroken = {rule for rule in Rule if not any(_begins(rule, words) for words in said)}
    assert unbroken == set()


def _begins(rule: Rule, words: str) -> bool:
    head = str(validator.WORDS[rule]).split("%(")[0]
    return words.startswith(head) if head else words.endswith("文件不完整或已损坏，请重新导出后上传")


@pytest.mark.parametrize("case", params(HOSTILE, FAST))
def test_a_hostile_file_is_refused_in_words(case: Case, witness: Path) -> None:
    with pytest.raises(Refused) as refusal:
        validator.examine(case.make(), case.name)
    assert str(refusal.value) == case.words
    assert used(witness) == KEPT


@pytest.mark.parametrize("case", params(GOOD, GOOD[::4]))
def test_a_good_file_is_known_by_its_content(case: Good, witness: Path) -> None:
    found = validator.examine(case.make(), case.name)
    assert (found.content_type, found.pages) == (case.kind, case.pages)
    assert used(witness) == KEPT


def test_nothing_hostile_is_stored(provider: Actor, tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = tmp_path / "kept"  # type: ignore[attr-defined]
    case = start_application(actor=provider)
    for hostile in FAST[::6]:
        upload = Sent(hostile.name, hostile.make())
        with pytest.raises(Refused) as refusal:
            add_file(case=case, actor=provider, kind="other", upload=upload)
        assert str(refusal.value) == hostile.words
    assert ApplicationFile.unscoped.count() == 0
    assert not (tmp_path / "kept").exists()


class Sent:
    """An upload under the very name that was sent, which Django's own class would tidy."""

    def __init__(self, name: str, body: bytes) -> None:
        self.name, self.size, self._body = name, len(body), body

    def read(self) -> bytes:
        return self._body


def test_the_inspecting_process_has_no_django() -> None:
    code = "import applications.validators.inspection, sys; print([m for m in sys.modules if m.startswith('django')])"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=validator.ROOT
    )
    assert ended.stdout.strip() == "[]"


def test_the_same_bytes_are_looked_into_once(witness: Path) -> None:
    body = builders.pdf("once")
    first = validator.examine(body, "a.pdf")
    witness.unlink()
    assert validator.examine(body, "b.pdf") == first
    assert not witness.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/b/passwd.pdf", "passwd.pdf"),
        ("C:\\文件\\许可证.pdf", "许可证.pdf"),
        ("a\u200bb.pdf", "ab.pdf"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("", "file"),
    ],
)
def test_names_are_tidied(name: str, kept: str) -> None:
    assert validator.safe_name(name) == kept
