"""Files of forms in the formats of the door: synthetic ones, and refused rows given back with their errors. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import IO, Any, Final, NamedTuple

import msgspec
import xlsxwriter
from lxml import etree

from filings.intake.columns import ERROR_COLUMNS, FIXED_COLUMNS, given_back
from filings.intake.csv_file import parse_record
from filings.intake.ndjson import parse_object
from filings.intake.v3 import VERSION
from filings.v3_writer import record_element
from pilot.formulas import inert, restored

Form = dict[str, Any]
PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class RefusedRow(NamedTuple):
    """A refused row as it was sent, with its errors ``{code, field, message}``."""

    number: int
    raw: bytes
    errors: Sequence[dict[str, str]]


# --- forms ----------------------------------------------------------------------------------------
def write_ndjson(forms: Iterable[Form], out: IO[bytes]) -> None:
    """Write one JSON object a line."""
    for form in forms:
        out.write(msgspec.json.encode(form) + b"\n")


def columns_of(forms: Iterable[Form]) -> list[str]:
    """The columns a table of these forms needs: those of the contract, then any other that occurs."""
    others = {name for form in forms for name in flatten(form)} - set(FIXED_COLUMNS)
    return [*FIXED_COLUMNS, *sorted(others)]


def write_csv(forms: Iterable[Form], out: IO[bytes], columns: Sequence[str]) -> None:
    """Write a table under dotted column names (UTF-8, RFC 4180)."""
    _write_csv(columns, (_cells(form, columns) for form in forms), out, "utf-8")


def write_xlsx(forms: Iterable[Form], out: IO[bytes], columns: Sequence[str]) -> None:
    """Write a worksheet under dotted column names, all cells as text."""
    _write_xlsx(columns, (_cells(form, columns) for form in forms), out)


def write_v3(forms: Iterable[Form], out: IO[bytes], national_id: str) -> None:
    """Write a national V3.0 upload (XZBA, GBK); what the interface does not carry is left out."""
    _write_v3(
        "XZBA", (record_element(form, number) for number, form in enumerate(forms, 1)), out, national_id
    )


def flatten(form: Form) -> dict[str, str]:
    """A form under dotted names, as a table row holds it."""
    flat: dict[str, str] = {}
    for name, value in form.items():
        if name == "images":
            for image in value:
                _flatten_into(flat, f"images.{image['use']}", {k: v for k, v in image.items() if k != "use"})
        elif name == "websites":
            for place, site in enumerate(value):
                _flatten_into(flat, f"websites.{place}", site)
        else:
            _flatten_into(flat, name, value)
    return flat


def _flatten_into(flat: dict[str, str], name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _flatten_into(flat, f"{name}.{key}", member)
    elif isinstance(value, list):
        flat[name] = ";".join(map(str, value))
    else:
        flat[name] = str(value)


def _cells(form: Form, columns: Sequence[str]) -> list[str]:
    flat = flatten(form)
    return [flat.get(name, "") for name in columns]


# --- refused rows ---------------------------------------------------------------------------------
def refused_ndjson(rows: Iterable[RefusedRow], out: IO[bytes]) -> None:
    """Each row's own fields, then ``_row`` and ``_errors``; a line that was no object comes as ``_raw`` text."""
    for row in rows:
        content = parse_object(row.raw)
        if content is None:
            content = {"_raw": row.raw.decode("utf-8", "replace")}
        out.write(msgspec.json.encode({**content, "_row": row.number, "_errors": list(row.errors)}) + b"\n")


def refused_csv(
    rows: Iterable[RefusedRow], out: IO[bytes], columns: Sequence[str], codec: str, *, headed: bool = True
) -> None:
    """Each row's own cells, inert, then the error columns; a line that was no record comes as one cell."""
    encoding = codec.removesuffix("-sig")  # the mark is the file's; what looks like one in a row is the row's
    again = given_back(columns)

    def cells(row: RefusedRow) -> list[str]:
        cells = parse_record(row.raw, encoding)
        if cells is None:
            return [row.raw.decode(encoding, "replace")]
        return [*map(restored, cells)] if again else cells

    table = (map(inert, _with_errors(cells(row), row, columns)) for row in rows)
    _write_csv([*map(inert, _headed(columns))] if headed else (), table, out, codec)


def refused_xlsx(rows: Iterable[RefusedRow], out: IO[bytes], columns: Sequence[str]) -> None:
    """Each row's own cells, which are text and run nowhere, then the error columns."""
    # Of a row that was too long nothing was kept.
    table = (_with_errors(msgspec.json.decode(row.raw or b"[]"), row, columns) for row in rows)
    _write_xlsx(_headed(columns), table, out)


def refused_v3(rows: Iterable[RefusedRow], out: IO[bytes], operation: str, national_id: str) -> None:
    """The refused records as an upload of their own, the errors as a comment in each."""
    _write_v3(operation, map(_commented, rows), out, national_id)


def _commented(row: RefusedRow) -> Any:
    element = etree.fromstring(row.raw, PARSER)
    words = "; ".join(f"{error['code']} {error['field']} {error['message']}" for error in row.errors)
    element.insert(0, etree.Comment(re.sub("-(?=-)", "- ", f" {row.number}: {words} ")))
    return element


def _headed(columns: Sequence[str]) -> list[str]:
    """The header: error columns of an earlier round give way to this one's."""
    return [*(name for name in columns if name not in ERROR_COLUMNS), *ERROR_COLUMNS]


def _with_errors(cells: list[str], row: RefusedRow, columns: Sequence[str]) -> list[str]:
    """The cells of a row; those beyond the header stay beyond it, so that the row is none until they have a place."""
    width = len(columns)
    filled, beyond = [*cells[:width], *[""] * (width - len(cells))], cells[width:]
    own = [cell for name, cell in zip(columns, filled, strict=True) if name not in ERROR_COLUMNS]
    listed = ["; ".join(error[key] for error in row.errors) for key in ("code", "field", "message")]
    return [*own, str(row.number), *listed, *(beyond if any(map(str.strip, beyond)) else ())]


# --- the files themselves -------------------------------------------------------------------------
def _write_csv(columns: Sequence[str], rows: Iterable[Iterable[str]], out: IO[bytes], codec: str) -> None:
    text = io.TextIOWrapper(out, encoding=codec, newline="", errors="replace", write_through=True)
    table = csv.writer(text)
    if columns:
        table.writerow(columns)
    table.writerows(rows)
    text.detach()


def _write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[str]], out: IO[bytes]) -> None:
    book = xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    for place, row in enumerate(chain((columns,), rows)):
        for column, cell in enumerate(row):
            if cell:
                sheet.write_string(place, column, cell)
    book.close()


def _write_v3(operation: str, records: Iterable[Any], out: IO[bytes], national_id: str) -> None:
    with etree.xmlfile(out, encoding="GBK") as file:
        file.write_declaration()
        with file.element("UploadData", version=VERSION), file.element("ICP"):
            with file.element(operation):
                for record in records:
                    file.write(record)
            provider = etree.Element("Qqdwid")
            provider.text = national_id
            file.write(provider)
