"""Forms filled in as people and programs fill them in. Everything in them is invented."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

import pikepdf
import xlsxwriter
from pikepdf import Array, Dictionary, Name, Pdf, String
from pypdf import PdfReader, PdfWriter

from applications.rules.form import FIELDS, Kind, shown
from tests.applications.builders import CONTENT

TRUTH: Final[dict[str, Any]] = {
    key: value.isoformat() if isinstance(value, date) else value for key, value in CONTENT.items()
}
"""What the applicant means, as a draft keeps it."""
MARKER: Final = "2019-87/0"

type Row = tuple[Any, ...]  # label, value, key


# --- workbooks ----------------------------------------------------------------------------------------------


def words(key: str, value: Any) -> str:
    """A kept value as a person writes it."""
    said = shown(FIELDS[key], value)
    return "、".join(said) if isinstance(said, tuple) else str(said)


def rows(content: Mapping[str, Any] = TRUTH, **cells: Any) -> list[Row]:
    """One row per field of a content; ``cells`` replaces what stands in the value cell."""
    return [
        (str(FIELDS[key].label), cells.get(key, words(key, value)), key) for key, value in content.items()
    ]


def workbook(
    lines: Iterable[Row],
    *,
    heading: bool = True,
    keys: bool = True,
    marker: str = MARKER,
    sheets_before: Iterable[str] = (),
    merged: bool = False,
    book_options: Mapping[str, Any] | None = None,
) -> bytes:
    """A workbook with a label, a value and, out of sight, a key in every row. ``merged``: labels over two columns."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **(book_options or {})})
    day = book.add_format({"num_format": "yyyy/m/d"})
    for name in sheets_before:
        book.add_worksheet(name).write_string(0, 0, "填表前请阅读办事指南")
    sheet = book.add_worksheet("申请表")
    value_column = 2 if merged else 1
    first = 0
    if heading:
        sheet.write_row(0, 0, ["项目", "填写内容", "填写说明", marker])
        first = 1
    for at, (label, value, key) in enumerate(lines, start=first):
        if merged:
            sheet.merge_range(at, 0, at, 1, label)
        else:
            sheet.write_string(at, 0, label)
        _write(sheet, at, value_column, value, day)
        if keys:
            sheet.write_string(at, 3, key)
    book.close()
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    else:
        sheet.write_number(row, column, value)


# --- PDF ----------------------------------------------------------------------------------------------------


def as_text(key: str, value: Any) -> str:
    return str(value) if FIELDS[key].kind is not Kind.LONG_TEXT else str(value).replace("\n", "\r")


def utf16(text: str) -> bytes:
    return b"\xfe\xff" + text.encode("utf-16-be")


def pressed(content: Mapping[str, Any]) -> dict[str, str]:
    """Names of checkboxes and radio groups → the state that is on."""
    states = {}
    for key, value in content.items():
        if FIELDS[key].kind is Kind.CHOICE:
            states[key] = str(value)
        elif FIELDS[key].kind is Kind.CHOICES:
            states |= {f"{key}-{code}": "on" for code in value}
    return states


def texts(content: Mapping[str, Any]) -> dict[str, str]:
    """Names of text fields → their text."""
    return {
        key: as_text(key, value)
        for key, value in content.items()
        if FIELDS[key].kind not in (Kind.CHOICE, Kind.CHOICES)
    }


def pdf(
    blank: bytes,
    content: Mapping[str, Any] = TRUTH,
    *,
    encode: Callable[[str], bytes] = utf16,
    buttons: Callable[[Any, Any], None] | None = None,
    change: Callable[[Pdf], None] | None = None,
    **save: Any,
) -> bytes:
    """The blank form filled in by another program: ``encode`` writes text, ``buttons`` sets a button to a state."""
    said, states = texts(content), pressed(content)
    with Pdf.open(io.BytesIO(blank)) as file:
        for field in file.Root.AcroForm.Fields:
            name = str(field.T)
            if name in said:
                field.V = String(encode(said[name]))
            elif name in states:
                (buttons or press)(field, Name(f"/{states[name]}"))
        if change:
            change(file)
        out = io.BytesIO()
        file.save(out, **save)
        return out.getvalue()


def press(field: Any, state: Any) -> None:
    """What the standard asks for: value and appearance state agree."""
    field.V = state
    press_shown(field, state)


def press_shown(field: Any, state: Any) -> None:
    """Only the appearance state, as some programs do."""
    for button in field.Kids if "/Kids" in field else [field]:
        button.AS = state if str(state) in button.AP.N else Name.Off


def press_shown_only(field: Any, state: Any) -> None:
    del field["/V"]
    press_shown(field, state)


def press_value_only(field: Any, state: Any) -> None:
    field.V = state
    for button in field.Kids if "/Kids" in field else [field]:
        del button["/AS"]


def press_with_strings(field: Any, state: Any) -> None:
    press_shown(field, state)
    field.V = String(str(state).lstrip("/"))


def press_numbered(field: Any, state: Any) -> None:
    """Radio buttons numbered, their codes listed beside them."""
    if "/Kids" not in field:
        return press(field, state)
    codes = [next(name for name in kid.AP.N if name != "/Off") for kid in field.Kids]
    field.Opt = Array([String(code.lstrip("/")) for code in codes])
    for number, (kid, code) in enumerate(zip(field.Kids, codes, strict=True)):
        kid.AP.N = Dictionary({f"/{number}": kid.AP.N[code], "/Off": kid.AP.N.Off})
        kid.AS = Name(f"/{number}") if code == str(state) else Name.Off
    field.V = Name(f"/{codes.index(str(state))}")
    return None


def by_pypdf(blank: bytes, content: Mapping[str, Any] = TRUTH) -> bytes:
    """Filled in through pypdf's own interface."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(blank)))
    values: dict[str, Any] = {**texts(content), **{name: f"/{on}" for name, on in pressed(content).items()}}
    for page in writer.pages:
        writer.update_page_form_field_values(page, values, auto_regenerate=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def field_of(file: Pdf, name: str) -> Any:
    return next(field for field in file.Root.AcroForm.Fields if str(field.T) == name)


def nest(file: Pdf) -> None:
    """Names as form designers nest them: form1[0].Page1[0].key[0]."""
    fields = list(file.Root.AcroForm.Fields)
    page = file.make_indirect(Dictionary(T=String("Page1[0]"), Kids=Array(fields)))
    root = file.make_indirect(Dictionary(T=String("form1[0]"), Kids=Array([page])))
    page.Parent = root
    for field in fields:
        field.Parent = page
        field.T = String(f"{field.T}[0]")
    file.Root.AcroForm.Fields = Array([root])


def loosen(file: Pdf) -> None:
    """Fields only the pages still know, as after putting files together."""
    file.Root.AcroForm.Fields = Array()


def flatten(file: Pdf) -> None:
    for page in file.pages:
        del page["/Annots"]
    del file.Root["/AcroForm"]


def long_text_as_stream(file: Pdf) -> None:
    field = field_of(file, "emergency_plan")
    field.V = file.make_stream(bytes(field.V))


def encrypted(blank: bytes) -> bytes:
    return pdf(blank, encryption=pikepdf.Encryption(owner="示例", user="1"))
