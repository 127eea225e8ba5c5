"""Provincial reports: 31 opened at once, sent with a frozen list, received, returned, supplemented."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from zipfile import ZipFile

import pypdfium2
import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from assessment.models import ApprovalList, CapabilityAssessment, ProvincialReport, ReportLine
from assessment.pages import report as report_page
from assessment.services.reports import open_reports, open_supplement, province_of
from assessment.spreadsheet import report_workbook
from assessment.tasks import open_reports as open_reports_task
from pilot.actors import Actor
from pilot.enums import Province
from pilot.errors import Refused
from pilot.models import Document, Organisation, Programme
from pilot.selectors import people
from pilot.services import documents
from pilot.ui import Link, Noted, Tag
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.refusals import refusal
from tests.factories import world

pytestmark = pytest.mark.django_db

CLERK = Actor.system("tests")


def test_numbers_have_the_year_of_the_local_day() -> None:
    new_year = datetime(2019, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight in Beijing
    report = ProvincialReport(opened_at=new_year, province=44, sequence=1)
    assert report.number == "HZ-2020-44-1"
    assert ApprovalList(opened_at=new_year, sequence=1).number == "MD-2020-01"


def test_reports_are_opened_once_for_all_bureaus_when_review_begins(programme: Programme) -> None:
    world.at("2019-04-15 23:00")
    assert open_reports(programme=programme, actor=CLERK) == []
    assert open_reports_task() == 0
    world.at("2019-04-16 00:00")
    assert open_reports_task() == 31
    assert open_reports_task() == 0
    found = ProvincialReport.unscoped.values_list("province", "sequence", "state", "due_at")
    # 12 working days from 16 April, the first day counted: 28 April is a working Sunday, 1 to 3 May are off.
    due = world.moment("2019-05-01 00:00")
    assert sorted(found) == sorted((province.value, 1, "open", due) for province in Province)


def test_the_list_is_frozen_in_order_with_a_stable_digest(staff: builders.Desk) -> None:
    first, second = builders.recommended(staff), builders.not_recommended(staff)
    builders.begin_review()
    report = builders.sent(staff, filled_in_by="示例一", phone="020-00000002")
    lines = list(ReportLine.unscoped.filter(report=report))
    assert [(line.version, line.position, line.application_id, line.recommended) for line in lines] == [
        (1, 1, first.pk, True),
        (1, 2, second.pk, False),
    ]
    assert lines[1].snapshot == {
        "name": second.provider.name,
        "uscc": second.uscc,
        "number": second.acceptance_number,
        "licence": "B1-20180123",
        "methods": ["人脸识别", "动作识别"],
        "recommended": False,
        "remark": "示例意见",
        "opinion_version": 1,
    }
    content = {"report": report.number, "version": 1, "lines": [line.snapshot for line in lines]}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert report.digest == hashlib.sha256(text.encode()).hexdigest()
    assert (report.state, report.version, report.nil, report.late) == ("sent", 1, False, False)
    assert (report.filled_in_by, report.phone, report.number) == ("示例一", "020-00000002", "HZ-2019-44-1")


def made(report: ProvincialReport) -> tuple[str, list[list[str]], bytes]:
    """The sheet last made: the text of its PDF without blanks, the rows of its workbook, the workbook itself."""
    papers = Document.objects.filter(machine="provincial-report", object_id=report.pk)
    pdf = documents.read_bytes(papers.filter(kind="provincial-report").last().sha256)
    book = documents.read_bytes(papers.filter(kind="provincial-report-xlsx").last().sha256)
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return re.sub(r"\s", "", text), rows_of(book), book


def rows_of(book: bytes) -> list[list[str]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()


def words(cell: Any) -> str:
    """A cell of the screen as the papers write it."""
    if isinstance(cell, Noted):
        return words(cell.value)
    if isinstance(cell, Tag | Link):
        return cell.label
    return "、".join(cell) if isinstance(cell, list) else str(cell)


def test_screen_workbook_and_pdf_say_the_same(staff: builders.Desk) -> None:
    applications = [builders.recommended(staff), builders.recommended(staff), builders.not_recommended(staff)]
    builders.begin_review("2019-04-28 09:00")
    report = builders.sent(staff, filled_in_by="示例一", phone="020-00000002")
    (section,) = report_page.sections(report, staff.officer)
    text, rows, _book = made(report)
    assert section.note == "合计 3 家，其中同意推荐 2 家，不同意推荐 1 家"
    total = "申请单位3家，其中同意推荐2家，不同意推荐1家"
    shown = [[words(cell) for cell in row.cells] for row in section.rows]
    # On the screen the code stands under the name, and the province, the same in every row, in the title.
    kept = [n for n, head in enumerate(rows[3]) if head not in {"统一社会信用代码", "省份"}]
    assert [rows[3][n] for n in kept] == [str(column.label) for column in section.columns]
    assert [[row[n] for n in kept] for row in rows[4:7]] == shown
    assert [row[2:5] for row in rows[4:7]] == [[a.uscc, a.acceptance_number, "广东省"] for a in applications]
    assert [row.cells[1].note for row in section.rows] == [a.uscc for a in applications]
    assert rows[7][:2] == ["合计", total]
    assert [text.count("".join(row)) for row in [*rows[3:7], ["合计", total]]] == [1, 1, 1, 1, 1]
    signature = [
        "填报单位：广东省通信管理局（盖章）",
        "填报人：示例一",
        "联系电话：020-00000002",
        "填报日期：2019年4月28日",
    ]
    assert [cell for cell in rows[9] if cell] == signature
    assert text.count("".join(signature)) == 1
    assert rows[0][0] == "广东省电子化核验试点申请审核汇总表（第1版）"
    assert text.endswith("—1—")
    titles = Document.objects.filter(machine="provincial-report").values_list("title", flat=True)
    assert set(titles) == {f"{rows[0][0]}2019-04-28"}


def test_a_nil_return_says_so_on_both_papers(staff: builders.Desk) -> None:
    builders.begin_review()
    report = builders.sent(staff, nil=True)
    text, rows, _book = made(report)
    words = "零报告：本报送期内，广东省没有报送的申请单位。"
    total = "申请单位0家，其中同意推荐0家，不同意推荐0家"
    assert (rows[4][0], rows[5][:2]) == (words, ["合计", total])
    assert (text.count(words), text.count(f"合计{total}")) == (1, 1)
    (section,) = report_page.sections(report, staff.officer)
    assert section.note == "合计 0 家，其中同意推荐 0 家，不同意推荐 0 家"


PAPER = {
    "programme": {"notice": "示例通知", "number": "示例〔2019〕1号"},
    "issuer": "示例局",
    "report_number": "HZ-2019-44-1",
    "version": "1",
    "filled_by": "=填报人",
    "phone": "+86",
    "filled_on": "2019年4月28日",
    "nil_words": "零报告",
    "total_words": "1家",
    "digest": "00",
    "rows": [
        {
            "name": "=1+1",
            "uscc": "914400000000000001",
            "number": "SL2019-44-00001",
            "province": "广东省",
            "licence": "@SUM(A1)",
            "methods": "人脸识别",
            "opinion": "同意推荐",
            "remark": "+86",
        }
    ],
}


def test_the_workbook_keeps_formulas_inert_and_long_numbers_whole() -> None:
    body = report_workbook(title="=标题", paper=PAPER)
    rows = rows_of(body)
    assert (rows[0][0], rows[7][3], rows[4]) == (
        "=标题",
        "填报人：=填报人",
        ["1", *PAPER["rows"][0].values()],
    )
    sheet = ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml").decode()
    assert (sheet.count("<f>"), set(re.findall(r' t="(\w+)"', sheet))) == (0, {"s"})


def test_the_workbook_is_ready_for_the_printer() -> None:
    files = ZipFile(io.BytesIO(report_workbook(title="标题", paper=PAPER)))
    sheet, book = (files.read(name).decode() for name in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"))
    (setup,) = re.findall(r"<pageSetup ([^>]*)/>", sheet)
    assert set(setup.split()) == {'paperSize="9"', 'orientation="landscape"', 'fitToHeight="0"'}
    assert sheet.count('<pageSetUpPr fitToPage="1"/>') == 1
    assert re.findall(r"<oddFooter>(.*?)</oddFooter>", sheet) == ["&amp;C第 &amp;P 页，共 &amp;N 页"]
    assert re.findall(r"<pane [^>]*>", sheet)[0].count('topLeftCell="C5"') == 1
    assert re.findall(r">([^<>]*)</definedName>", book) == ["汇总表!$A$1:$I$9", "汇总表!$4:$4"]


def test_nothing_accepted_is_left_without_a_signed_opinion(staff: builders.Desk) -> None:
    builders.recommended(staff)
    builders.drafted(builders.accepted(staff), staff)
    builders.begin_review()
    report = builders.report_of()
    assert refusal(report, "send", actor=staff.lead) == (Refused, "还有 1 件已受理的申请没有签发审核意见")


def test_a_nil_return_is_confirmed_and_only_where_there_is_nothing(staff: builders.Desk) -> None:
    builders.recommended(staff)
    builders.begin_review()
    elsewhere = builders.desk(Province.GUANGXI)
    empty = builders.report_of(Province.GUANGXI)
    assert refusal(empty, "send", actor=elsewhere.lead) == (
        Refused,
        "没有可报送的申请；确无申请的，请确认作零报告",
    )
    nil = fire(empty, "send", actor=elsewhere.lead, nil=True)
    assert (nil.state, nil.nil, nil.version, nil.lines.count()) == ("sent", True, 1, 0)
    text = '{"lines":[],"report":"HZ-2019-45-1","version":1}'
    assert nil.digest == hashlib.sha256(text.encode()).hexdigest()
    assert refusal(builders.report_of(), "send", actor=staff.lead, nil=True) == (
        Refused,
        "有 1 件申请应当报送，不能作零报告",
    )


def test_a_bureau_sends_its_own_report(staff: builders.Desk) -> None:
    builders.begin_review()
    elsewhere = builders.desk(Province.GUANGXI)
    assert refusal(builders.report_of(), "send", actor=elsewhere.lead, nil=True) == (
        Refused,
        "只能报送本局的汇总表",
    )


@pytest.mark.parametrize(("when", "late"), [("2019-04-30 23:59", False), ("2019-05-01 00:00", True)])
def test_a_report_is_late_after_the_bureaus_share_of_review(
    staff: builders.Desk, when: str, late: bool
) -> None:
    builders.begin_review()
    world.at(when)
    assert builders.sent(staff, nil=True).late is late


def test_receipt_reports_everybody_and_plans_assessments_of_the_recommended(staff: builders.Desk) -> None:
    good, bad = builders.recommended(staff), builders.not_recommended(staff)
    builders.begin_review()
    report = builders.received(staff)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (report.state, good.state, bad.state) == ("received", "reported", "reported")
    found = CapabilityAssessment.unscoped.values_list("application", "state", "case_key")
    assert list(found) == [(good.pk, "planned", good.case_key)]


def test_whoever_withdrew_after_sending_is_passed_over(staff: builders.Desk) -> None:
    provider = world.provider()
    gone, stays = builders.recommended(staff, provider), builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    fire(gone, "withdraw", actor=provider, reason="示例")
    fire(report, "receive", actor=staff.officer)
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.state, stays.state) == ("withdrawn", "reported")
    assert list(CapabilityAssessment.unscoped.values_list("application", flat=True)) == [stays.pk]


def test_a_returned_report_is_sent_as_version_two_and_the_first_stays(staff: builders.Desk) -> None:
    application = builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    first = report.digest
    assert refusal(report, "return_to_bureau", actor=staff.officer) == (Refused, "请填写理由")
    report = fire(report, "return_to_bureau", actor=staff.officer, reason="请核对第1行")
    assert (report.state, report.due_at) == ("open", world.moment("2019-05-01 00:00"))
    opinion = fire(builders.opinion_of(application), "reopen", actor=staff.lead, reason="核对")
    assert opinion.version == 2
    builders.signed(application, staff, builders.NOT_MET)
    report = builders.sent(staff)
    assert (report.state, report.version) == ("sent", 2)
    lines = ReportLine.unscoped.filter(report=report).values_list("version", "recommended")
    assert list(lines) == [(1, True), (2, False)]
    assert report.digest != first


def test_a_report_returned_late_leaves_the_time_for_corrections(staff: builders.Desk) -> None:
    builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    world.at("2019-05-06 10:00")
    report = fire(report, "return_to_bureau", actor=staff.officer, reason="请核对")
    assert report.due_at == world.moment("2019-05-14 00:00")
    world.at("2019-05-07 10:00")
    assert builders.sent(staff).late is False


def test_a_supplement_needs_something_left_to_report(staff: builders.Desk) -> None:
    bureau = people.bureau_of(Province.GUANGDONG)
    builders.recommended(staff)
    with pytest.raises(Refused, match="尚未开始汇总报送"):
        open_supplement(bureau=bureau, actor=staff.lead)
    builders.begin_review()
    with pytest.raises(Refused, match="待报送的汇总表"):
        open_supplement(bureau=bureau, actor=staff.lead)
    builders.received(staff)
    with pytest.raises(Refused, match="没有尚未报送的申请"):
        open_supplement(bureau=bureau, actor=staff.lead)


def test_a_late_applicant_goes_into_a_supplement_of_its_own(staff: builders.Desk) -> None:
    early = builders.recommended(staff)
    waiting = builders.applications.submitted(world.provider())
    builders.begin_review()
    builders.received(staff)
    fire(waiting, "accept", actor=staff.reviewer)
    builders.signed(waiting, staff)
    supplement = open_supplement(bureau=people.bureau_of(Province.GUANGDONG), actor=staff.lead)
    assert (supplement.sequence, supplement.state, supplement.number) == (2, "open", "HZ-2019-44-2")
    builders.received(staff)
    lines = ReportLine.unscoped.order_by("report__sequence").values_list("report__sequence", "application")
    assert list(lines) == [(1, early.pk), (2, waiting.pk)]
    waiting.refresh_from_db()
    assert waiting.state == "reported"


def test_what_was_sent_stands_above_the_acts_of_the_ministry(staff: builders.Desk) -> None:
    def above(name: str) -> list[str]:
        page = client_of(staff.officer).get(reverse("provincial-report_act", args=[report.pk, name]))
        return [section.title for section in page.context["page"].sections]

    builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    shown = [above("receive"), above("return_to_bureau")]
    fire(report, "return_to_bureau", actor=staff.officer, reason="示例")
    report = builders.sent(staff)
    assert (shown, above("receive")) == (
        [["汇总表（第 1 版）"]] * 2,
        ["汇总表（第 2 版）", "与上一版比较"],
    )


def test_what_would_be_supplemented_stands_above_the_button(staff: builders.Desk) -> None:
    def above() -> tuple[str, str, list[str], bool]:
        page = client_of(staff.lead).get(reverse("provincial-report_create")).context["page"]
        (section,) = page.sections
        return section.title, section.empty, [row.cells[1] for row in section.rows], page.blocked

    builders.recommended(staff)
    waiting = builders.applications.submitted(world.provider())
    builders.begin_review()
    early = above()
    builders.received(staff)
    fire(waiting, "accept", actor=staff.reviewer)
    builders.signed(waiting, staff)
    waiting.refresh_from_db()
    assert (early, above()) == (
        ("不能补充汇总", "本局有一份待报送的汇总表，请并入其中报送", [], True),
        ("待报送的申请", "没有已签发审核意见、尚未报送的申请", [waiting.number], False),
    )


def test_a_report_is_not_returned_while_the_supplement_is_open(staff: builders.Desk) -> None:
    builders.recommended(staff)
    waiting = builders.applications.submitted(world.provider())
    builders.begin_review()
    report = builders.sent(staff)
    fire(waiting, "accept", actor=staff.reviewer)
    open_supplement(bureau=people.bureau_of(Province.GUANGDONG), actor=staff.lead)
    assert refusal(report, "return_to_bureau", actor=staff.officer, reason="x") == (
        Refused,
        "该局有一份待报送的补充汇总表，待其报送后方可退回",
    )


def test_a_bureau_sees_its_own_reports_only(staff: builders.Desk) -> None:
    builders.begin_review()
    seen = ProvincialReport.objects.visible_to(staff.reviewer).values_list("province", flat=True)
    assert list(seen) == [44]
    assert ProvincialReport.objects.visible_to(staff.officer).count() == 31
    assert ProvincialReport.objects.visible_to(world.provider()).count() == 0


def test_only_a_bureau_answers_for_a_province() -> None:
    for other in (Organisation(kind="provider", province=44), Organisation(kind="bureau")):
        with pytest.raises(Refused) as refused:
            province_of(other)
        assert str(refused.value) == "只有通信管理局可以汇总报送"
    assert province_of(Organisation(kind="bureau", province=44)) == 44
