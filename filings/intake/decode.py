"""The front door of intake: a file of a stated format becomes a stream of raw rows, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, Final

from filings.intake.check import check_row, unreadable_row
from filings.intake.csv_file import read_csv
from filings.intake.ndjson import read_ndjson
from filings.intake.records import CheckedRow, FileRefused, RawRow, UnitContext
from filings.intake.unpack import unpack
from filings.intake.v3 import V3Record, read_v3
from filings.intake.v3_check import check_v3
from filings.intake.xlsx_file import read_xlsx


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


def read_rows(
    stream: BinaryIO, file_format: FileFormat, *, encoding: str = "utf-8", national_id: str
) -> Iterator[RawRow]:
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
    codec = ENCODINGS.get(encoding.strip().lower())
    if codec is None:
        raise FileRefused("file.encoding")
    return read_csv(content, encoding=codec)


def check(row: RawRow, context: UnitContext) -> CheckedRow:
    """Judge one decoded row, whatever its format."""
    if row.error is not None:
        return unreadable_row(row)
    if isinstance(row.data, V3Record):
        return check_v3(row.data, context, row.number)
    return check_row(row.data, context, row.number)
