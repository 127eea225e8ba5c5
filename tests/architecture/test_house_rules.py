"""The rules of the house that ``.ci/run`` has semgrep look for: each is proven, and each exception is from one of them.

That they find what their proofs say is semgrep's own test (``semgrep --test .ci/semgrep``).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / ".ci" / "semgrep").glob("*.yml"))


def names(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text, re.MULTILINE))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_rule_has_what_it_finds_and_what_it_leaves_alone(path: Path) -> None:
    proof = path.with_suffix(".py").read_text(encoding="utf-8")
    rules = names(r"^  - id: (\S+)$", path.read_text(encoding="utf-8"))
    assert (names(r"# ruleid: (\S+)$", proof), names(r"# ok: (\S+)$", proof)) == (rules, rules)


def test_every_exception_names_a_rule() -> None:
    rules = {name for path in RULES for name in names(r"^  - id: (\S+)$", path.read_text(encoding="utf-8"))}
    apps = ("pilot", "applications", "assessment", "filings", "docs")
    code = [path.read_text(encoding="utf-8") for app in apps for path in (ROOT / app).rglob("*.py")]
    exceptions = [name for text in code for name in re.findall(r"nosem\w*(?:: ([\w-]+))?", text)]
    assert (len(RULES), set(exceptions) - rules) == (3, set())
    assert len(exceptions) == 23  # each with its reason beside it; one more is a decision
