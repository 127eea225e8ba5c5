"""Lists as workbooks: text stays text, so that long numbers survive and formulas stay inert (C08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import IO, Any, Final

import xlsxwriter
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from pilot.ui import Link, Tag

LONGEST: Final = 32_767  # characters of a cell, by the format
EXACT: Final = 10**15  # beyond 15 digits a spreadsheet rounds numbers
MARK: Final = 200  # characters of a head or foot; the format allows 255 with its codes
WIDTHS: Final = (10, 48)  # of a column, in characters


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list of a workbook: its name, the words above its columns, its rows."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


def write_list(
    out: IO[bytes] | str,
    *,
    headings: Sequence[str],
    rows: Iterable[Sequence[Any]],
    title: str,
    taken_by: str = "",
) -> int:
    """Write a list as one sheet, head frozen, with an automatic filter; returns the number of rows.

    Cells are what the list shows; of a link the words, of a tag the label. Rows are streamed to disk, so that memory
    does not grow with the list. ``taken_by`` is written as in :func:`write_sheets`.
    """
    return write_sheets(out, [Sheet(title, headings, rows)], taken_by=taken_by)


def write_sheets(out: IO[bytes] | str, sheets: Iterable[Sheet], *, taken_by: str = "") -> int:
    """Write lists as one workbook, a sheet each; returns the number of rows of all of them.

    ``taken_by``, who takes them away and when, stands at the head and foot of every printed page and on a sheet of
    its own at the end, so that the rows stay a clean table.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        formats = {
            "head": book.add_format({"bold": True, "bg_color": "#E9F0F9", "bottom": 1}),
            "text": book.add_format({"num_format": "@"}),
            "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "number": book.add_format({"num_format": "#,##0"}),
        }
        count = sum(_write_sheet(book, sheet, formats, taken_by) for sheet in sheets)
        if taken_by:
            note: list[list[Any]] = [[_("导出人和时间"), taken_by], [_("记录数"), count]]
            _write_sheet(book, Sheet(_("导出说明"), [_("项目"), _("内容")], note), formats, taken_by)
        return count


def _write_sheet(book: Any, listed: Sheet, formats: dict[str, Any], taken_by: str) -> int:
    sheet = book.add_worksheet(listed.title[:31])  # titles are the portal's own words
    if taken_by:
        mark = taken_by.replace("&", "&&")[:MARK]  # an ampersand begins a code there
        sheet.set_header(f"&R{mark}")
        sheet.set_footer(f"&L{mark}&R&P / &N")
    sheet.freeze_panes(1, 1)
    # Widths come first: with constant memory a row is gone once the next has begun.
    rows = iter(listed.rows)
    sample = list(islice(rows, 200))
    for place, heading in enumerate(listed.headings):
        sheet.set_column(place, place, _width([heading, *(words(row[place]) for row in sample)]))
        sheet.write_string(0, place, heading, formats["head"])
    count = 0
    for count, row in enumerate(chain(sample, rows), start=1):
        for place, value in enumerate(row):
            _write(sheet, count, place, value, formats)
    if listed.headings:
        sheet.autofilter(0, 0, count, len(listed.headings) - 1)
    return count


def words(value: Any) -> str:
    """A cell as a reader sees it in the list, without markup; nothing is empty."""
    match value:
        case None:
            return ""
        case Tag() | Link():
            return str(value.label)
        case bool():
            return _("是") if value else _("否")
        case datetime():
            return _local(value).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.isoformat()
        case list() | tuple():
            return _("、").join(words(item) for item in value)
        case _:
            return str(value)


def _write(sheet: Any, row: int, place: int, value: Any, formats: dict[str, Any]) -> None:
    match value:
        case datetime():
            sheet.write_datetime(row, place, _local(value), formats["moment"])
        case date():
            sheet.write_datetime(row, place, value, formats["day"])
        case int() if not isinstance(value, bool) and abs(value) < EXACT:
            sheet.write_number(row, place, value, formats["number"])
        case _:
            if text := words(value):
                sheet.write_string(row, place, text[:LONGEST], formats["text"])


def _local(value: datetime) -> datetime:
    """A moment on the portal's wall clock, to the second, without its zone, which workbooks do not know."""
    return (localtime(value) if is_aware(value) else value).replace(tzinfo=None, microsecond=0)


def _width(texts: Iterable[str]) -> int:
    """Wide enough for the longest of these texts, within reason; a Chinese character takes two."""
    longest = max(sum(2 if ord(c) > 0x2E80 else 1 for c in text) for text in texts)
    return min(max(longest + 2, WIDTHS[0]), WIDTHS[1])
