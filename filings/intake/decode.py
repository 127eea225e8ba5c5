"""The front door of intake: a file of a stated format becomes a stream of raw rows, in bounded memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import BinaryIO, Final

from filings.intake.check import check_row, unreadable_row
from filings.intake.columns import TableRow
from filings.intake.csv_file import csv_columns, read_csv
from filings.intake.lines import BOM, read_head
from filings.intake.ndjson import HEAD, INVALID, JsonRow, read_ndjson, refuse_unreadable_text
from filings.intake.records import CheckedRow, ErrorItem, FileRefused, RawRow, UnitContext
from filings.intake.sound import Form, typed_text
from filings.intake.unpack import open_zip, unpack
from filings.intake.v3 import V3Record, read_v3
from filings.intake.v3_check import check_v3
from filings.intake.xlsx_file import read_xlsx, xlsx_columns


class FileFormat(StrEnum):
    """Formats of an upload; each but XLSX also packed with gzip or zip."""

    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"
    V3 = "v3"


ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
}
"""Stated encoding → codec. GB 18030 contains GBK and the rare characters that names need."""


Row = RawRow | JsonRow | TableRow

_ENDINGS: Final = {
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
    ".json": FileFormat.NDJSON,
    ".csv": FileFormat.CSV,
    ".xlsx": FileFormat.XLSX,
    ".xml": FileFormat.V3,
}
_PACKED: Final = frozenset({".gz", ".zip"})


def read_rows(
    stream: BinaryIO, file_format: FileFormat, *, encoding: str = "utf-8", national_id: str
) -> Iterator[Row]:
    """Look at the head of the file, then return its rows lazily.

    ``stream`` must be seekable. ``encoding`` counts for CSV only (NDJSON is UTF-8, XML declares its own).
    ``national_id`` is the id of the uploading unit, which a V3.0 file must name. Raises ``FileRefused`` at
    once for faults of the head; later only where nothing more can be read (a damaged archive, a packed bomb).
    """
    if file_format is FileFormat.XLSX:
        return read_xlsx(stream)
    content = unpack(stream)
    if file_format is FileFormat.V3:
        return read_v3(content, national_id)
    if file_format is FileFormat.NDJSON:
        return read_ndjson(content)
    return read_csv(content, encoding=codec_of(encoding))


def codec_of(encoding: str) -> str:
    """Return the codec of a stated encoding; raises ``FileRefused`` for one that is not taken."""
    codec = ENCODINGS.get(encoding.strip().lower())
    if codec is None:
        raise FileRefused("file.encoding")
    return codec


def column_names(stream: BinaryIO, file_format: FileFormat, *, encoding: str) -> list[str]:
    """Return the header of a table as sent; empty for formats without one."""
    if file_format is FileFormat.XLSX:
        return xlsx_columns(stream)
    if file_format is FileFormat.CSV:
        return csv_columns(unpack(stream), encoding=codec_of(encoding))
    return []


def guess_format(name: str, stream: BinaryIO) -> FileFormat:
    """Tell the format by the ending of the file's name, else by how its content begins.

    Leaves ``stream`` at its start; raises ``FileRefused`` when neither tells.
    """
    endings = [ending for ending in PurePath(name.lower()).suffixes if ending not in _PACKED]
    if endings and endings[-1] in _ENDINGS:
        return _ENDINGS[endings[-1]]
    if _is_workbook(stream):
        return FileFormat.XLSX
    head = read_head(unpack(stream), HEAD)
    stream.seek(0)
    return _format_of(head)


def _format_of(head: bytes) -> FileFormat:
    text = head.removeprefix(BOM).lstrip()
    if text.startswith((b"{", b"[")):  # an array is none, and whoever reads it as lines says so
        return FileFormat.NDJSON
    if text.startswith(b"<"):
        return FileFormat.V3
    if b"form_no" in text.split(b"\n", 1)[0]:
        return FileFormat.CSV
    refuse_unreadable_text(head)
    raise FileRefused("file.wrong_type")


def _is_workbook(stream: BinaryIO) -> bool:
    """Say whether a stream is a zip that holds a workbook, leaving it at its start.

    Raises ``FileRefused`` for a zip that is not taken whatever it holds.
    """
    try:
        return "[Content_Types].xml" in open_zip(stream).namelist()
    except zipfile.BadZipFile:
        return False
    finally:
        stream.seek(0)


def fault_of(row: Row) -> ErrorItem:
    """Why a row has no data."""
    return row.error if isinstance(row, RawRow) and row.error else INVALID


def check(row: Row, context: UnitContext) -> CheckedRow:
    """Judge one decoded row in full, whatever its format."""
    data = row.data
    if data is None:
        return unreadable_row(row.number, fault_of(row))
    if isinstance(data, V3Record):
        return check_v3(data, context, row.number)
    return check_row(data, context, row.number)


def typed(row: Row) -> Form | None:
    """A decoded row as the short way (``filings.intake.sound``) takes it; ``None`` when only :func:`check` can tell."""
    if isinstance(row, RawRow):
        return None
    text = row.raw if isinstance(row, JsonRow) else row.text
    return None if text is None else typed_text(text)
