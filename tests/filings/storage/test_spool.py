"""The spool: encrypted on disk, read back from any place, whole or not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag

from filings.services import spool


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR = tmp_path
    return tmp_path


def file_of(job: UUID) -> Path:
    return spool.folder(job) / spool.UPLOAD


@pytest.mark.parametrize("size", [0, 1, spool.BLOCK - 1, spool.BLOCK, spool.BLOCK + 1, 3 * spool.BLOCK + 17])
def test_what_goes_in_comes_out(size: int) -> None:
    content, job = (b"0123456789abcdef" * (size // 16 + 1))[:size], uuid4()
    assert spool.write_upload(job, io.BytesIO(content)).size == size
    with spool.open_upload(job) as stream:
        assert stream.read() == content
        for place in (0, size // 2, max(0, size - 3)):
            stream.seek(place)
            assert stream.read(5) == content[place : place + 5]
        assert stream.seek(0, io.SEEK_END) == size
        assert stream.read() == b""


def test_a_source_that_gives_little_at_a_time_is_one_file() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 1000))

    job, content = uuid4(), bytes(range(256)) * 2000
    spool.write_upload(job, Slow(content))
    with spool.open_upload(job) as stream:
        assert stream.read() == content


def test_nothing_of_the_content_is_readable_on_disk() -> None:
    job = uuid4()
    spool.write_upload(job, io.BytesIO("示例科技有限公司".encode() * 1000))
    assert "示例".encode() not in file_of(job).read_bytes()


def test_a_changed_file_does_not_open() -> None:
    job = uuid4()
    spool.write_upload(job, io.BytesIO(b"x" * 100))
    sealed = bytearray(file_of(job).read_bytes())
    sealed[50] ^= 1
    file_of(job).write_bytes(sealed)
    with spool.open_upload(job) as stream, pytest.raises(InvalidTag):
        stream.read()


def test_a_source_that_breaks_leaves_nothing() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("cut off")

    job = uuid4()
    with pytest.raises(OSError, match="cut off"):
        spool.write_upload(job, Broken())
    assert list(spool.folder(job).iterdir()) == []


def test_refused_rows_come_in_order_and_are_replaced_when_kept_again() -> None:
    job = uuid4()
    for first, content in ((5001, b"second"), (1, b"old"), (1, b"first")):
        spool.write_refused(job, first, content)
    assert list(spool.read_refused(job)) == [b"first", b"second"]
    spool.remove_upload(job)
    assert spool.has_refused(job)
    spool.remove(job)
    assert list(spool.folders()) == []


def test_a_mark_that_a_power_failure_cut_short_is_none() -> None:
    job = uuid4()
    spool.note_reached(job, 4_711)
    assert spool.reached(job) == 4_711
    for left in (b"", b"\x01", b"\x01" + bytes(40)):
        (spool.folder(job) / spool.REACHED).write_bytes(left)
        assert spool.reached(job) is None
