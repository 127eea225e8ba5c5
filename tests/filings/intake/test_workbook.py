"""Workbooks made to exhaust their reader cost a process of its own, which is gone when nobody reads on."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from filings.intake import xlsx_file
from filings.intake.decode import FileFormat, Row, column_names, fault_of, read_rows
from filings.intake.records import FileRefused

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>form_no</t></is></c></row>'
TYPES = f'<Types xmlns="{PACKAGE}/content-types"/>'
REPEATED = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="S"><table:table-row table:number-rows-repeated="40000">
<table:table-cell office:value-type="string" table:number-columns-repeated="1000"><text:p>x</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def packed(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def book(rows: str, *strings: str, sheet: str = "worksheets/sheet1.xml") -> bytes:
    """A workbook whose one sheet lies where ``sheet`` says, its shared strings being ``strings``."""
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    return packed(
        {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="{sheet}"/></Relationships>',
            f"xl/{sheet}": f'<worksheet xmlns="{MAIN}"><sheetData>{HEADER}{rows}</sheetData></worksheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        }
    )


def read(content: bytes) -> list[Row]:
    return list(read_rows(io.BytesIO(content), FileFormat.XLSX, national_id="1001"))


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        read(content)
    return refused.value.code


@pytest.fixture
def left() -> Callable[[], int]:
    """Counts the processes that were started since and not yet waited for."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    before = len(listed.read_text(encoding="ascii").split())
    return lambda: len(listed.read_text(encoding="ascii").split()) - before


@pytest.mark.parametrize(
    ("rows", "sheet", "code"),
    [
        ('<row r="2"><c r="XFD2"><v>1</v></c></row>', "worksheets/sheet1.xml", "file.too_large"),
        ("<row r='2'><c r = 'ZZ2'><v>1</v></c></row>", "worksheets/sheet1.xml", "file.too_large"),
        (f"<row>{'<c><v>1</v></c>' * 500}</row>", "worksheets/sheet1.xml", "file.too_large"),
        ('<row r="50001"><c r="OJ50001"><v>1</v></c></row>', "worksheets/sheet1.xml", "file.too_large"),
        (
            '<row r="1048576"><c r="A1048576"><v>1</v></c></row>',
            "worksheets/sheet1.xml",
            "file.too_many_rows",
        ),
        ('<row r="1000000"><c r="XFD1000000"><v>1</v></c></row>', "worksheets/sheet1.xml", "file.too_large"),
        ('<row r="1000000"><c r="XFD1000000"><v>1</v></c></row>', "evil.xml", "file.too_large"),
    ],
)
def test_far_off_cells_are_refused(rows: str, sheet: str, code: str) -> None:
    assert refusal(book(rows, sheet=sheet)) == code


def test_a_long_text_in_thousands_of_cells_is_refused(left: Callable[[], int]) -> None:
    row = f"<row>{'<c t="s"><v>0</v></c>' * 100}</row>"
    assert refusal(book(row * 60, "x" * 100_000)) == "file.too_large"
    assert left() == 0


def test_a_long_row_is_refused_and_no_other() -> None:
    long = f"<row>{'<c t="s"><v>0</v></c>' * 20}</row>"
    rows = read(book(f"{long}<row><c><v>7</v></c></row>", "x" * 100_000))
    assert [(row.number, row.data or fault_of(row).code) for row in rows] == [
        (1, "row.too_long"),
        (2, {"form_no": "7"}),
    ]


@pytest.mark.parametrize("name", ["content.xml", "xl/workbook.bin"])
def test_workbooks_of_other_kinds_are_none(name: str) -> None:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    parts = {
        "mimetype": kind,
        "[Content_Types].xml": TYPES,
        "META-INF/manifest.xml": manifest,
        name: REPEATED,
    }
    assert refusal(packed(parts)) == "file.wrong_type"


def test_an_archive_behind_something_else_is_no_workbook() -> None:
    assert refusal(bytes(1000) + book("")) == "file.wrong_type"


def test_the_reading_process_ends_with_its_reader(left: Callable[[], int]) -> None:
    content = book("<row><c><v>7</v></c></row>" * 40_000)
    rows = read_rows(io.BytesIO(content), FileFormat.XLSX, national_id="1001")
    first = next(rows)
    assert (first.number, first.data, left()) == (1, {"form_no": "7"}, 1)
    del rows
    assert left() == 0
    unread = read_rows(io.BytesIO(content), FileFormat.XLSX, national_id="1001")
    assert left() == 1
    del unread
    assert left() == 0
    assert column_names(io.BytesIO(content), FileFormat.XLSX, encoding="utf-8") == ["form_no"]
    assert left() == 0


@pytest.mark.parametrize("said", ["", '["form_', '["form_no"]', '["form_no"]\n["SL-000001"]\n["SL-'])
def test_a_process_that_is_stopped_says_that_it_was_too_much(
    said: str, monkeypatch: pytest.MonkeyPatch, left: Callable[[], int]
) -> None:
    """Before it has taken the file, within the header, or within a row."""
    program = f"import sys; sys.stdin.close(); sys.stdout.write({said!r}); sys.stdout.flush(); sys.exit(1)"
    monkeypatch.setattr(xlsx_file, "_COMMAND", (sys.executable, "-c", program))
    assert refusal(book("<row><c><v>7</v></c></row>" * 10)) == "file.too_large"
    assert left() == 0
