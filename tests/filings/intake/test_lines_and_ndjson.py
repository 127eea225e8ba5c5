"""NDJSON in bounded memory: every bad line is one row's fault, every bad head refuses the file."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from filings.intake.decode import fault_of
from filings.intake.lines import CHUNK, MAX_LINE, split_lines
from filings.intake.ndjson import read_ndjson
from filings.intake.records import FileRefused, RawRow

MEGABYTE = 1024 * 1024


class Generated:
    """A file object fed by a generator, so that a file of gigabytes costs nothing to make."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.rest = b""

    def read(self, size: int, /) -> bytes:
        if not self.rest:
            self.rest = next(self.pieces, b"")
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


def rows_of(content: bytes) -> list[RawRow]:
    return list(read_ndjson(io.BytesIO(content)))


def outcome(rows: list[RawRow]) -> list[tuple[int, object, str | None]]:
    return [(row.number, row.data, None if row.data else fault_of(row).code) for row in rows]


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        rows_of(content)
    assert refused.value.message("en") != refused.value.message("zh") == str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n{"a":2}\n',
        b'{"a":1}\r\n{"a":2}\r\n',
        b'\xef\xbb\xbf{"a":1}\n{"a":2}',
        b'\n\n  {"a":1}  \n\r\n{"a":2}\n\n',
    ],
)
def test_line_ends_bom_and_blank_lines_do_not_matter(content: bytes) -> None:
    assert outcome(rows_of(content)) == [(1, {"a": 1}, None), (2, {"a": 2}, None)]


def test_a_broken_row_in_the_middle_costs_only_itself() -> None:
    rows = rows_of(
        b'{"a":1}\n{"a":\n[1]\n"x"\n{"a":"\xff"}\n{"a":"\\ud800"}\n{"a":1e-99999999999999999999}\n{"a":2}\n'
    )
    assert outcome(rows) == [
        (1, {"a": 1}, None),
        *((number, None, "json.invalid") for number in range(2, 8)),
        (8, {"a": 2}, None),
    ]
    assert rows[1].raw == b'{"a":'


@pytest.mark.parametrize("first", [b'{"a":', b"0", b"x", b'"["', b"]"])
def test_a_broken_first_row_costs_only_itself(first: bytes) -> None:
    assert outcome(rows_of(first + b'\n{"a":1}\n[1]\n')) == [
        (1, None, "json.invalid"),
        (2, {"a": 1}, None),
        (3, None, "json.invalid"),
    ]


def test_deep_nesting_is_a_broken_row() -> None:
    assert outcome(rows_of(b'{"a":' + b"[" * 100_000 + b'\n{"a":1}')) == [
        (1, None, "json.invalid"),
        (2, {"a": 1}, None),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"\xef\xbb\xbf", "file.empty"),
        (b"\n \n\r\n", "file.empty"),
        (bytes(range(256)) * 8, "file.binary"),
        (b"PK\x03\x04\x00\x00", "file.binary"),
        ('{"a":1}'.encode("utf-16"), "file.encoding"),
        ('{"name":"示例"}\n'.encode("gbk"), "file.encoding"),
        (b"form_no,filing_type\nSL-000001,new_filing\n", "file.wrong_type"),
        (b"<?xml version='1.0'?><UploadData/>", "file.wrong_type"),
        (json.dumps([{"a": 1}, {"a": 2}], indent=1).encode(), "file.array"),
        (b'\xef\xbb\xbf\r\n [{"a":1},\n{"a":2}]\n', "file.array"),
        (b'[{"a":1}]', "file.array"),
    ],
)
def test_a_fault_of_the_head_refuses_the_file(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_character_cut_by_the_end_of_the_head_is_no_fault() -> None:
    name = "示" * 30_000
    for padding in range(3):
        line = json.dumps({"p": "x" * padding, "n": name}, ensure_ascii=False).encode()
        assert outcome(rows_of(line)) == [(1, {"p": "x" * padding, "n": name}, None)]


@pytest.mark.parametrize(
    ("length", "end", "code"),
    [
        (MAX_LINE, b"\n", None),
        (MAX_LINE, b"\r\n", None),
        (MAX_LINE, b"", None),
        (MAX_LINE + 1, b"\n", "row.too_long"),
    ],
)
def test_the_longest_line_is_one_megabyte(length: int, end: bytes, code: str | None) -> None:
    line = b'{"a":"' + b"x" * (length - 8) + b'"}'
    rows = rows_of(b'{"a":1}\n' + line + end)
    assert [(row.number, None if row.data else fault_of(row).code) for row in rows] == [(1, None), (2, code)]


def test_a_line_of_two_gigabytes_is_skipped_in_bounded_memory() -> None:
    filler = b"x" * MEGABYTE

    def pieces() -> Iterator[bytes]:
        yield b'{"a":1}\n{"a":"'
        for _ in range(2048):
            yield filler
        yield b'"}\n{"a":2}\n'

    tracemalloc.start()
    rows = list(read_ndjson(Generated(pieces())))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome(rows) == [(1, {"a": 1}, None), (2, None, "row.too_long"), (3, {"a": 2}, None)]
    assert peak < 8 * MEGABYTE


def test_rows_come_before_the_file_has_been_read() -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"a":1}\n' * (CHUNK // 8 + 1)
        raise AssertionError("read too far")

    rows = read_ndjson(Generated(pieces()))
    assert next(rows).data == {"a": 1}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_lines_do_not_depend_on_how_the_stream_is_cut(size: int) -> None:
    content = b"one\ntwo\r\n\n" + b"long" * 10 + b"\nlast"

    class Trickling(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    assert list(split_lines(Trickling(content), limit=20)) == [b"one", b"two", b"", None, b"last"]
