"""Packed uploads open to the same rows, and bombs do not open at all."""

from __future__ import annotations

import gzip
import io
import resource
import struct
import zipfile

import pytest

from filings.intake.decode import FileFormat, guess_format, read_rows
from filings.intake.records import FileRefused

CONTENT = b'{"a":1}\n{"a":2}\n'


def zipped(*members: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def misnamed() -> bytes:
    """A zip that calls a name UTF-8 which is none."""
    content = zipped(("中.ndjson", CONTENT))
    return content.replace("中".encode(), b"\xff\xff\xff")


def listing(count: int) -> bytes:
    """A zip that is a list of files and little more, its sizes in a record for large archives."""
    local = struct.pack("<4s2B4HL2L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"/"
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *[0] * 8, 1, *[0] * 6) + b"/"
    size = len(entry) * count
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, len(local))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + size, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + entry * count + end + locator + last


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


@pytest.mark.parametrize("file_format", FileFormat)
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_cannot_be_unpacked_piece_by_piece_is_refused(
    file_format: FileFormat, method: int
) -> None:
    name = "[Content_Types].xml" if file_format is FileFormat.XLSX else "forms"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, CONTENT)
    with pytest.raises(FileRefused) as refused:
        read_rows(io.BytesIO(packed.getvalue()), file_format, national_id="1001")
    assert refused.value.code == "file.damaged"


def test_a_name_that_is_not_what_it_says_is_a_fault_of_the_file() -> None:
    assert refusal(misnamed()) == "file.damaged"
    with pytest.raises(FileRefused) as refused:
        read_rows(io.BytesIO(misnamed()), FileFormat.XLSX, national_id="1001")
    assert refused.value.code == "file.damaged"
    with pytest.raises(FileRefused) as refused:
        guess_format("forms", io.BytesIO(misnamed()))
    assert refused.value.code == "file.damaged"


def test_a_long_list_of_files_is_refused_before_it_is_read() -> None:
    content = listing(300_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(content) == "file.too_large"
    for door in (
        lambda stream: read_rows(stream, FileFormat.XLSX, national_id="1001"),
        lambda stream: guess_format("forms", stream),
    ):
        with pytest.raises(FileRefused) as refused:
            door(io.BytesIO(content))
        assert refused.value.code == "file.too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def streamed(content: bytes) -> bytes:
    """As a tool writes a zip that cannot seek back and does not know how long the file will be."""
    out = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, piece: bytes) -> int:  # type: ignore[override]
            return out.write(piece)

    with (
        zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(  # type: ignore[call-overload]
            "forms.ndjson", "w", force_zip64=True
        ) as member,
    ):
        member.write(content)
    return out.getvalue()


def with_large_record(content: bytes) -> bytes:
    """The same zip with the end record for large archives, as some tools write it in any case."""
    size, offset = struct.unpack("<2L", content[-10:-2])
    where = len(content) - 22
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
    return content[:where] + end + struct.pack("<4sLQL", b"PK\x06\x07", 0, where, 1) + content[where:]


@pytest.mark.parametrize(
    "packed",
    [
        streamed(CONTENT),
        with_large_record(streamed(CONTENT)),
        zipped(("folder/", b""), ("folder/forms.ndjson", CONTENT)),
        zipped(("核验单.ndjson", CONTENT)),
    ],
    ids=["streamed", "record for large archives", "in a folder", "named in Chinese"],
)
def test_zips_of_every_honest_tool_are_taken(packed: bytes) -> None:
    assert rows_of(packed) == [{"a": 1}, {"a": 2}]


def test_a_comment_of_the_greatest_length_is_no_long_list() -> None:
    out = io.BytesIO(zipped(("forms.ndjson", CONTENT)))
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"x" * 65_535
    assert rows_of(out.getvalue()) == [{"a": 1}, {"a": 2}]
