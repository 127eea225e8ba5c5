"""Encrypted files of upload jobs: what came in until it is processed, and the refused rows for 30 days.

Every file lies in a folder named by the job's random key, never by anything a user typed. Its first byte is the
version of the master key; then follow blocks of equal size, each sealed on its own, so that a reader may seek
(packed files and worksheets need that) and plain content never reaches the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.conf import settings

from filings.intake.lines import Readable
from filings.services import crypto

BLOCK: Final = 256 * 1024
SEAL_BYTES: Final = crypto.NONCE_BYTES + 16
UPLOAD: Final = "upload"
REFUSED: Final = "refused-"
PACKAGE: Final = "package"
ABOUT: Final = "about"
REACHED: Final = "reached"


class Spooled(NamedTuple):
    """What was written: size in bytes and SHA-256 (hex) of the plain content."""

    size: int
    sha256: str


def folder(job: UUID) -> Path:
    """Where the files of a job lie."""
    return Path(settings.VAR) / "spool" / job.hex


def write_upload(job: UUID, source: Readable) -> Spooled:
    """Take in a whole upload, block by block."""
    return _write(job, UPLOAD, source)


def write_refused(job: UUID, first_row: int, content: bytes) -> None:
    """Keep the refused rows of the chunk that starts at ``first_row``."""
    _write(job, f"{REFUSED}{first_row:09d}", io.BytesIO(content))


def read_refused(job: UUID) -> Iterator[bytes]:
    """The kept chunks of refused rows, in order; nothing when they were never kept or are gone."""
    for path in sorted(folder(job).glob(f"{REFUSED}*")):
        with path.open("rb") as file:
            yield io.BufferedReader(_Blocks(file, job), BLOCK).read()


def remove_refused(job: UUID, first_row: int = 1) -> None:
    """Forget the refused rows of a job from the chunk that starts at ``first_row`` on; its upload stays."""
    for path in folder(job).glob(f"{REFUSED}*"):
        if int(path.name.removeprefix(REFUSED)) >= first_row:
            path.unlink(missing_ok=True)


def has_refused(job: UUID) -> bool:
    """Whether refused rows of a job are kept."""
    return any(folder(job).glob(f"{REFUSED}*"))


@contextmanager
def open_upload(job: UUID) -> Iterator[BinaryIO]:
    """The upload as a seekable stream of plain bytes; FileNotFoundError when it is gone."""
    with (folder(job) / UPLOAD).open("rb") as file:
        yield io.BufferedReader(_Blocks(file, job), BLOCK)


def has_upload(job: UUID) -> bool:
    """Whether the upload is still there."""
    return (folder(job) / UPLOAD).exists()


# --- an upload that comes in pieces -----------------------------------------------------------------
def begin_pieces(job: UUID, about: bytes) -> None:
    """Make room for an upload that comes in pieces; ``about`` says whose it is and how large it will be."""
    folder(job).mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder(job) / UPLOAD).write_bytes(bytes([crypto.master_version()]))
    _write(job, ABOUT, io.BytesIO(about))


def about_pieces(job: UUID) -> bytes | None:
    """What was said of an upload in pieces when it began; None when there is none (any more)."""
    try:
        return _read(job, ABOUT)
    except FileNotFoundError:
        return None


def unfinished() -> list[UUID]:
    """Every upload that comes in pieces and is not handed in."""
    base = Path(settings.VAR) / "spool"
    return [UUID(path.parent.name) for path in base.glob(f"*/{ABOUT}")]


def received(job: UUID, size: int) -> int:
    """How many bytes of an upload of ``size`` have come; of a block cut short nothing counts."""
    sealed = (folder(job) / UPLOAD).stat().st_size - 1
    if sealed == size + -(-size // BLOCK) * SEAL_BYTES:
        return size
    return min(sealed // (BLOCK + SEAL_BYTES), size // BLOCK) * BLOCK


@contextmanager
def piece_lock(job: UUID) -> Iterator[None]:
    """One piece at a time; FileNotFoundError when the upload is no longer one in pieces."""
    with (folder(job) / ABOUT).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (folder(job) / ABOUT).stat()  # handed in or given up while this one waited
        yield


def append(job: UUID, offset: int, piece: bytes) -> None:
    """Add a piece of whole blocks (the last one of an upload may end short) that begins at byte ``offset``."""
    number = offset // BLOCK
    with (folder(job) / UPLOAD).open("r+b") as file:
        key = crypto.spool_key(job, file.read(1)[0])
        file.seek(1 + number * (BLOCK + SEAL_BYTES))
        file.truncate()
        for start in range(0, len(piece), BLOCK):
            file.write(crypto.seal(key, _place(job, number), piece[start : start + BLOCK]))
            number += 1
        file.flush()
        os.fsync(file.fileno())
    os.utime(folder(job))


def measure(job: UUID) -> Spooled:
    """Size and digest of an upload that has come in whole."""
    digest, size = hashlib.sha256(), 0
    with open_upload(job) as stream:
        while piece := stream.read(BLOCK):
            digest.update(piece)
            size += len(piece)
    return Spooled(size, digest.hexdigest())


def end_pieces(job: UUID) -> None:
    """From now on the upload is one like any other."""
    (folder(job) / ABOUT).unlink(missing_ok=True)


# --- how far a job is ------------------------------------------------------------------------------
def note_reached(job: UUID, position: int) -> None:
    """Remember how many bytes of the upload have been read; only for showing."""
    _write(job, REACHED, io.BytesIO(str(position).encode()), lasting=False)


def reached(job: UUID) -> int | None:
    """How many bytes of the upload have been read; None where nobody noted it."""
    try:
        return int(_read(job, REACHED))
    except (FileNotFoundError, IndexError, ValueError, InvalidTag):  # a power failure may leave half of it
        return None


def _read(job: UUID, name: str) -> bytes:
    with (folder(job) / name).open("rb") as file:
        return io.BufferedReader(_Blocks(file, job), BLOCK).read()


def keep_package(job: UUID) -> None:
    """Keep the upload, as it came, beyond its processing (a second name of the same file)."""
    with suppress(FileExistsError):
        (folder(job) / PACKAGE).hardlink_to(folder(job) / UPLOAD)


def read_package(job: UUID) -> bytes:
    """A kept upload; FileNotFoundError when it is gone."""
    return _read(job, PACKAGE)


def remove_package(job: UUID) -> None:
    """Forget a kept upload; everything else stays."""
    (folder(job) / PACKAGE).unlink(missing_ok=True)
    with suppress(OSError):  # other files of the job lie in it still
        folder(job).rmdir()


def remove_upload(job: UUID) -> None:
    """Forget the upload; what was refused of it stays."""
    for name in (UPLOAD, REACHED):
        (folder(job) / name).unlink(missing_ok=True)
    with suppress(OSError):  # refused rows lie in it still
        folder(job).rmdir()


def remove(job: UUID) -> None:
    """Forget everything kept of a job."""
    shutil.rmtree(folder(job), ignore_errors=True)


def folders() -> Iterator[tuple[UUID, datetime]]:
    """Every job with files, as :func:`touched` says when."""
    base = Path(settings.VAR) / "spool"
    for path in base.iterdir() if base.exists() else ():
        with suppress(FileNotFoundError):
            yield (job := UUID(path.name)), touched(job)


def touched(job: UUID) -> datetime:
    """When (real time) the folder of a job was last written to; FileNotFoundError where there is none."""
    return datetime.fromtimestamp(folder(job).stat().st_mtime, UTC)


class Writer:
    """A file of the spool written as it comes: aside first, so that it is whole or not there."""

    def __init__(self, job: UUID, name: str = UPLOAD) -> None:
        self._path = folder(job) / name
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent)
        self._temporary = Path(temporary)
        self._file = os.fdopen(handle, "wb")
        self._job = job
        version = crypto.master_version()
        self._key = crypto.spool_key(job, version)
        self._file.write(bytes([version]))
        self._digest, self._size, self._number, self._waiting = hashlib.sha256(), 0, 0, b""

    def write(self, piece: bytes) -> None:
        """Take in what follows; it is sealed as soon as a block is full."""
        self._digest.update(piece)
        self._size += len(piece)
        self._waiting += piece
        while len(self._waiting) >= BLOCK:
            self._seal(self._waiting[:BLOCK])
            self._waiting = self._waiting[BLOCK:]

    def close(self, *, lasting: bool = True) -> Spooled:
        """Seal the rest, sync (what need not outlast a power failure may do without), and give the file its name."""
        if self._waiting:
            self._seal(self._waiting)
        self._file.flush()
        if lasting:
            os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)
        return Spooled(self._size, self._digest.hexdigest())

    def abandon(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):  # closing writes what is left, for which a full disk has no room either
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _seal(self, block: bytes) -> None:
        self._file.write(crypto.seal(self._key, _place(self._job, self._number), block))
        self._number += 1
        os.utime(self._path.parent)  # a file that grows does not touch its folder, and tidying goes by that


def _write(job: UUID, name: str, source: Readable, *, lasting: bool = True) -> Spooled:
    writer = Writer(job, name)
    try:
        while piece := source.read(BLOCK):
            writer.write(piece)
        return writer.close(lasting=lasting)
    except BaseException:
        writer.abandon()
        raise


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
