"""Refused rows come back as a file of the same format with their errors, fit to be corrected and sent again."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import python_calamine
import xlsxwriter

from filings import writers
from filings.enums import JobState
from filings.intake.v3 import read_v3
from filings.services import rejects, spool, uploads

pytestmark = pytest.mark.django_db


@pytest.fixture
def faulty(made: Any) -> list[dict[str, Any]]:
    """Four forms; the second and the fourth have faults."""
    forms = made(4)
    forms[1]["principal"]["mobile"] = "=12013800138"
    forms[3]["websites"][0]["domain"] = "www.shili.cn"
    return forms


def back(job: Any, language: str = "zh") -> bytes:
    return b"".join(rejects.content(job, language))


def test_ndjson(faulty: Any, hand_in: Any) -> None:
    job = hand_in(*faulty[:2], b"{broken\n", *faulty[2:])
    first, broken, last = (json.loads(line) for line in back(job).splitlines())
    assert first["_errors"] == [
        {"code": "phone.mobile", "field": "/principal/mobile", "message": "手机号码不正确"}
    ]
    assert {**first, "_row": 0, "_errors": 0} == {**faulty[1], "_row": 0, "_errors": 0}
    assert (broken["_raw"], broken["_row"]) == ("{broken", 3)
    assert (last["_row"], [error["code"] for error in last["_errors"]]) == (5, ["domain.subdomain"])


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_csv_in_its_own_encoding_and_without_live_formulas(faulty: Any, hand_in: Any, encoding: str) -> None:
    out = io.BytesIO()
    writers.write_csv(faulty, out, writers.columns_of(faulty))
    job = hand_in(out.getvalue().decode().encode(encoding), name="forms.csv", encoding=encoding)
    first, last = csv.DictReader(io.StringIO(back(job).decode(encoding)))
    assert (first["errors.row"], first["errors.code"]) == ("2", "phone.mobile")
    assert (first["principal.mobile"], first["subject.name"]) == (
        "'=12013800138",
        faulty[1]["subject"]["name"],
    )
    assert (last["errors.field"], last["errors.message"][:5]) == ("/websites/0/domain", "应填写注册")


def test_xlsx(faulty: Any, hand_in: Any) -> None:
    out = io.BytesIO()
    writers.write_xlsx(faulty, out, writers.columns_of(faulty))
    job = hand_in(out.getvalue(), name="forms.xlsx")
    sheet = python_calamine.load_workbook(io.BytesIO(back(job))).get_sheet_by_index(0)
    header, *rows = sheet.to_python()
    assert [row[header.index("errors.code")] for row in rows] == ["phone.mobile", "domain.subdomain"]
    assert [row[header.index("form_no")] for row in rows] == [faulty[1]["form_no"], faulty[3]["form_no"]]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_was_not_corrected_is_stored_as_it_was_sent(made: Any, hand_in: Any, ending: str) -> None:
    write = {"csv": writers.write_csv, "xlsx": writers.write_xlsx}[ending]
    (form,) = made(1)
    form["websites"][0]["site_name"], form["subject"]["name"] = "+1影音", "'=示例"
    mobile, form["principal"]["mobile"] = form["principal"]["mobile"], "=1"
    out = io.BytesIO()
    write([form], out, writers.columns_of([form]))
    content = back(hand_in(out.getvalue(), name=f"forms.{ending}"))
    untouched = hand_in(content, name=f"forms.{ending}")
    assert (untouched.code_counts, table_of(back(untouched), ending)) == (
        {"phone.mobile": 1},
        table_of(content, ending),
    )
    header, row = table_of(content, ending)
    row[header.index("principal.mobile")] = mobile
    corrected = hand_in(written([header, row], ending), name=f"forms.{ending}")
    form["principal"]["mobile"] = mobile
    assert (corrected.accepted, hand_in(form).duplicates) == (1, 1)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_row_with_cells_beyond_the_header_is_refused_again(made: Any, hand_in: Any, ending: str) -> None:
    out = io.BytesIO()
    writers.write_csv(made(1), out, writers.columns_of(made(1)))
    header, row = table_of(out.getvalue(), "csv")
    first = hand_in(written([header, [*row, "", "surplus"]], ending), name=f"forms.{ending}")
    content = back(first)
    again = hand_in(content, name=f"forms.{ending}")
    assert [job.code_counts for job in (first, again)] == [{"json.invalid": 1}] * 2
    assert table_of(content, ending)[1][-2:] == ["", "surplus"]
    assert table_of(back(again), ending) == table_of(content, ending)


def table_of(content: bytes, ending: str) -> list[list[str]]:
    if ending == "csv":
        return [*csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    sheet = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
    return [[*map(str, row)] for row in sheet.to_python()]


def written(table: list[list[str]], ending: str) -> bytes:
    if ending == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(table)
        return text.getvalue().encode()
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(table):
            sheet.write_row(place, 0, row)
    return out.getvalue()


def test_v3_is_an_upload_again(unit: Any, faulty: Any, hand_in: Any) -> None:
    out = io.BytesIO()
    writers.write_v3(faulty, out, str(unit.national_id))
    job = hand_in(out.getvalue(), name="forms.xml")
    assert job.rejected_rows == 2
    content = back(job)
    assert [row.number for row in read_v3(io.BytesIO(content), str(unit.national_id))] == [1, 2]
    assert "phone.mobile /principal/mobile 手机号码不正确" in content.decode("gbk")
    again = hand_in(content, name="forms.xml")
    assert (again.rows, again.code_counts) == (2, job.code_counts)
    assert back(again).decode("gbk").count("<!--") == 2  # an earlier round's errors give way, as in tables


def test_names_with_dashes_stand_in_a_comment() -> None:
    out = io.BytesIO()
    errors = [{"code": "field.unknown", "field": "/a---b-", "message": "示例"}]
    writers.refused_v3([writers.RefusedRow(1, b"<Baxx/>", errors)], out, "XZBA", "1001")
    assert " 1: field.unknown /a- - -b- 示例 " in out.getvalue().decode("gbk")


def test_a_file_that_is_refused_row_by_row_comes_to_an_end(
    faulty: Any, hand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows before keep their outcome, and can be fetched."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    monkeypatch.setattr(uploads, "MOST_REFUSED", 0)
    job = hand_in(*faulty)
    assert (job.state, job.rows, job.accepted, job.rejected_rows) == (JobState.FAILED, 2, 1, 1)
    assert job.fault == "已有 0 行未被接收，处理到此为止；此前各行的结果有效"
    assert [json.loads(line)["_row"] for line in back(job).splitlines()] == [2]


def test_the_words_follow_the_reader(faulty: Any, hand_in: Any) -> None:
    line = json.loads(back(hand_in(*faulty), "en").splitlines()[0])
    assert line["_errors"][0]["message"] == "Not a valid mobile number"


def test_refused_rows_of_several_chunks(faulty: Any, hand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    out = io.BytesIO()
    writers.write_csv(faulty, out, writers.columns_of(faulty))
    rows = list(csv.DictReader(io.StringIO(back(hand_in(out.getvalue(), name="forms.csv")).decode())))
    assert [row["errors.row"] for row in rows] == ["2", "4"]


def test_a_job_without_refused_rows_has_no_file(made: Any, hand_in: Any) -> None:
    job = hand_in(*made(1))
    assert (rejects.available(job), back(job)) == (False, b"")


def test_a_dry_run_gives_its_refused_rows_back_as_well(faulty: Any, hand_in: Any) -> None:
    tried, real = hand_in(*faulty, dry_run=True), hand_in(*faulty)
    assert (tried.rejected_rows, rejects.available(tried)) == (2, True)
    assert back(tried) == back(real)


def test_a_dry_run_that_begins_anew_keeps_nothing_of_its_first_attempt(faulty: Any, receive: Any) -> None:
    """What was refused then may be taken now: only the last attempt's rows are in the file."""
    job = receive(faulty[0], dry_run=True)
    spool.write_refused(job.case_key, 1, b"of an attempt that was cut off")
    done = uploads.process(job_id=job.pk)
    assert (done.rejected_rows, rejects.available(done), spool.has_upload(job.case_key)) == (0, False, True)
