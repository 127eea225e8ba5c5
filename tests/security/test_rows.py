"""docs/security stays true: every row there, every file and every test it names exists, and none of them is skipped."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.security.rows import PAGE, ROOT, page, rows

IDS = [f"F{n:02d}" for n in range(1, 24)] + [f"S{n:02d}" for n in range(1, 20)]
SKIPS = {"skip", "skipif", "xfail", "importorskip", "skipUnless", "skipIf"}
MEMBERS = {"id", "demand", "control", "tests", "figure"}


def names(node: ast.AST) -> set[str]:
    """Every name and attribute in it."""
    parts = list(ast.walk(node))
    return {part.attr for part in parts if isinstance(part, ast.Attribute)} | {
        part.id for part in parts if isinstance(part, ast.Name)
    }


@cache
def running(path: str) -> set[str]:
    """The tests in a file that run: nothing in them, or in what stands around them, skips or expects a failure."""
    file = ROOT / path
    if not file.is_file():
        return set()
    body = ast.parse(file.read_text(encoding="utf-8")).body
    tests = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    if any(names(node) & SKIPS for node in body if node not in tests):
        return set()
    return {test.name for test in tests if not names(test) & SKIPS}


def stands(test: str) -> bool:
    """Whether a test of this name exists and runs."""
    path, _, name = test.partition("::")
    return name in running(path)


def test_every_row_is_there_once_and_says_what_is_missing() -> None:
    assert [row["id"] for row in rows()] == IDS
    assert [row["id"] for row in rows() if row.keys() - {"open"} != MEMBERS] == []
    assert [row["id"] for row in rows() if not row["demand"] or not row["control"]] == []
    # Without a test a row is open, in words; with one it tells what was measured.
    assert [row["id"] for row in rows() if not (row["figure"] if row["tests"] else row.get("open"))] == []


def test_every_test_and_every_file_exists() -> None:
    assert {row["id"]: [test for test in row["tests"] if not stands(test)] for row in rows()} == {
        row_id: [] for row_id in IDS
    }
    missing = [path for row in rows() for path in row["control"] if not (ROOT / path).is_file()]
    assert missing == []


@pytest.mark.parametrize(
    "test",
    [
        "tests/security/test_rows.py::test_of_another_name",
        "tests/security/test_nowhere.py::test_x",
        "tests/security/test_rows.py::IDS",
        "tests/security/test_rows.py",
        "tests/pilot/embedded/test_servers.py::test_without_user_namespaces_root_starts_postgres_as_nobody",
    ],
)
def test_a_test_that_does_not_exist_or_may_be_skipped_is_noticed(test: str) -> None:
    assert stands(test) is False


def test_the_page_shows_the_rows() -> None:
    assert page() == PAGE.read_text(encoding="utf-8")


def test_the_items_of_level_three_are_all_there() -> None:
    """The 34 items of 安全计算环境, each with where it is met or who has to meet it; files named there exist."""
    part = PAGE.read_text(encoding="utf-8").split("## 等保三级")[1]
    items = re.findall(
        r"^\| (8\.1\.4\.\d+)([a-g])? \| ([^|]+) \| (平台|部署|双方) \| ([^|]+) \|$", part, re.MULTILINE
    )
    counts: dict[str, int] = {}
    for number, _letter, *_rest in items:
        counts[number] = counts.get(number, 0) + 1
    expected = {1: 4, 2: 7, 3: 4, 4: 6, 5: 1, 6: 1, 7: 2, 8: 2, 9: 3, 10: 2, 11: 2}
    assert counts == {f"8.1.4.{n}": count for n, count in expected.items()}
    assert sum(counts.values()) == 34
    named = {path for *_rest, where in items for path in re.findall(r"`([\w./-]+\.\w+)`", where)}
    assert [path for path in named if not (ROOT / path).exists()] == []
