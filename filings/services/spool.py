"""Encrypted files of upload jobs: what came in until it is processed, and the refused rows for 30 days.

Every file lies in a folder named by the job's random key, never by anything a user typed. Its first byte is the
version of the master key; then follow blocks of equal size, each sealed on its own, so that a reader may seek
(packed files and worksheets need that) and plain content never reaches the disk.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple
from uuid import UUID

from django.conf import settings

from filings.intake.lines import Readable
from filings.services import crypto

BLOCK: Final = 256 * 1024
SEAL_BYTES: Final = crypto.NONCE_BYTES + 16
UPLOAD: Final = "upload"
REFUSED: Final = "refused-"
PACKAGE: Final = "package"


class Spooled(NamedTuple):
    """What was written: size in bytes and SHA-256 (hex) of the plain content."""

    size: int
    sha256: str


def folder(job: UUID) -> Path:
    """Where the files of a job lie."""
    return Path(settings.VAR) / "spool" / job.hex


def write_upload(job: UUID, source: Readable) -> Spooled:
    """Take in a whole upload, block by block."""
    return _write(folder(job) / UPLOAD, job, source)


def write_refused(job: UUID, first_row: int, content: bytes) -> None:
    """Keep the refused rows of the chunk that starts at ``first_row``; writing them again replaces them."""
    _write(folder(job) / f"{REFUSED}{first_row:09d}", job, io.BytesIO(content))


def read_refused(job: UUID) -> Iterator[bytes]:
    """The kept chunks of refused rows, in order; nothing when they were never kept or are gone."""
    for path in sorted(folder(job).glob(f"{REFUSED}*")):
        with path.open("rb") as file:
            yield io.BufferedReader(_Blocks(file, job), BLOCK).read()


def has_refused(job: UUID) -> bool:
    """Whether refused rows of a job are kept."""
    return any(folder(job).glob(f"{REFUSED}*"))


@contextmanager
def open_upload(job: UUID) -> Iterator[BinaryIO]:
    """The upload as a seekable stream of plain bytes; FileNotFoundError when it is gone."""
    with (folder(job) / UPLOAD).open("rb") as file:
        yield io.BufferedReader(_Blocks(file, job), BLOCK)


def keep_package(job: UUID) -> None:
    """Keep the upload, as it came, beyond its processing (a second name of the same file)."""
    with suppress(FileExistsError):
        (folder(job) / PACKAGE).hardlink_to(folder(job) / UPLOAD)


def read_package(job: UUID) -> bytes:
    """A kept upload; FileNotFoundError when it is gone."""
    with (folder(job) / PACKAGE).open("rb") as file:
        return io.BufferedReader(_Blocks(file, job), BLOCK).read()


def remove_package(job: UUID) -> None:
    """Forget a kept upload; everything else stays."""
    (folder(job) / PACKAGE).unlink(missing_ok=True)
    with suppress(OSError):  # other files of the job lie in it still
        folder(job).rmdir()


def remove_upload(job: UUID) -> None:
    """Forget the upload; what was refused of it stays."""
    (folder(job) / UPLOAD).unlink(missing_ok=True)
    with suppress(OSError):  # refused rows lie in it still
        folder(job).rmdir()


def remove(job: UUID) -> None:
    """Forget everything kept of a job."""
    shutil.rmtree(folder(job), ignore_errors=True)


def folders() -> Iterator[tuple[UUID, datetime]]:
    """Every job with files, and when (real time) its folder was last written to."""
    base = Path(settings.VAR) / "spool"
    for path in base.iterdir() if base.exists() else ():
        with suppress(FileNotFoundError):
            yield UUID(path.name), datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _write(path: Path, job: UUID, source: Readable) -> Spooled:
    """Write aside, sync and rename: the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            spooled = _seal_blocks(file, job, source)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return spooled


def _seal_blocks(file: IO[bytes], job: UUID, source: Readable) -> Spooled:
    version = crypto.master_version()
    key = crypto.spool_key(job, version)
    file.write(bytes([version]))
    digest, size, number, waiting = hashlib.sha256(), 0, 0, b""
    while piece := source.read(BLOCK):
        digest.update(piece)
        size += len(piece)
        waiting += piece
        while len(waiting) >= BLOCK:
            file.write(crypto.seal(key, _place(job, number), waiting[:BLOCK]))
            number, waiting = number + 1, waiting[BLOCK:]
    if waiting:
        file.write(crypto.seal(key, _place(job, number), waiting))
    return Spooled(size, digest.hexdigest())


def _place(job: UUID, number: int) -> bytes:
    return job.bytes + number.to_bytes(8, "big")


class _Blocks(io.RawIOBase):
    """The plain content of a spooled file, block by block."""

    def __init__(self, file: BinaryIO, job: UUID) -> None:
        self._file = file
        self._key = crypto.spool_key(job, file.read(1)[0])
        self._job = job
        sealed = file.seek(0, os.SEEK_END) - 1
        blocks = -(-sealed // (BLOCK + SEAL_BYTES))
        self._size = sealed - blocks * SEAL_BYTES
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        number, start = divmod(self._at, BLOCK)
        if self._at >= self._size:
            return 0
        piece = self._block(number)[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(1 + number * (BLOCK + SEAL_BYTES))
            sealed = self._file.read(BLOCK + SEAL_BYTES)
            self._held = (number, crypto.unseal(self._key, _place(self._job, number), sealed))
        return self._held[1]
