"""House rule 1: the state of a case is moved by ``pilot.workflow.fire`` alone, through transitions."""

from __future__ import annotations

import ast
from pathlib import Path

from pilot import policy
from pilot.machines import MACHINES, declared

ROOT = Path(__file__).resolve().parents[2]
APPS = ("pilot", "applications", "assessment", "filings")
SOURCES = [
    path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts
]
IN_BULK = {"pilot/benchmarks/accuracy.py": 1}
"""Thousands of invented findings moved at once, on a portal that is thrown away afterwards: file, how often."""


def _moved(path: Path) -> tuple[list[int], int]:
    """Lines that assign to a ``state``, and how many queries write one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Attribute) and target.attr == "state"
    ]
    updates = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"update", "create", "get_or_create", "update_or_create"}
        and any(keyword.arg == "state" for keyword in node.keywords)
    ]
    return assigned, len(updates)


def test_nobody_assigns_a_state() -> None:
    moved = {path.relative_to(ROOT).as_posix(): _moved(path) for path in SOURCES}
    assert {name: found for name, found in moved.items() if found != ([], 0)} == {
        name: ([], times) for name, times in IN_BULK.items()
    }


def test_every_transition_has_its_row_in_the_policy() -> None:
    transitions = {f"{slug}.{t.name}" for slug, model in MACHINES.items() for t in declared(model)}
    assert transitions - policy.acts().keys() == set()


def test_every_machine_says_who_reads_its_history() -> None:
    with policy.POLICY_FILE.open("rb") as file:
        import tomllib

        assert tomllib.load(file)["history"].keys() == MACHINES.keys()


def test_django_fsm_comes_from_the_maintained_distribution() -> None:
    from importlib.metadata import packages_distributions

    assert packages_distributions()["django_fsm"] == ["django-fsm-2"]
