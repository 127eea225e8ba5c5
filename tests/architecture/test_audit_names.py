"""Every act that the code puts on record has a test that looks at its row (MLPS 安全审计): none can fall silent unseen.

Names are read from the source: what is handed to ``record`` as ``action``, also through a constant or by the private
function of a module that hands it on. Transitions are recorded in one place (``pilot.workflow``) and tested there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from pilot.views.audit_words import action_words

ROOT: Final = Path(__file__).resolve().parents[2]
APPS: Final = ("pilot", "applications", "assessment", "filings")
NAME: Final = re.compile(r"[a-z0-9-]+\.[a-z_-]+").fullmatch
# f"{…}.{…}" in the code: what its parts are. Those of the machines are one mechanism.
BUILT: Final = {
    "pilot/workflow.py": {"application.submit", "application.open"},
    "pilot/services/webhooks.py": {
        f"webhook.{act}"
        for act in ("register", "change", "pause", "remove", "replay", "resume", "rotate", "test")
    },
    "applications/services/deadlines.py": {
        f"application.{what}" for what in ("overdue", "reminder", "warning", "closed")
    },
    "assessment/services/report_urges.py": {
        f"provincial-report.{what}" for what in ("overdue", "reminder", "urge")
    },
    "filings/services/v3_callers.py": {
        f"v3.isp_{call}" for call in ("upload", "querypreviousupload", "download", "downloadack")
    },
}


def sources() -> Iterator[Path]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts and not {"demo", "benchmarks"} & set(path.parts):
                yield path


def strings(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and NAME(part.value)
    }


def constants_of(tree: ast.Module) -> dict[str, set[str]]:
    """The names that the constants of a module stand for."""
    return {
        target.id: strings(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def written(path: Path) -> tuple[set[str], bool]:
    """The names a module records, and whether it builds some from parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    built = False
    constants = constants_of(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        called = ast.unparse(call.func).rsplit(".", 1)[-1]
        for given in call.keywords:
            if given.arg == "action" and called not in {"filter", "get"}:
                found |= strings(given.value)
                if isinstance(given.value, ast.Name):
                    found |= constants.get(given.value.id, set())
                built |= any(isinstance(part, ast.JoinedStr) for part in ast.walk(given.value))
        if called in {"_record", "_on_record"}:
            found |= {name for argument in call.args for name in strings(argument)}
    return found, built


@cache
def asserted() -> frozenset[str]:
    """Every name that stands in a test of a module which reads the log, as text or by its constant."""
    found: set[str] = set()
    constants: dict[str, set[str]] = {}
    for path in sources():
        for name, stands_for in constants_of(ast.parse(path.read_text(encoding="utf-8"))).items():
            constants.setdefault(name, set()).update(stands_for)
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if path == Path(__file__) or not re.search(r"AuditEntry|audited\(", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) or (
                isinstance(node, ast.Assign) and path.name.startswith("test_audit")
            ):
                found |= strings(node)
            elif isinstance(node, ast.Attribute):
                found |= constants.get(node.attr, set())
    return frozenset(found)


@cache
def recorded() -> frozenset[str]:
    """Every name that the code puts on record."""
    found, building = set[str](), set[str]()
    for path in sources():
        names, built = written(path)
        found |= names
        if built:
            building.add(str(path.relative_to(ROOT)))
    assert building == set(BUILT)
    assert len(found) > 70
    return frozenset(found.union(*BUILT.values()))


def test_every_name_on_record_is_looked_at_by_a_test() -> None:
    assert sorted(recorded() - asserted()) == []


def test_every_name_on_record_is_read_in_words() -> None:
    assert sorted(name for name in recorded() if action_words(name) == name) == []
