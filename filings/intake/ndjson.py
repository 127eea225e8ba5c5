"""NDJSON: one JSON object a line, UTF-8, LF or CRLF."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from filings.intake.lines import BOM, Readable, Replay, read_head, split_lines
from filings.intake.records import ErrorItem, FileRefused, RawRow

HEAD: Final = 64 * 1024
_UTF16_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

INVALID: Final = ErrorItem("json.invalid", "")
TOO_LONG: Final = ErrorItem("row.too_long", "")

_DECODER: Final = msgspec.json.Decoder(Any, float_hook=Decimal)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, InvalidOperation, RecursionError)


def parse_object(text: bytes) -> dict[str, Any] | None:
    """Return the JSON object in ``text`` (non-integers as ``Decimal``), or ``None`` when it is not one."""
    try:
        value = _DECODER.decode(text)
    except _UNREADABLE:
        return None
    return value if isinstance(value, dict) else None


def read_ndjson(stream: Readable) -> Iterator[RawRow | JsonRow]:
    """Look at the head, then return the rows lazily; blank lines are no rows.

    Raises ``FileRefused`` at once for a file that is empty, binary, in another encoding or no NDJSON, or one array,
    and at its end for one that held blank lines only.
    """
    head = read_head(stream, HEAD)
    _judge_head(head)
    return _rows(Replay(head.removeprefix(BOM), stream))


def _judge_head(head: bytes) -> None:
    refuse_unreadable_text(head)
    text = head.removeprefix(BOM).lstrip()
    lines = text.split(b"\n")
    if not starts_as(lines[0], "utf-8"):
        raise FileRefused("file.encoding")
    if text.startswith(b"["):  # laid out over lines, it would be refused once a line
        raise FileRefused("file.array")
    if not any(line.lstrip().startswith(b"{") for line in lines) and lines != [b""]:
        raise FileRefused("file.wrong_type")


def refuse_unreadable_text(head: bytes) -> None:
    """Raise ``FileRefused`` for a head that is empty, UTF-16, or binary data."""
    if not head.removeprefix(BOM):
        raise FileRefused("file.empty")
    if head.startswith(_UTF16_BOMS):
        raise FileRefused("file.encoding")
    if b"\0" in head:
        raise FileRefused("file.binary")


def starts_as(line: bytes, encoding: str) -> bool:
    """Say whether the beginning of a text, which may be cut inside a character, decodes."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(line)
    except UnicodeDecodeError:
        return False
    return True


class JsonRow:
    """A row that is one JSON text: a :class:`RawRow`, parsed whenever somebody asks for its data."""

    __slots__ = ("number", "raw")

    def __init__(self, number: int, raw: bytes) -> None:
        self.number = number
        self.raw = raw

    @property
    def data(self) -> dict[str, Any] | None:
        """The object, or None when the text holds none."""
        return parse_object(self.raw)


def _rows(stream: Readable) -> Iterator[RawRow | JsonRow]:
    number = 0
    for line in split_lines(stream):
        if line is None:
            number += 1
            yield RawRow(number, None, b"", TOO_LONG)
        elif line and not line.isspace():
            number += 1
            yield JsonRow(number, line)
    if number == 0:
        raise FileRefused("file.empty")
