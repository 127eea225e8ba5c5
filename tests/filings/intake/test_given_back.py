"""Refused rows come back as they were sent: corrected they say nothing new, untouched they are refused again."""

from __future__ import annotations

import csv
import io
import string
from typing import Any, Final

import msgspec
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from filings import writers
from filings.intake.columns import ERROR_COLUMNS
from filings.intake.decode import FileFormat, Row, check, column_names, fault_of, read_rows, typed
from filings.intake.records import UnitContext
from pilot.formulas import FORMULA_STARTS, inert, restored

COLUMNS: Final = ["form_no", "verifier_name", "subject.name", "websites.0.site_name", "=x"]
ERRORS: Final = [{"code": "field.required", "field": "/x", "message": "=示例"}]
ODD: Final = ["+1影音", "'+1影音", "''＝1", "'", "'示例", "\t=1", " '-", "'@", "＝,", '="a"\n=b', "-", "''"]
TEXTS: Final = st.text(st.sampled_from(["'", " ", "示", *FORMULA_STARTS])) | st.text()
# Of a table's own: no line ends that reading unifies, and no NUL, which a text file has not.
CELLS: Final = st.text(
    st.sampled_from([*string.printable.translate({13: None}), "'", "示", "＝"]), max_size=8
)


def as_csv(*table: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()


def as_xlsx(*table: list[str]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(table):
            sheet.write_row(place, 0, row)
    return out.getvalue()


def read(content: bytes, file_format: FileFormat, encoding: str = "utf-8") -> list[Row]:
    return list(read_rows(io.BytesIO(content), file_format, encoding=encoding, national_id="1001"))


def given_back(content: bytes, file_format: FileFormat, encoding: str = "utf-8") -> bytes:
    """All rows of a file, as if each had been refused."""
    columns = column_names(io.BytesIO(content), file_format, encoding=encoding)
    rows = [writers.RefusedRow(row.number, row.raw, ERRORS) for row in read(content, file_format, encoding)]
    out = io.BytesIO()
    if file_format is FileFormat.CSV:
        writers.refused_csv(rows, out, columns, encoding)
    else:
        writers.refused_xlsx(rows, out, columns)
    return out.getvalue()


def outcome(content: bytes, file_format: FileFormat) -> list[Any]:
    return [row.data or fault_of(row).code for row in read(content, file_format)]


MADE: Final = {FileFormat.CSV: as_csv, FileFormat.XLSX: as_xlsx}


@given(TEXTS)
def test_what_keeps_a_formula_inert_is_taken_off_again(text: str) -> None:
    assert not inert(text).startswith(FORMULA_STARTS)
    assert restored(inert(text)) == text


@pytest.mark.parametrize("text", ["", "'", "''", "'示例", "示'=", " '=", "=1", "＝1", "示例"])
def test_nothing_else_is_taken_off(text: str) -> None:
    assert restored(text) == text


@pytest.mark.parametrize("file_format", MADE)
def test_odd_cells_come_back_round_after_round(file_format: FileFormat) -> None:
    table = [[f"SL-{place:06d}", "x", odd, odd, odd] for place, odd in enumerate(ODD)]
    sent = MADE[file_format](COLUMNS, *table)
    first = given_back(sent, file_format)
    second = given_back(first, file_format)
    assert [outcome(content, file_format) for content in (first, second)] == [outcome(sent, file_format)] * 2
    names = column_names(io.BytesIO(second), file_format, encoding="utf-8")
    assert names == [*COLUMNS, *ERROR_COLUMNS]
    if file_format is FileFormat.CSV:
        assert second == first


@settings(max_examples=200)
@given(st.lists(CELLS, min_size=4, max_size=4))
def test_any_cells_of_a_csv_come_back(cells: list[str]) -> None:
    sent = as_csv(COLUMNS, ["SL-000001", *cells])
    assert outcome(given_back(sent, FileFormat.CSV), FileFormat.CSV) == outcome(sent, FileFormat.CSV)


def test_a_file_of_ones_own_keeps_its_apostrophes() -> None:
    sent = as_csv(COLUMNS, ["SL-000001", "'=1", "x", "x", ""])
    (row,) = read(sent, FileFormat.CSV)
    assert (row.data or {})["verifier_name"] == "'=1"
    (row,) = read(as_xlsx([*COLUMNS, *ERROR_COLUMNS], ["SL-000001", "'=1"]), FileFormat.XLSX)
    assert (row.data or {})["verifier_name"] == "'=1"


def test_corrected_rows_take_the_short_way_with_their_own_text(
    unit_form: dict[str, Any], context: UnitContext
) -> None:
    unit_form["websites"][0]["site_name"] = "+1影音"
    out = io.BytesIO()
    writers.write_csv([unit_form], out, writers.columns_of([unit_form]))
    (row,) = read(given_back(out.getvalue(), FileFormat.CSV), FileFormat.CSV)
    short = typed(row)
    assert (check(row, context).errors, short is not None) == ([], True)
    assert msgspec.to_builtins(short)["websites"][0]["site_name"] == "+1影音"


# --- rows that are none ---------------------------------------------------------------------------------
@pytest.mark.parametrize("file_format", MADE)
def test_cells_beyond_the_header_stay_beyond_it(file_format: FileFormat) -> None:
    table = [["SL-000001", "a", "b", "c", "", "surplus", "", "=2"], ["SL-000002", "a", "b", "c", "", " "]]
    sent = MADE[file_format](COLUMNS, *table)
    first = given_back(sent, file_format)
    second = given_back(first, file_format)
    told = {
        "form_no": "SL-000002",
        "verifier_name": "a",
        "subject": {"name": "b"},
        "websites": [{"site_name": "c"}],
    }
    assert [outcome(content, file_format) for content in (sent, first, second)] == [
        ["json.invalid", told]
    ] * 3
    if file_format is FileFormat.CSV:
        assert first.splitlines()[1].decode().endswith(",=示例,surplus,,'=2".replace(",=", ",'="))
        assert second == first


@pytest.mark.parametrize("line", [b'SL-000001,"a"b,c', b"SL-000001,\xff,c", b'SL-000001,"a'])
def test_a_line_that_could_not_be_read_is_refused_again(line: bytes, context: UnitContext) -> None:
    """And is all in one cell, as nobody knows where its cells end."""
    sent = b"form_no,subject.investor\nSL-000000,\n" + line
    assert outcome(sent, FileFormat.CSV) == [{"form_no": "SL-000000"}, "json.invalid"]
    _first, row = read(given_back(sent, FileFormat.CSV), FileFormat.CSV)
    assert row.data == {"form_no": line.decode(errors="replace")}
    assert "field.format" in [error.code for error in check(row, context).errors]


def test_a_row_of_a_workbook_that_was_too_long_has_its_place() -> None:
    sent = as_xlsx(["form_no", *map(str, range(40))], ["x" * 32_000] * 41, ["SL-000002"])
    assert outcome(sent, FileFormat.XLSX) == ["row.too_long", {"form_no": "SL-000002"}]
    rows = read(given_back(sent, FileFormat.XLSX), FileFormat.XLSX)
    assert [row.data for row in rows] == [{}, {"form_no": "SL-000002"}]
