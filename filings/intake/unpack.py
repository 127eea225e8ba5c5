"""Opening packed uploads (gzip, zip) without trusting what they claim to hold."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from typing import BinaryIO, Final, cast

from filings.intake.lines import Readable
from filings.intake.records import FileRefused

MAX_UNPACKED: Final = 4 * 1024**3
MAX_RATIO: Final = 100
"""Forms as text pack about 1:10, worksheets about 1:20; more than 1:100 is a bomb."""
RATIO_FREE: Final = 16 * 1024**2
"""Small files may pack better than that; nobody is harmed by 16 MB."""

MAX_DIRECTORY: Final = 66 * 1024
"""Bytes of a zip's list of files: some hundred for one file, 20 KB for a workbook of 200 parts. A comment at a zip's
end may have 64 KB, and is looked through for the end of the list."""

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZIP_MAGIC: Final = b"PK\x03\x04"


class Unpacked:
    """An unpacking stream that stops at the bounds.

    Reading raises ``FileRefused`` beyond them, or where the archive is damaged.
    """

    def __init__(self, stream: Readable, packed_size: int) -> None:
        self._stream = stream
        self._limit = min(MAX_UNPACKED, max(RATIO_FREE, packed_size * MAX_RATIO))
        self._given = 0

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` unpacked bytes."""
        try:
            piece = self._stream.read(size)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise FileRefused("file.damaged") from error
        self._given += len(piece)
        if self._given > self._limit:
            raise FileRefused("file.too_large")
        return piece


def unpack(stream: BinaryIO) -> Readable:
    """Return the content of a gzip file or of a zip holding exactly one file; any other stream as it is.

    ``stream`` must be seekable. Raises ``FileRefused`` for a damaged archive, an encrypted one, or one with
    another number of files.
    """
    magic = stream.read(4)
    size = stream_size(stream)
    if magic[:2] == _GZIP_MAGIC:
        return Unpacked(cast(Readable, gzip.GzipFile(fileobj=stream)), size)
    if magic == _ZIP_MAGIC:
        return Unpacked(only_member(stream), size)
    return stream


class _Directory:
    """The stream of a zip while ``zipfile`` looks for the list of files, which it reads at one go whatever its size.

    So it is held against the very size that ``zipfile`` takes for it, be it stated in the record for large archives.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.seek = stream.seek
        self.tell = stream.tell
        self._read = stream.read

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; raises ``FileRefused`` when that is more than a list of files may have."""
        if size > MAX_DIRECTORY:
            raise FileRefused("file.too_large")
        return self._read(size)


def open_zip(stream: BinaryIO) -> zipfile.ZipFile:
    """Open a zip in bounded memory, however many files it lists.

    Raises ``FileRefused`` for a list of files that is too long, and for a file packed by another method than deflate:
    ``zipfile`` unpacks those all at once, whatever is asked for. Raises ``zipfile.BadZipFile``, and nothing else, for
    what is no sound zip.
    """
    try:
        archive = zipfile.ZipFile(cast(BinaryIO, _Directory(stream)))
    except (RuntimeError, ValueError, OSError) as error:  # a version to come, a name that is no UTF-8
        raise zipfile.BadZipFile from error
    archive.fp = stream
    if any(entry.compress_type not in _METHODS for entry in archive.infolist()):
        raise FileRefused("file.damaged")
    return archive


def only_member(stream: BinaryIO) -> Readable:
    """Open the only file of a zip.

    Raises ``FileRefused``: ``file.wrong_type`` for another number of files, ``file.too_large`` for a list of them that
    is too long, else ``file.damaged``.
    """
    try:
        archive = open_zip(stream)
        members = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(members) != 1:
            raise FileRefused("file.wrong_type")
        return archive.open(members[0])
    except (zipfile.BadZipFile, RuntimeError, ValueError, OverflowError, OSError) as error:
        raise FileRefused("file.damaged") from error


def stream_size(stream: BinaryIO) -> int:
    """Return the size of a seekable stream, leaving it at its start."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return size
