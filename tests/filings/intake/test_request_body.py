"""The body of a request: the rows of an array are bounded as lines are, each by itself, before any is parsed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Final

import pytest

from filings.intake.decode import Row, fault_of
from filings.intake.lines import MAX_LINE
from filings.intake.records import FileRefused
from filings.intake.request_body import MAX_ROWS, read_json, read_lines

LARGEST_BODY: Final = 8 * 1024 * 1024
NESTED: Final = b"[[[]]],"


def outcome(rows: list[Row]) -> list[tuple[int, Any, str | None]]:
    return [(row.number, row.data, None if row.data else fault_of(row).code) for row in rows]


def of_length(length: int) -> bytes:
    return b'{"a":"' + b"x" * (length - 8) + b'"}'


def full_of(items: bytes, length: int) -> bytes:
    """An object of about this length that holds them over and over."""
    return b'{"a":[' + items * ((length - 9) // len(items)) + b"0]}"


@pytest.mark.parametrize("length", [MAX_LINE, MAX_LINE + 1])
def test_a_row_may_be_as_long_as_a_line_at_either_door(length: int) -> None:
    row, other = of_length(length), b'{"b":2}'
    by_lines = outcome(read_lines(row + b"\n" + other))
    assert [code for _number, _data, code in by_lines] == [
        None if length == MAX_LINE else "row.too_long",
        None,
    ]
    assert outcome(read_json(b"[" + row + b"," + other + b"]")) == by_lines
    assert outcome(read_json(b" \n" + row + b"\n")) == by_lines[:1]


def test_a_row_that_is_too_long_keeps_nothing_of_itself() -> None:
    assert [row.raw for row in read_json(b"[" + of_length(MAX_LINE + 1) + b",{}]")] == [b"", b"{}"]


def test_what_rows_hold_does_not_count_as_rows() -> None:
    """However many commas."""
    row = full_of(b"0,", MAX_LINE)
    rows = read_json(b"[" + b",".join([row] * 7) + b"]")
    assert [(row.number, row.data is None) for row in rows] == [(number, False) for number in range(1, 8)]


def test_the_most_rows() -> None:
    assert [row.raw for row in read_json(b"[" + b"0, " * (MAX_ROWS - 1) + b"0]")] == [b"0"] * MAX_ROWS
    with pytest.raises(FileRefused) as refused:
        read_json(b"[" + b"0," * MAX_ROWS + b"0]")
    assert (refused.value.code, refused.value.params) == ("file.too_many_rows", {"limit": MAX_ROWS})


_MEASURED: Final = """
import sys
from filings.intake.records import FileRefused
from filings.intake.request_body import read_json
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
body = sys.stdin.buffer.read()
before = peak()
try:
    for row in read_json(body):
        row.data
except FileRefused:
    pass
print((peak() - before) // 1024)
"""
"""The most memory this program held, not what its parent held when it started it."""


@pytest.mark.parametrize(
    "body",
    [
        full_of(NESTED, LARGEST_BODY),
        b"[" + full_of(NESTED, LARGEST_BODY - 2) + b"]",
        b"[" + b",".join([full_of(NESTED, MAX_LINE)] * 7) + b"]",
        b"[" + b"0," * (LARGEST_BODY // 2 - 1) + b"0]",
    ],
    ids=["one object", "one item", "seven items", "zeros"],
)
def test_eight_megabytes_stay_small(body: bytes) -> None:
    done = subprocess.run([sys.executable, "-c", _MEASURED], input=body, capture_output=True, check=True)
    assert int(done.stdout) < 64
