"""Packed uploads open to the same rows, and bombs do not open at all."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from filings.intake.decode import FileFormat, read_rows
from filings.intake.records import FileRefused

CONTENT = b'{"a":1}\n{"a":2}\n'


def zipped(*members: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def rows_of(content: bytes) -> list[object]:
    return [row.data for row in read_rows(io.BytesIO(content), FileFormat.NDJSON, national_id="1001")]


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        rows_of(content)
    return refused.value.code


@pytest.mark.parametrize(
    "packed",
    [CONTENT, gzip.compress(CONTENT), zipped(("forms.ndjson", CONTENT))],
    ids=["plain", "gzip", "zip"],
)
def test_packed_and_plain_files_give_the_same_rows(packed: bytes) -> None:
    assert rows_of(packed) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(b'{"a":1}\n' + b" " * 64_000_000), "file.too_large"),
        (zipped(("bomb.ndjson", b'{"a":1}\n' + b" " * 64_000_000)), "file.too_large"),
        (zipped(("a.ndjson", CONTENT), ("b.ndjson", CONTENT)), "file.wrong_type"),
        (zipped(), "file.binary"),
        (zipped(("a.ndjson", CONTENT))[:-30], "file.damaged"),
        (gzip.compress(CONTENT)[:-9], "file.damaged"),
        (gzip.compress(b""), "file.empty"),
        (gzip.compress(gzip.compress(CONTENT, mtime=0)), "file.binary"),
    ],
    ids=[
        "gzip bomb",
        "zip bomb",
        "two files",
        "no file",
        "cut zip",
        "cut gzip",
        "nothing packed",
        "packed twice",
    ],
)
def test_bad_archives_are_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code
