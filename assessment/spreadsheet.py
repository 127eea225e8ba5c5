"""The provincial report as a workbook: text cells only, so that long numbers survive and formulas stay inert."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import xlsxwriter

HEADINGS: Final = (
    "序号",
    "单位名称",
    "统一社会信用代码",
    "受理编号",
    "许可证编号",
    "采集方式",
    "审核意见",
    "备注",
)
WIDTHS: Final = (6, 36, 22, 22, 22, 28, 14, 48)


def report_workbook(*, title: str, snapshots: Sequence[Mapping[str, Any]], digest: str) -> bytes:
    """The frozen lines of a report as XLSX; the official columns are Chinese whatever language the reader works in."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("汇总表")
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "num_format": "@"})
        text = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        sheet.write_string(0, 0, title, heading)
        for column, (name, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(1, column, name, heading)
        for position, snapshot in enumerate(snapshots, start=1):
            for column, value in enumerate(_cells(position, snapshot)):
                sheet.write_string(position + 1, column, value, text)
        sheet.write_string(len(snapshots) + 3, 0, f"报送清单 SHA-256：{digest}")
        sheet.freeze_panes(2, 0)
    return buffer.getvalue()


def _cells(position: int, snapshot: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(position),
        snapshot["name"],
        snapshot["uscc"],
        snapshot["number"],
        snapshot["licence"],
        "、".join(snapshot["methods"]),
        opinion_words(recommended=snapshot["recommended"]),
        snapshot["remark"],
    )


def opinion_words(*, recommended: bool) -> str:
    """The bureau's opinion as official papers write it."""
    return "同意推荐" if recommended else "不同意推荐"
