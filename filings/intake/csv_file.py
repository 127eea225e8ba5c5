"""CSV (RFC 4180; UTF-8 or GBK): rows of text under dotted column names."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final

from filings.intake.columns import Layout, TableRow, given_back
from filings.intake.lines import BOM, MAX_LINE, Readable, Replay, read_head, split_lines
from filings.intake.ndjson import HEAD, INVALID, TOO_LONG, refuse_unreadable_text, starts_as
from filings.intake.records import FileRefused, RawRow
from pilot.formulas import restored

MAX_RECORD_LINES: Final = 50
"""No cell of a form has more line breaks; a quote open for longer was never meant to be one."""

csv.field_size_limit(MAX_LINE)

Cells = list[str]
Record = tuple[bytes | None, Cells | None]
"""The bytes of a record and its cells; ``(None, None)`` = line too long, ``(raw, None)`` = broken."""


def read_csv(stream: Readable, *, encoding: str = "utf-8") -> Iterator[RawRow | TableRow]:
    """Look at the head and the header, then return the rows lazily; wholly empty rows are no rows.

    ``encoding`` is ``utf-8`` or ``gb18030`` (which contains GBK). Raises ``FileRefused`` at once for a file
    that is empty, binary, not in that encoding, or without a header, and at its end for one without rows.
    """
    records, layout = _open(stream, encoding)
    return _csv_rows(records, layout)


def csv_columns(stream: Readable, *, encoding: str) -> list[str]:
    """Return the column names of a CSV; raises ``FileRefused`` as :func:`read_csv` does."""
    return _open(stream, encoding)[1].names


def _open(stream: Readable, encoding: str) -> tuple[Iterator[Record], Layout]:
    head = read_head(stream, HEAD)
    refuse_unreadable_text(head)
    marked_utf8 = head.startswith(BOM)
    head = head.removeprefix(BOM)
    first_lines = b"\n".join(head.lstrip().split(b"\n", 2)[:2])
    if (marked_utf8 and encoding != "utf-8") or not starts_as(first_lines, encoding):
        raise FileRefused("file.encoding")
    records = iter(_Records(split_lines(Replay(head, stream)), encoding))
    _raw, header = next(records, (None, None))
    if header is None:
        raise FileRefused("file.no_header")
    if given_back(header):
        return map(_as_sent, records), Layout([*map(restored, header)])
    return records, Layout(header)


def _as_sent(record: Record) -> Record:
    """A record of refused rows with its cells as they were before they were made inert."""
    raw, cells = record
    return raw, None if cells is None else [*map(restored, cells)]


def parse_record(record: bytes, encoding: str) -> Cells | None:
    """Return the cells of one record, ``None`` when it is broken or in another encoding."""
    try:
        text = record.decode(encoding)
        if '"' not in text and "\r" not in text:
            return text.split(",")
        return next(csv.reader((text,), strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None


def _csv_rows(records: Iterator[Record], layout: Layout) -> Iterator[RawRow | TableRow]:
    number = 0
    for raw, cells in records:
        if raw is None:
            number += 1
            yield RawRow(number, None, b"", TOO_LONG)
            continue
        if cells is None:
            number += 1
            yield RawRow(number, None, raw, INVALID)
        elif any(map(str.strip, cells)):
            number += 1
            yield TableRow(number, raw, cells, layout)
    if number == 0:
        raise FileRefused("file.empty")


class _Records:
    """The records of a CSV.

    Joins the lines of a quoted cell. A quote that never closes must not swallow the rows after it: where the
    joined lines are no sound record, the first of them is broken alone and reading goes on with the next.
    """

    def __init__(self, lines: Iterator[bytes | None], encoding: str) -> None:
        self._lines = lines
        self._encoding = encoding
        self._waiting: deque[bytes | None] = deque()

    def __iter__(self) -> Iterator[Record]:
        while True:
            try:
                line = self._next_line()
            except StopIteration:
                return
            if line is None:
                yield None, None
            elif line.count(b'"') % 2 == 0:
                yield line, parse_record(line, self._encoding)
            else:
                yield self._join(line)

    def _next_line(self) -> bytes | None:
        return self._waiting.popleft() if self._waiting else next(self._lines)

    def _join(self, first: bytes) -> tuple[bytes, Cells | None]:
        """Add the lines that close the quote opened in ``first``, or put them back."""
        gathered: list[bytes | None] = []
        size = len(first)
        while len(gathered) < MAX_RECORD_LINES and size <= MAX_LINE:
            try:
                line = self._next_line()
            except StopIteration:
                break
            gathered.append(line)
            if line is None:
                break
            size += len(line) + 1
            if line.count(b'"') % 2:
                joined = b"\n".join([first, *(part for part in gathered if part is not None)])
                cells = parse_record(joined, self._encoding)
                if cells is not None:
                    return joined, cells
                break
        self._waiting.extendleft(reversed(gathered))
        return first, None
