"""XLSX: the first sheet of a workbook, all cells as text, under dotted column names.

The reader lays a sheet out as a full rectangle, so one far-off cell would claim gigabytes, and a small
archive may unpack to any size. Hence the archive's directory and the cell references are judged before it is
opened.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import msgspec
import python_calamine

from filings.intake.columns import Layout, TableRow
from filings.intake.lines import CHUNK
from filings.intake.records import FileRefused
from filings.intake.unpack import MAX_RATIO, RATIO_FREE, open_zip, stream_size

MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 400
MAX_WORKBOOK: Final = 400 * 1024**2
MAX_ENTRIES: Final = 200

_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE).fullmatch
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["'](?:([A-Z]*)([0-9]+))["']""", re.IGNORECASE)
_ROW: Final = re.compile(rb"<(?:\w+:)?row\b")
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b")


def read_xlsx(stream: BinaryIO) -> Iterator[TableRow]:
    """Read the first sheet of a workbook, all cells as text; wholly empty rows are no rows.

    Raises ``FileRefused`` at once for an empty or damaged file, one that unpacks to too much, more than
    50,000 rows, or no header. ``stream`` must be seekable; the archive's bounds are judged before it is
    opened.
    """
    rows, layout = _open(stream)
    return _xlsx_rows(rows, layout)


def xlsx_columns(stream: BinaryIO) -> list[str]:
    """Return the column names of a workbook; raises ``FileRefused`` as :func:`read_xlsx` does."""
    return _open(stream)[1].names


def _open(stream: BinaryIO) -> tuple[Iterator[Sequence[Any]], Layout]:
    refuse_oversized_workbook(stream)
    try:
        workbook = python_calamine.load_workbook(stream)
        sheet = workbook.get_sheet_by_index(0)
    except (python_calamine.CalamineError, OSError) as error:
        raise FileRefused("file.wrong_type") from error
    if sheet.total_height > MAX_ROWS + 1:
        raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
    rows = sheet.iter_rows()
    header = next(rows, None)
    if header is None:
        raise FileRefused("file.no_header")
    return rows, Layout([cell_text(cell) for cell in header])


def _xlsx_rows(rows: Iterator[Sequence[Any]], layout: Layout) -> Iterator[TableRow]:
    number = 0
    for row in rows:
        cells = [cell_text(cell) for cell in row]
        if not any(map(str.strip, cells)):
            continue
        number += 1
        yield TableRow(number, msgspec.json.encode(cells), cells, layout)


def cell_text(cell: object) -> str:
    """Return a cell as the text it shows: whole numbers without a decimal point, times in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def refuse_oversized_workbook(stream: BinaryIO) -> None:
    """Judge a workbook before it is opened; raises ``FileRefused``, else leaves ``stream`` at its start."""
    size = stream_size(stream)
    if size == 0:
        raise FileRefused("file.empty")
    try:
        archive = open_zip(stream)
        entries = archive.infolist()
        if "[Content_Types].xml" not in archive.namelist():
            raise FileRefused("file.wrong_type")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > min(MAX_WORKBOOK, max(RATIO_FREE, size * MAX_RATIO)) or len(entries) > MAX_ENTRIES:
            raise FileRefused("file.too_large")
        for entry in entries:
            if _SHEET(entry.filename):
                _refuse_oversized_sheet(archive, entry)
    except zipfile.BadZipFile as error:
        raise FileRefused("file.wrong_type") from error
    except (zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileRefused("file.damaged") from error
    stream.seek(0)


def _refuse_oversized_sheet(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Hold every cell reference of a sheet, and the cells of rows without references, against the limits."""
    rest = b""
    rows = 0
    with archive.open(entry) as sheet:
        while chunk := sheet.read(CHUNK):
            *whole, rest = _ROW.split(rest + chunk)
            rows += len(whole)
            if rows > MAX_ROWS + 1:  # one is the header
                raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
            for row in whole:
                _refuse_oversized_row(row)
            if len(rest) > 4 * CHUNK:
                raise FileRefused("file.too_large")
    _refuse_oversized_row(rest)


def _refuse_oversized_row(row: bytes) -> None:
    if len(_CELL.findall(row)) > MAX_COLUMNS:
        raise FileRefused("file.too_large")
    for column, number in set(_REFERENCE.findall(row)):
        if len(column) > 2 or (len(column) == 2 and _column_index(column) > MAX_COLUMNS):
            raise FileRefused("file.too_large")
        if len(number) > 6 or int(number) > MAX_ROWS + 1:
            raise FileRefused("file.too_many_rows", limit=MAX_ROWS)


def _column_index(letters: bytes) -> int:
    first, second = letters.upper()
    return (first - 64) * 26 + second - 64
