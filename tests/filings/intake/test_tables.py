"""CSV and XLSX hold the same forms as NDJSON, cell by cell."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from filings.intake.check import check_row
from filings.intake.decode import FileFormat, check, fault_of, read_rows
from filings.intake.records import CheckedRow, FileRefused, UnitContext
from filings.intake.workbook import MAX_ROWS, cell_text

Form = dict[str, Any]


def flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """Write a form as dotted columns, the way a provider's own export would."""
    if isinstance(value, dict):
        cells: dict[str, str] = {}
        for name, member in value.items():
            cells |= flatten(member, f"{prefix}.{name}" if prefix else name)
        return cells
    if prefix == "images":
        return {
            f"images.{image['use']}.{name}": str(image[name])
            for image in value
            for name in ("format", "sha256", "bytes")
        }
    if prefix == "websites":
        return {
            key: cell
            for place, site in enumerate(value)
            for key, cell in flatten(site, f"websites.{place}").items()
        }
    if isinstance(value, list):
        return {prefix: ";".join(map(str, value))}
    return {prefix: str(value)}


def as_csv(forms: list[Form], encoding: str = "utf-8") -> bytes:
    rows = [flatten(form) for form in forms]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(table: list[list[Any]]) -> bytes:
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = workbook.add_worksheet()
    for place, row in enumerate(table):
        sheet.write_row(place, 0, row)
    workbook.close()
    return content.getvalue()


def checked(
    content: bytes, file_format: FileFormat, context: UnitContext, encoding: str = "utf-8"
) -> list[CheckedRow]:
    rows = read_rows(io.BytesIO(content), file_format, encoding=encoding, national_id="1001")
    return [check(row, context) for row in rows]


def refusal(content: bytes, file_format: FileFormat, encoding: str = "utf-8") -> str:
    with pytest.raises(FileRefused) as refused:
        read_rows(io.BytesIO(content), file_format, encoding=encoding, national_id="1001")
    return refused.value.code


@pytest.mark.parametrize(
    ("codec", "stated"), [("utf-8", "utf-8"), ("utf-8-sig", "UTF-8"), ("gbk", "GBK"), ("gb18030", "gb18030")]
)
def test_csv_gives_the_content_of_ndjson(
    codec: str, stated: str, unit_form: Form, person_form: Form, context: UnitContext
) -> None:
    forms = [unit_form, person_form]
    rows = checked(as_csv(forms, codec), FileFormat.CSV, context, stated)
    assert [row.errors for row in rows] == [[], []]
    assert [row.digest_source for row in rows] == [check_row(form, context).digest_source for form in forms]


def test_xlsx_gives_the_content_of_ndjson(unit_form: Form, person_form: Form, context: UnitContext) -> None:
    forms = [unit_form, person_form]
    table = list(csv.reader(io.StringIO(as_csv(forms).decode())))
    rows = checked(as_xlsx(table), FileFormat.XLSX, context)
    assert [row.errors for row in rows] == [[], []]
    assert [row.digest_source for row in rows] == [check_row(form, context).digest_source for form in forms]


def test_several_websites_and_lists(unit_form: Form, context: UnitContext) -> None:
    second = unit_form["websites"][0] | {
        "domain": "shili-two.cn",
        "home_url": "shili-two.cn",
        "service_content": [1, 8],
    }
    form = unit_form | {"websites": [unit_form["websites"][0], second]}
    (row,) = checked(as_csv([form]), FileFormat.CSV, context)
    assert row.errors == []
    assert row.record == check_row(form, context).record


def test_cells_that_do_not_parse_are_faults_of_their_type(unit_form: Form, context: UnitContext) -> None:
    cells = flatten(unit_form) | {
        "subject.nature": "four",
        "websites.0.access.mode": "16.0",
        "websites.0.languages": "1;x",
        "images.face.bytes": "",
        "websites.x.domain": "shili.cn",
        "colour": "red",
    }
    text = io.StringIO()
    csv.writer(text).writerows([list(cells), list(cells.values())])
    (row,) = checked(text.getvalue().encode(), FileFormat.CSV, context)
    assert sorted((error.code, error.field) for error in row.errors) == [
        ("field.required", "/images/0/bytes"),
        ("field.type", "/subject/nature"),
        ("field.type", "/websites/0/access/mode"),
        ("field.type", "/websites/0/languages/1"),
        ("field.unknown", "/colour"),
        ("field.unknown", "/websites.x.domain"),
    ]


@pytest.mark.parametrize("name", ["images", "websites", "subject", "checks", "compare_authority_db"])
@pytest.mark.parametrize(
    "beside", [[], ["subject.name", "websites.0.domain", "images.face.format", "checks.email"]]
)
def test_a_column_named_like_an_object_is_unknown(name: str, beside: list[str], context: UnitContext) -> None:
    """And stands in no object's way."""
    header = ["form_no", name, *beside]
    for columns in (header, header[::-1]):
        text = f"{','.join(columns)}\n{','.join('SL-000001' for _ in columns)}\n"
        (row,) = checked(text.encode(), FileFormat.CSV, context)
        unknown = [error.field for error in row.errors if error.code == "field.unknown"]
        assert (row.form_no, unknown) == ("SL-000001", [f"/{name}."])


class TestCsv:
    HEAD = b"form_no,verifier_name\n"

    def outcome(self, body: bytes, head: bytes = HEAD) -> list[tuple[int, Any]]:
        rows = read_rows(io.BytesIO(head + body), FileFormat.CSV, national_id="1001")
        return [(row.number, row.data or fault_of(row).code) for row in rows]

    def test_quotes_commas_and_line_breaks(self) -> None:
        body = b'SL-000001,"a, ""b""\r\nc"\r\nSL-000002,d\r\n'
        assert self.outcome(body) == [
            (1, {"form_no": "SL-000001", "verifier_name": 'a, "b"\nc'}),
            (2, {"form_no": "SL-000002", "verifier_name": "d"}),
        ]

    def test_empty_cells_and_empty_rows_are_absent(self) -> None:
        assert self.outcome(b"SL-000001,\n,\n\n , \nSL-000002") == [
            (1, {"form_no": "SL-000001"}),
            (2, {"form_no": "SL-000002"}),
        ]

    def test_a_quote_that_never_closes_breaks_one_row(self) -> None:
        good = b"".join(b"SL-%06d,x\n" % number for number in range(1, 200))
        rows = self.outcome(b'SL-000000,"x\n' + good)
        assert rows[0] == (1, "json.invalid")
        assert rows[1:] == [
            (number + 1, {"form_no": f"SL-{number:06d}", "verifier_name": "x"}) for number in range(1, 200)
        ]

    def test_broken_rows_in_the_middle(self) -> None:
        body = b'a,1\nb,"x"y\nc,\xff\nd,2,surplus\ne,3,\n'
        assert self.outcome(body) == [
            (1, {"form_no": "a", "verifier_name": "1"}),
            (2, "json.invalid"),
            (3, "json.invalid"),
            (4, "json.invalid"),
            (5, {"form_no": "e", "verifier_name": "3"}),
        ]

    def test_a_line_that_is_too_long(self) -> None:
        body = b"a,1\nb," + b"x" * (1024 * 1024) + b"\nc,3\n"
        assert self.outcome(body) == [
            (1, {"form_no": "a", "verifier_name": "1"}),
            (2, "row.too_long"),
            (3, {"form_no": "c", "verifier_name": "3"}),
        ]

    @pytest.mark.parametrize(
        ("content", "encoding", "code"),
        [
            (b"", "utf-8", "file.empty"),
            (b"\x00\x01\x02", "utf-8", "file.binary"),
            ("form_no,verifier_name\nSL-1,示例\n".encode("gbk"), "utf-8", "file.encoding"),
            ("form_no\nSL-1\n".encode("utf-16"), "utf-8", "file.encoding"),
            (b"\xef\xbb\xbfform_no\nSL-1\n", "gbk", "file.encoding"),
            (b"form_no\nSL-1\n", "latin-1", "file.encoding"),
            (b"SL-000001,x\n", "utf-8", "file.no_header"),
            (b'{"form_no":"SL-000001"}\n', "utf-8", "file.no_header"),
            (b"form_no,form_no\nSL-1,SL-2\n", "utf-8", "file.column_repeated"),
            (
                b"form_no," + b",".join(b"a%d" % n for n in range(4_096)) + b"\nSL-1\n",
                "utf-8",
                "file.too_large",
            ),
        ],
    )
    def test_a_fault_of_the_head_refuses_the_file(self, content: bytes, encoding: str, code: str) -> None:
        assert refusal(content, FileFormat.CSV, encoding) == code

    @pytest.mark.parametrize("body", [b"", b"\n \r\n", b",\n , \n" * 50_000], ids=["none", "blank", "commas"])
    def test_a_table_without_rows_is_empty(self, body: bytes) -> None:
        with pytest.raises(FileRefused) as refused:
            self.outcome(body)
        assert refused.value.code == "file.empty"


class TestXlsx:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [(13800138000.0, "13800138000"), (0.5, "0.5"), (True, "true"), ("示例", "示例"), ("", "")],
    )
    def test_cells_are_text(self, cell: object, text: str) -> None:
        assert cell_text(cell) == text

    def test_empty_rows_are_no_rows(self, context: UnitContext) -> None:
        rows = checked(as_xlsx([["form_no"], ["SL-000001"], [""], ["SL-000002"]]), FileFormat.XLSX, context)
        assert [(row.number, row.form_no) for row in rows] == [(1, "SL-000001"), (2, "SL-000002")]

    def test_the_row_limit(self) -> None:
        table = [["form_no"], *([f"SL-{number:06d}"] for number in range(MAX_ROWS))]
        rows = read_rows(io.BytesIO(as_xlsx(table)), FileFormat.XLSX, national_id="1001")
        assert sum(1 for _ in rows) == MAX_ROWS
        assert refusal(as_xlsx([*table, ["SL-999999"]]), FileFormat.XLSX) == "file.too_many_rows"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "file.empty"),
            (b"form_no\nSL-000001\n", "file.wrong_type"),
            (b"PK\x03\x04" + b"\x00" * 100, "file.damaged"),
            (as_xlsx([]), "file.no_header"),
            (as_xlsx([["name"], ["x"]]), "file.no_header"),
        ],
        ids=["empty", "text", "no archive", "empty sheet", "other columns"],
    )
    def test_a_fault_of_the_head_refuses_the_file(self, content: bytes, code: str) -> None:
        assert refusal(content, FileFormat.XLSX) == code

    @pytest.mark.parametrize("body", [[], [[" "], ["\t"]]], ids=["none", "blank"])
    def test_a_table_without_rows_is_empty(self, body: list[list[str]]) -> None:
        rows = read_rows(io.BytesIO(as_xlsx([["form_no"], *body])), FileFormat.XLSX, national_id="1001")
        with pytest.raises(FileRefused) as refused:
            next(rows)
        assert refused.value.code == "file.empty"

    def test_a_bomb_is_refused_by_its_directory(self) -> None:
        content = archive({"xl/sharedStrings.xml": b" " * 120_000_000})
        assert len(content) < 1_000_000
        assert refusal(content, FileFormat.XLSX) == "file.too_large"


def archive(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, member in {"[Content_Types].xml": b"<Types/>", **members}.items():
            packed.writestr(name, member)
    return content.getvalue()
