"""The body of an upload as it arrives: bounded, whole, raw or as the one file of ``multipart/form-data``.

Nothing of it touches the disk on its way but through the spool, which keeps it encrypted.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from django.http.multipartparser import (
    FILE,
    RAW,
    ChunkIter,
    LazyStream,
    MultiPartParserError,
    Parser,
)
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError

from filings.intake.decode import FileFormat
from filings.services import spool, uploads
from pilot.api.views import NDJSON
from pilot.errors import PilotError

LARGEST_FILE: Final = uploads.LARGEST_FILE
MULTIPART: Final = "multipart/form-data"
TYPES: Final = {
    NDJSON: FileFormat.NDJSON,
    "text/csv": FileFormat.CSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileFormat.XLSX,
    "application/xml": FileFormat.V3,
    "text/xml": FileFormat.V3,
    "application/gzip": "",
    "application/zip": "",
    "application/octet-stream": "",
    MULTIPART: "",
}
"""Content type of a file, or of the request around it → format; an empty one is told by ``format`` or the content."""
PART: Final = "file"
CHUNK: Final = 64 * 1024
LONGEST_BOUNDARY: Final = 200


class TooLarge(PilotError):
    """A file over 2 GB."""

    status = 413
    code = "too.large"


class Taken(NamedTuple):
    """A file in the spool, and what its sender called it and its content type; empty where nothing was said."""

    waiting: uploads.Waiting
    name: str
    type: str


class Bounded:
    """The body of a request as it arrives, up to the largest file taken; ``tail`` is how it ended so far."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._announced = int(request.META.get("CONTENT_LENGTH") or 0)
        self._got = 0
        self.tail = b""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes. Raises :class:`TooLarge`, or ParseError for a body that broke off."""
        piece: bytes = self._request.read(size)
        self._got += len(piece)
        if self._got > LARGEST_FILE:
            raise TooLarge(_("文件超过 %(gb)s GB") % {"gb": LARGEST_FILE // 1024**3})
        if not piece and self._got < self._announced:
            raise ParseError(_("请求内容不完整，连接可能已中断，请重新发送"))
        self.tail = (self.tail + piece)[-LONGEST_BOUNDARY:]
        return piece


def take_file(request: Any, *, stated: str) -> Taken:
    """Write the file of a request to the spool as it arrives; ``stated`` is the request's content type.

    Raises :class:`TooLarge`, ParseError or ValidationError; then nothing is left in the spool.
    """
    source = Bounded(request)
    if stated != MULTIPART:
        return Taken(uploads.take_in(source), "", stated)
    _type, parameters = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))
    boundary = parameters.get("boundary", "").encode(errors="replace")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY - 10:
        raise ParseError(_("multipart/form-data 内容无法读取"))
    taken: list[Taken] = []
    try:
        _take_parts(source, boundary, taken)
        if not taken:
            raise _wrong_parts()
        if not source.tail.rstrip(b"\r\n").endswith(b"--" + boundary + b"--"):
            raise ParseError(_("multipart/form-data 内容无法读取"))
    except MultiPartParserError:
        _forget(taken)
        raise ParseError(_("multipart/form-data 内容无法读取")) from None
    except BaseException:
        _forget(taken)
        raise
    return taken[0]


def _take_parts(source: Bounded, boundary: bytes, taken: list[Taken]) -> None:
    """Spool the part named ``file``; any other part would be lost without a word, so it is refused."""
    pieces: Any = ChunkIter(cast(Any, source), CHUNK)
    parts: Any = Parser(LazyStream(pieces), boundary)
    for kind, headers, stream in parts:
        if kind == RAW:
            while stream.read(CHUNK):
                pass
            continue
        named = headers["content-disposition"][1]
        if taken or kind != FILE or named.get("name") != PART.encode():
            raise _wrong_parts()
        media_type = headers.get("content-type", ("", {}))[0]
        waiting = uploads.take_in(stream)
        taken.append(
            Taken(waiting, bytes(named["filename"]).decode(errors="replace"), media_type.strip().lower())
        )


def _wrong_parts() -> ValidationError:
    words = _("multipart/form-data 中应恰有一个名为 file 的文件，其他参数写在网址中")
    return ValidationError({PART: [words]})


def _forget(taken: list[Taken]) -> None:
    for file in taken:
        spool.remove(file.waiting.key)
