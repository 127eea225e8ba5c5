"""Values of the form out of a workbook: by the hidden key of a row where it still stands, else by the label.

A row whose key and label name different fields was moved apart; neither is believed.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import python_calamine
from django.utils.translation import gettext as _

from applications.intake.found import FormFile, Labels, Unread, is_empty, text_of
from applications.rules.prefill import EPOCH_1900, EPOCH_1904
from applications.rules.prefill_text import bare_label, squeezed
from pilot.errors import Refused

MAX_ROWS: Final = 2_000
MAX_COLUMNS: Final = 100
MAX_PART: Final = 32 * 1024 * 1024
MAX_TEXT: Final = 64 * 1024 * 1024
"""Bytes of text in all cells, were each the longest shared one: the reader gives every cell a copy."""
LABEL_HEADING: Final = "项目"
VALUE_HEADING: Final = "填写内容"
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_ANY_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheetData\b")
_SHARED_TEXTS: Final = re.compile(rb"<(?:\w+:)?sst\b")
_END_OF_TEXT: Final = re.compile(rb"</(?:\w+:)?si>")
_EPOCH_1904: Final = re.compile(rb"""\bdate1904\s*=\s*["'](?:1|true|on)["']""", re.IGNORECASE)
_MARKER: Final = re.compile(r"[\w.-]+/\d+")

type Grid = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    grid: Grid
    after: dict[tuple[int, int], int]  # first cell of a merged range → the column after it
    key_column: int | None


def read_xlsx(content: bytes, keys: Collection[str], labels: Labels) -> tuple[FormFile, date]:
    """What stands beside the form's labels, and the day from which the workbook counts days.

    Raises :class:`Refused` where it cannot be opened, lays out too many cells, or holds no row of the form.
    """
    epoch = _checked(content)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(content))
        sheets = [_sheet(workbook.get_sheet_by_name(name), keys) for name in workbook.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Refused(_("XLSX 文件已损坏或已加密，请重新上传")) from error
    keyed = [sheet for sheet in sheets if sheet.key_column is not None]
    file = FormFile()
    for sheet in keyed or sheets:
        _read(sheet, file, keys, labels)
    if not file.values:
        raise Refused(_("没有可读取的表单域，请下载可填写的 PDF 或 XLSX"))
    return file, epoch


def _checked(content: bytes) -> date:
    """The reader lays a sheet out as a full rectangle, so a far-off cell would claim gigabytes: looked for first.

    So would cells that stand where the one before ends, which programs that people fill in forms with never write, and
    one long text that many cells share.
    """
    epoch, cells, longest = EPOCH_1900, 0, 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if entry.file_size > MAX_PART:
                    raise Refused(_("XLSX 文件解压后过大"))
                part = archive.read(
                    entry
                )  # whatever its name: a workbook's own list says which part is a sheet
                placed = _CELL.findall(part)
                unplaced = bool(_SHEET.search(part)) and len(_ANY_CELL.findall(part)) > len(placed)
                if unplaced or any(_is_far(column, row) for column, row in placed):
                    raise Refused(_("工作表超出表格的范围，请使用下载的表格填写"))
                cells += len(placed)
                if _SHARED_TEXTS.search(part):
                    longest = max(longest, *map(len, _END_OF_TEXT.split(part)))
                if entry.filename == "xl/workbook.xml" and _EPOCH_1904.search(part):
                    epoch = EPOCH_1904
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, NotImplementedError) as error:
        raise Refused(_("XLSX 文件已损坏或已加密，请重新上传")) from error
    if cells * longest > MAX_TEXT:
        raise Refused(_("XLSX 文件解压后过大"))
    return epoch


def _is_far(column: bytes, row: bytes) -> bool:
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number > MAX_COLUMNS or len(row) > 7 or int(row) > MAX_ROWS


def _sheet(sheet: Any, keys: Collection[str]) -> _Sheet:
    grid = [[_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    places = [
        index for row in grid for index, cell in enumerate(row) if isinstance(cell, str) and cell in keys
    ]
    merged = {start: end[1] + 1 for start, end in sheet.merged_cell_ranges or ()}
    return _Sheet(grid, merged, max(places, key=places.count) if places else None)


def _plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell


def _read(sheet: _Sheet, file: FormFile, keys: Collection[str], labels: Labels) -> None:
    heading = _heading(sheet.grid)
    for number, row in enumerate(sheet.grid):
        key = _at(row, sheet.key_column)
        if isinstance(key, str) and _MARKER.fullmatch(key):
            file.marker = file.marker or key
        key = key if key in keys else None
        if heading:
            _add_row(file, labels, key, _at(row, heading[0]), _at(row, heading[1]))
        else:
            _add_loose(file, sheet, labels, key, number)


def _heading(grid: Grid) -> tuple[int, int] | None:
    """The columns of label and value, where the heading still stands."""
    for row in grid:
        names = [squeezed(cell) if isinstance(cell, str) else "" for cell in row]
        if LABEL_HEADING in names and VALUE_HEADING in names:
            return names.index(LABEL_HEADING), names.index(VALUE_HEADING)
    return None


def _at(row: Sequence[Any], column: int | None) -> Any:
    return row[column] if column is not None and column < len(row) else None


def _add_row(file: FormFile, labels: Labels, key: str | None, label: Any, value: Any) -> None:
    named = labels.get(bare_label(label)) if isinstance(label, str) else None
    if key is None and named is None:
        return
    if key and named and key != named:
        for one in (key, named):
            file.values[one] = Unread(text_of(value or ""), _("项目名称与所在行不符，可能已移动"))
    elif key and named is None and not is_empty(label):
        file.values[key] = Unread(text_of(value or ""), _("项目名称已改动，无法确定填写的是哪一项"))
    else:
        file.add(key or named or "", value)


def _add_loose(file: FormFile, sheet: _Sheet, labels: Labels, key: str | None, number: int) -> None:
    """A row without the heading above it: a value stands right after its label."""
    for named, value in _pairs(sheet, labels, number):
        if key is None or key == named:
            file.add(named, value)
        else:
            file.values[named] = Unread(text_of(value or ""), _("项目名称与所在行不符，可能已移动"))


def _pairs(sheet: _Sheet, labels: Labels, number: int) -> Iterator[tuple[str, Any]]:
    row = sheet.grid[number]
    for column, cell in enumerate(row):
        named = labels.get(bare_label(cell)) if isinstance(cell, str) and column != sheet.key_column else None
        if named is None:
            continue
        value = _at(row, sheet.after.get((number, column), column + 1))
        is_label = isinstance(value, str) and bare_label(value) in labels
        yield named, None if is_label else value
