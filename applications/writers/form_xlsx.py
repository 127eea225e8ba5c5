"""The application form as a workbook: label, value and help side by side, the field's key in a hidden column.

Every cell to fill in is text, so that no number, code or date is turned into something else while it is typed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final

import xlsxwriter
from django.utils import translation

from applications.intake.xlsx_form import LABEL_HEADING, VALUE_HEADING
from applications.rules.form import FormField, FormSection, Kind, shown
from applications.rules.prefill import MAX_LENGTH
from applications.selectors.form_schema import form_marker, form_of
from applications.writers.form_pdf import STATEMENT
from pilot.models import Programme
from pilot.pdf import LANGUAGE
from pilot.services import letters

MAX_LIST: Final = 255  # characters a list of choices may have inside a validation (Excel)
_LABEL, _VALUE, _HELP, _KEY = range(4)
_HINTS: Final = {
    Kind.DATE: "写作 2019-05-16",
    Kind.NUMBER: "不小于0的整数",
    Kind.CHOICE: "从下拉列表中选一项",
    Kind.CHOICES: "可多选，用顿号“、”隔开：",
}


def form_xlsx(programme: Programme, content: Mapping[str, Any] | None = None) -> bytes:
    """The form, blank or with a content filled in. The same input gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    with translation.override(LANGUAGE):
        words = letters.programme_words(programme)
        book.set_properties({"title": words["form_name"], "created": _made(programme)})
        _Writer(book, words).write(programme, content or {})
    book.close()
    return out.getvalue()


def _made(programme: Programme) -> datetime:
    """A fixed moment: the file says nothing of when it was fetched."""
    return datetime.combine(programme.issued_on, time())


class _Writer:
    def __init__(self, book: Any, words: Mapping[str, str]) -> None:
        self.words = words
        text = {"font_name": "宋体", "font_size": 11, "valign": "vcenter", "text_wrap": True}
        box = {**text, "border": 1, "border_color": "#8a96a6"}
        self.title = book.add_format({**text, "font_size": 16, "align": "center", "bold": True})
        self.note = book.add_format({**text, "font_size": 10, "font_color": "#444444"})
        self.heading = book.add_format({**box, "bold": True, "bg_color": "#d9e4f2"})
        self.section = book.add_format({**box, "bold": True, "bg_color": "#eef3f9"})
        self.label = book.add_format(box)
        self.value = book.add_format({**box, "num_format": "@", "locked": False, "bg_color": "#fffdf3"})
        self.fixed = book.add_format({**box, "num_format": "@", "bg_color": "#f0f0f0"})
        self.help = book.add_format({**box, "font_size": 10, "font_color": "#444444"})
        self.plain = book.add_format({**text, "locked": False})
        self.sheet = book.add_worksheet("申请表")
        self.lists = book.add_worksheet("选项")
        self.lists.hide()
        self.row = 0

    def write(self, programme: Programme, content: Mapping[str, Any]) -> None:
        self._head(programme)
        form = form_of(programme)
        for section in form.sections:
            self._section(section, content)
        self._foot()

    def _head(self, programme: Programme) -> None:
        sheet = self.sheet
        sheet.set_column(_LABEL, _LABEL, 26)
        sheet.set_column(_VALUE, _VALUE, 46)
        sheet.set_column(_HELP, _HELP, 42)
        sheet.set_column(_KEY, _KEY, 2, None, {"hidden": True})
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_row(0, 30)
        sheet.merge_range(0, _LABEL, 0, _HELP, self.words["form_name"], self.title)
        sheet.write_string(0, _KEY, form_marker(programme))
        note = "带 * 的为必填。只在“填写内容”一列填写，保存为 XLSX 后上传到申请页面读入。"
        sheet.set_row(1, 20)
        sheet.merge_range(1, _LABEL, 1, _HELP, note, self.note)
        for column, heading in ((_LABEL, LABEL_HEADING), (_VALUE, VALUE_HEADING), (_HELP, "填写说明")):
            sheet.write_string(2, column, heading, self.heading)
        sheet.freeze_panes(3, 0)
        sheet.repeat_rows(2)
        self.row = 3

    def _section(self, section: FormSection, content: Mapping[str, Any]) -> None:
        self.sheet.merge_range(self.row, _LABEL, self.row, _HELP, str(section.title), self.section)
        self.row += 1
        for field in section.fields:
            self._field(field, content.get(field.key))
            self.row += 1

    def _field(self, field: FormField, value: Any) -> None:
        sheet, row = self.sheet, self.row
        sheet.write_string(row, _LABEL, f"{field.label}{'*' if field.required else ''}", self.label)
        from_registration = field.fixed and bool(value)
        sheet.write_string(
            row, _VALUE, written(field, value), self.fixed if from_registration else self.value
        )
        sheet.write_string(row, _HELP, _help(field), self.help)
        sheet.write_string(row, _KEY, field.key)
        sheet.set_row(row, 80 if field.kind is Kind.LONG_TEXT or len(_help(field)) > 60 else 22)
        self._validate(field)

    def _validate(self, field: FormField) -> None:
        if field.kind is Kind.CHOICE:
            rule: dict[str, Any] = {
                "validate": "list",
                "source": self._source(field),
                "error_title": "请从列表中选择",
                "error_message": f"“{field.label}”只能选列表中的一项。"[:255],
            }
        else:
            rule = {
                "validate": "length",
                "criteria": "<=",
                "value": MAX_LENGTH[field.kind],
                "error_title": "内容过长",
                "error_message": f"不超过 {MAX_LENGTH[field.kind]} 字。",
            }
        self.sheet.data_validation(self.row, _VALUE, self.row, _VALUE, rule)

    def _source(self, field: FormField) -> list[str] | str:
        """The choices themselves, or where they stand when a validation cannot hold them."""
        labels = [str(words) for _code, words in field.choices]
        if len(",".join(labels)) <= MAX_LIST and not any("," in label for label in labels):
            return labels
        self.lists.write_column(0, self.row, labels)
        column = xlsxwriter.utility.xl_col_to_name(self.row, col_abs=True)
        return f"=选项!{column}$1:{column}${len(labels)}"

    def _foot(self) -> None:
        sheet = self.sheet
        for text in (STATEMENT, "单位（盖章）：", "日期：    年    月    日"):
            sheet.set_row(self.row, 26)
            sheet.merge_range(self.row, _LABEL, self.row, _HELP, text, self.plain)
            self.row += 1
        sheet.protect("", {"format_rows": True, "format_columns": True})


def written(field: FormField, value: Any) -> str:
    """A kept value as one text, the way a person writes it into a cell."""
    words = shown(field, value)
    return "、".join(words) if isinstance(words, tuple) else str(words)


def _help(field: FormField) -> str:
    parts = [str(field.help), _HINTS.get(field.kind, "")]
    if field.kind is Kind.CHOICES:
        parts.append("、".join(str(words) for _code, words in field.choices))
    return "".join(part if part.endswith("：") else f"{part}；" for part in parts if part).rstrip("；")
