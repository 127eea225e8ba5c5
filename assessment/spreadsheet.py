"""The provincial report as a workbook: the paper's own columns, text cells only, ready for the printer (A4 landscape).

Text cells keep long numbers whole and formulas inert.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

# What a line says, in the order of the paper's columns: key of the row, heading, width in characters.
COLUMNS: Final = (
    ("position", "序号", 5),
    ("name", "单位名称", 24),
    ("uscc", "统一社会信用代码", 20),
    ("number", "受理编号", 16),
    ("province", "省份", 12),
    ("licence", "许可证编号", 16),
    ("methods", "采集方式", 14),
    ("opinion", "审核结论", 12),
    ("remark", "审核意见", 24),
)
LAST: Final = len(COLUMNS) - 1
HEAD: Final = 3  # the row of the headings; above it title, notice and office
A4: Final = 9


def report_workbook(*, title: str, paper: Mapping[str, Any]) -> bytes:
    """The sheet as XLSX; ``paper`` is what the PDF is given, so both say the same (see the template's comment).

    Official columns are Chinese whatever language the reader works in.
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        _write(book, book.add_worksheet("汇总表"), title, paper)
    return buffer.getvalue()


def _write(book: xlsxwriter.Workbook, sheet: Worksheet, title: str, paper: Mapping[str, Any]) -> None:
    plain = {"num_format": "@", "text_wrap": True, "valign": "vcenter", "font_name": "宋体", "font_size": 10}
    heading = book.add_format({**plain, "bold": True, "align": "center", "font_size": 16})
    centred, left = book.add_format({**plain, "align": "center"}), book.add_format(plain)
    right = book.add_format({**plain, "align": "right"})
    boxed = {**plain, "border": 1}
    head = book.add_format({**boxed, "bold": True, "align": "center", "bg_color": "#F0F0F0"})
    cell, middle = book.add_format(boxed), book.add_format({**boxed, "align": "center"})
    bold = book.add_format({**boxed, "bold": True})

    for place, (_key, name, width) in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
        sheet.write_string(HEAD, place, name, head)
    programme = paper["programme"]
    _across(sheet, 0, (0, LAST), title, heading)
    _across(sheet, 1, (0, LAST), f"{programme['notice']}（{programme['number']}）", centred)
    _across(sheet, 2, (0, 4), f"填报单位：{paper['issuer']}", left)
    _across(sheet, 2, (5, LAST), f"报送编号：{paper['report_number']}（第{paper['version']}版）", right)
    sheet.set_row(0, 30)

    row = HEAD
    for row, line in enumerate(paper["rows"], start=HEAD + 1):
        for place, (key, _name, _width) in enumerate(COLUMNS):
            words = str(row - HEAD) if key == "position" else line[key]
            sheet.write_string(row, place, words, cell if key in {"name", "remark", "methods"} else middle)
    if not paper["rows"]:
        row += 1
        _across(sheet, row, (0, LAST), paper["nil_words"], middle)
    sheet.write_string(row + 1, 0, "合计", bold)
    _across(sheet, row + 1, (1, LAST), paper["total_words"], bold)
    signatures = ((0, 2), f"填报单位：{paper['issuer']}（盖章）"), ((3, 4), f"填报人：{paper['filled_by']}")
    dated = ((5, 6), f"联系电话：{paper['phone']}"), ((7, LAST), f"填报日期：{paper['filled_on']}")
    for span, words in (*signatures, *dated):
        _across(sheet, row + 3, span, words, left)
    _across(sheet, row + 4, (0, LAST), f"报送清单 SHA-256：{paper['digest']}", left)
    _for_print(sheet, last_row=row + 4)


def _across(sheet: Worksheet, row: int, span: tuple[int, int], words: str, form: Format) -> None:
    sheet.merge_range(row, span[0], row, span[1], "", form)
    sheet.write_string(row, span[0], words, form)


def _for_print(sheet: Worksheet, *, last_row: int) -> None:
    """A4 landscape, as wide as the page, the headings on every page, numbered below; frozen on the screen."""
    sheet.freeze_panes(HEAD + 1, 2)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, last_row, LAST)
    sheet.repeat_rows(HEAD)
    sheet.center_horizontally()
    sheet.set_margins(left=0.6, right=0.6, top=0.7, bottom=0.7)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def opinion_words(*, recommended: bool) -> str:
    """The bureau's opinion as official papers write it."""
    return "同意推荐" if recommended else "不同意推荐"
