"""S12: no cell that a spreadsheet takes for a formula, in any file the portal writes; S11: no name that lies."""

from __future__ import annotations

import csv
import io
import zipfile
from email.message import Message
from typing import Any

import msgspec
import pytest
from django.http import HttpResponse
from django.urls import reverse

from applications.writers.form_xlsx import form_xlsx
from assessment.rules.test_runs import read_key
from assessment.spreadsheet import report_workbook
from assessment.views import published_list
from filings import samples, writers
from filings.intake.decode import FileFormat
from pilot import clock
from pilot.downloads import as_download
from pilot.errors import Refused
from pilot.formulas import FORMULA_STARTS, inert
from pilot.services import workbooks
from tests.documents.samples import SAMPLES
from tests.filings import builders

FORMULAS = [f"{start}1+1" for start in FORMULA_STARTS]
"""One text for everything that begins a formula."""


def live(content: bytes) -> list[str]:
    """The cells of a CSV that begin a formula."""
    table = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [cell for row in table for cell in row if cell.startswith(FORMULA_STARTS)]


def formulas(content: bytes) -> int:
    """The formulas in all sheets of a workbook, and links that open something."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    return sum(sheet.count(b"<f>") + sheet.count(b"<f ") + sheet.count(b"<hyperlink ") for sheet in sheets)


def texts(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_of_a_csv_is_prefixed_and_others_are_not(text: str) -> None:
    assert (inert(text), inert(f"示例{text}"), inert("")) == (f"'{text}", f"示例{text}", "")


# --- what came from outside goes back -------------------------------------------------------------
def test_refused_rows_with_formulas_in_cells_head_and_errors() -> None:
    """The head of a table is the sender's own text, too."""
    columns = ["form_no", *FORMULAS]
    errors = [{"code": "x", "field": text, "message": text} for text in FORMULAS]
    line = io.StringIO()
    csv.writer(line).writerow(["F-1", *FORMULAS])
    rows = [writers.RefusedRow(1, line.getvalue().encode(), [error]) for error in errors]
    out = io.BytesIO()
    writers.refused_csv(rows, out, columns, "utf-8")
    assert (live(out.getvalue()), out.getvalue().count(b"'=1+1")) == ([], 1 + len(rows) + 2)

    cells = msgspec.json.encode(["F-1", *FORMULAS])
    out = io.BytesIO()
    writers.refused_xlsx([writers.RefusedRow(1, cells, errors)], out, columns)
    assert (formulas(out.getvalue()), "1+1" in texts(out.getvalue())) == (0, True)


def test_the_published_list(monkeypatch: pytest.MonkeyPatch, programme: Any, client: Any) -> None:
    class Unit:
        province, licence, scope, status = 44, FORMULAS[0], {}, published_list.NOT_STARTED
        code = FORMULAS[2]

        def __init__(self, name: str) -> None:
            self.name = name

    class Found:
        sequence, amends = 1, ()
        published_at = effective_from = clock.now()
        units = [Unit(text) for text in FORMULAS]

    monkeypatch.setattr(published_list.publication, "published", lambda *_args, **_more: [Found])
    content = client.get(reverse("published_list_csv")).content
    assert (live(content), content.decode().count("1+1")) == ([], 3 * len(FORMULAS))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_a_test_set_takes_no_sample_whose_name_begins_a_formula(start: str) -> None:
    """It would reach the applicant's spreadsheet, and prefixed it would be another sample."""
    with pytest.raises(Refused, match=f"样本编号不得以 =、[+]、-、@ 开头：[{start}]1"):
        read_key(f"sample,expected\nG1,genuine\n{start}1,impostor\n".encode())


# --- workbooks and templates ----------------------------------------------------------------------
def test_workbooks_of_lists_bulletins_reports_and_the_form(programme: Any) -> None:
    lists = io.BytesIO()
    workbooks.write_sheets(lists, [workbooks.Sheet("示例", FORMULAS, [FORMULAS])])
    _title, paper = SAMPLES["provincial_report"]
    hostile = {
        **paper,
        "rows": [dict.fromkeys(line, text) for line in paper["rows"][:1] for text in FORMULAS],
    }
    report = report_workbook(
        title=FORMULAS[0], paper={**hostile, "issuer": FORMULAS[0], "phone": FORMULAS[1]}
    )
    content = {"registered_address": FORMULAS[0], "product": FORMULAS[1], "contact_name": FORMULAS[3]}
    found = [lists.getvalue(), report, form_xlsx(programme, content)]
    assert [(formulas(book), "1+1" in texts(book)) for book in found] == [(0, True)] * 3


def test_templates_for_forms(programme: Any, provider: Any) -> None:
    unit = builders.enrol(programme, provider)
    assert live(samples.content(FileFormat.CSV, unit)) == []
    assert formulas(samples.content(FileFormat.XLSX, unit)) == 0


# --- names ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("report.pdf", "report.pdf"),
        ("差错_20190701.xlsx", "差错_20190701.xlsx"),
        ('示例“引号”和"quote".pdf', '示例“引号”和"quote".pdf'),
        ('a"b;c=d.pdf', 'a"b;c=d.pdf'),
        ("a\r\nSet-Cookie: x=1.pdf", "a__Set-Cookie: x=1.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("示例\u202efdp.exe", "示例_fdp.exe"),
        ("😀 表格.csv", "😀 表格.csv"),
    ],
)
def test_the_name_of_a_download_is_one_name_by_rfc_6266(name: str, told: str) -> None:
    header = as_download(HttpResponse(b""), name)["Content-Disposition"]
    message = Message()
    message["Content-Disposition"] = header
    assert (header.isascii(), message.get_content_disposition(), message.get_filename()) == (
        True,
        "attachment",
        told,
    )
