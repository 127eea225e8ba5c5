"""Files to begin with: the columns of the contract and one invented form, in every format the door takes."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Any, Final

import xlsxwriter
from django.utils.translation import gettext as _

from filings import column_guide, writers
from filings.intake.decode import FileFormat
from filings.rules import SubjectKind
from filings.selectors.contexts import unit_context
from filings.synthetic import make_forms
from filings.validators.regions import PROVINCES
from pilot import clock
from pilot.models import PilotUnit

ENDINGS: Final = {FileFormat.V3: "xml"}
EXAMPLE: Final = "示例"
SPAN: Final = timedelta(minutes=30)
"""The example was collected this long ago at most, and long enough that its later times have passed."""
DRAWN: Final = 20
"""So many forms are drawn; the first of a company is the example, for it fills the most columns."""
WIDTH: Final = 22
BOM: Final = b"\xef\xbb\xbf"
"""Without it a spreadsheet takes UTF-8 for the encoding of its own country."""


def file_name(kind: FileFormat) -> str:
    """What the file is called; it says that it is an example."""
    return f"{_('核验单模板')}-{EXAMPLE}.{ENDINGS.get(kind, kind.value)}"


def content(kind: FileFormat, unit: PilotUnit) -> bytes:
    """The file of one kind, with a form this unit could hand in now."""
    form = example(unit)
    write: dict[FileFormat, Callable[[IO[bytes]], None]] = {
        FileFormat.NDJSON: lambda out: writers.write_ndjson([form], out),
        FileFormat.CSV: lambda out: writers.write_csv([form], out, column_guide.names()),
        FileFormat.XLSX: lambda out: _write_book(form, out),
        FileFormat.V3: lambda out: writers.write_v3([form], out, str(unit.national_id)),
    }
    out = io.BytesIO(BOM if kind is FileFormat.CSV else b"")
    out.seek(0, io.SEEK_END)
    write[kind](out)
    return out.getvalue()


def example(unit: PilotUnit) -> dict[str, Any]:
    """An invented form of a company in a province opened for the unit; all its names carry 示例."""
    now = clock.now().replace(microsecond=0)
    context = unit_context(unit, now)
    opened = [code for code in PROVINCES if context.filing_type_enabled(code, "new_filing", now)]
    made = make_forms(
        DRAWN,
        unit_code=unit.code,
        seed=0,
        collected_from=now - SPAN,
        collected_to=now - SPAN / 2,
        provinces=opened[:1] or tuple(PROVINCES),
    )
    return next(form.record for form in made if form.record["subject_kind"] == SubjectKind.UNIT)


def _write_book(form: dict[str, Any], out: IO[bytes]) -> None:
    """A sheet to fill in, all of it text so that long numbers stay whole, and a sheet that explains the columns."""
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    text = book.add_format({"num_format": "@"})
    head = book.add_format({"num_format": "@", "bold": True, "bg_color": "#dbe7f5", "bottom": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet, explained = book.add_worksheet(_("核验单")), book.add_worksheet(_("填写说明"))
    names, cells = column_guide.names(), writers.flatten(form)
    sheet.set_column(0, len(names) - 1, WIDTH, text)
    sheet.freeze_panes(1, 1)
    sheet.write_row(0, 0, names, head)
    for column, name in enumerate(names):
        sheet.write_string(1, column, cells.get(name, ""), text)
    explained.set_column(0, 0, 34, wrapped)
    explained.set_column(1, 2, 20, wrapped)
    explained.set_column(3, 4, 48, wrapped)
    explained.freeze_panes(1, 0)
    explained.write_row(0, 0, [_("列名"), _("含义"), _("是否必填"), _("取值"), _("所属部分")], head)
    rows = ((part.title, guide) for part in column_guide.guide() for guide in part.columns)
    for place, (title, guide) in enumerate(rows, 1):
        said = (guide.name, guide.meaning, guide.required, guide.allowed, title)
        explained.write_row(place, 0, list(map(str, said)))
    book.close()
