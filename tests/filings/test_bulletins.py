"""A bulletin's life."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from python_calamine import CalamineWorkbook

from filings.models import (
    Bulletin,
    Finding,
)
from filings.services import bulletin_table, bulletins, coordination, final_report
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Document, Organisation, PilotUnit
from pilot.services import documents
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.filings import builders
from tests.filings.acting import refused
from tests.filings.test_pages import signed_in


def test_a_bulletin_to_its_publication(
    unit: PilotUnit, finding: Finding, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    refused(bulletin, "publish", ministry_approver, "不能", StateChanged)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bulletin.unscoped.filter(pk=bulletin.pk).update(signed_by=ministry_officer.person_id)
    fire(bulletin, "sign", actor=ministry_approver)
    done = fire(bulletin, "publish", actor=ministry_approver)
    line = done.figures["units"][0]
    assert (line["m1"], line["submitted"], line["accepted"]) == (
        {"n": 1, "errors": 1, "met": False, "shown": "0.0000%"},
        1,
        1,
    )
    assert (
        Document.objects.get(machine="bulletin", kind="bulletin").title
        == "电子化核验试点运行情况通报（2019年6月）"
    )
    refused(done, "discard", ministry_approver, "不能", StateChanged, reason="错误")


def test_a_month_is_reported_once_after_its_end(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    for period in ("2019-07", "2019-06-18", "to-date"):
        with pytest.raises(Refused, match="已经结束的月份"):
            bulletins.compile_bulletin(actor=ministry_officer, period=period)
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已有通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    fire(first, "discard", actor=ministry_approver, reason="重编")
    assert bulletins.compile_bulletin(actor=ministry_officer, period="2019-06").sequence == 2


def test_a_published_month_changes_only_as_an_adjustment(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor, ministry_officer: Actor,
    ministry_approver: Actor,
) -> None:  # fmt: skip
    june = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    for name in ("sign", "publish"):
        fire(june, name, actor=ministry_approver)
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert Bulletin.unscoped.get(pk=june.pk).figures["units"][0]["m1"]["errors"] == 1
    world.at("2019-08-01 09:00")
    july = bulletins.compile_bulletin(actor=ministry_officer, period="2019-07")
    assert [
        (c["period"], c["code"], c["before"]["m1_errors"], c["after"]["m1_errors"])
        for c in july.figures["adjustments"]
    ] == [("2019-06", unit.code, 1, 0)]
    for name in ("sign", "publish"):
        fire(july, name, actor=ministry_approver)
    world.at("2019-09-01 09:00")
    august = bulletins.compile_bulletin(actor=ministry_officer, period="2019-08")
    assert august.figures["adjustments"] == []


def test_a_mistake_after_publication_is_a_numbered_corrigendum(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已发布的通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    for name in ("sign", "publish"):
        first = fire(first, name, actor=ministry_approver)
    second = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    assert (second.sequence, second.corrects_id) == (2, first.pk)


def test_the_paper_says_what_was_frozen(
    unit: PilotUnit, finding: Finding, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    builders.decide(finding, "disputed", "overturned")  # after freezing: the paper must not know
    for name in ("sign", "publish"):
        fire(bulletin, name, actor=ministry_approver)
    paper = Document.objects.get(machine="bulletin", kind="bulletin")
    text = squeezed(text_of(documents.read_bytes(paper.sha256)))
    assert f"{unit.organisation.name}广东省1100000" in text
    assert f"{unit.organisation.name}1/10.0000" in text
    assert "2019-06-0100:00至2019-07-0100:00（不含）" in text
    assert "计算规则：2019-87/1" in text


def test_whoever_reads_english_signs_a_chinese_paper(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    with translation.override("en"):
        draft = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
        [line] = draft.figures["units"]
        assert bulletin_table.cells(line)[1] == "Guangdong"
        bulletin = published(draft, ministry_approver)
    assert f"{unit.organisation.name}广东省" in pdf_of(bulletin)
    [head, line, _total] = sheets(bulletin)["通报"]
    assert (head, line[1]) == (bulletin_table.headings(), "广东省")


def published(bulletin: Bulletin, approver: Actor) -> Bulletin:
    for name in ("sign", "publish"):
        bulletin = fire(bulletin, name, actor=approver)
    return bulletin


def sheets(bulletin: Bulletin) -> dict[str, list[list[Any]]]:
    paper = Document.objects.get(machine="bulletin", kind="bulletin-workbook", object_id=bulletin.pk)
    book = CalamineWorkbook.from_filelike(BytesIO(documents.read_bytes(paper.sha256)))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def pdf_of(bulletin: Bulletin) -> str:
    paper = Document.objects.get(machine="bulletin", kind="bulletin", object_id=bulletin.pk)
    return squeezed(text_of(documents.read_bytes(paper.sha256)))


def plain(value: Any) -> str:
    """A cell without what page, paper and workbook write each in its own way."""
    if isinstance(value, float):
        value = int(value)
    return str(value).replace(",", "").replace(" ", "")


@pytest.fixture
def three(unit: PilotUnit) -> list[PilotUnit]:
    """A unit without errors, one with nothing but errors, both with 300 forms, and one without forms."""
    good, bad, silent = unit, *(builders.enrol(unit.programme, world.provider()) for _n in range(2))
    builders.compared_all(builders.forms(good, 300))
    rows = builders.forms(bad, 300)
    builders.compared(*rows[:3], outcome="mismatch")
    builders.compared_all(rows[3:])
    return [good, bad, silent]


def test_page_paper_and_workbook_say_the_same(
    three: list[PilotUnit], provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    draft = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    bulletin = published(draft, ministry_approver)
    expected = [[plain(cell) for cell in bulletin_table.cells(line)] for line in bulletin.figures["units"]]
    assert len(expected) == 3
    expected.append([plain(cell) for cell in bulletin_table.total_cells(bulletin.figures)])
    head, *rows = sheets(bulletin)["通报"]
    assert head == bulletin_table.headings()
    assert [[plain(cell) for cell in row] for row in rows] == expected
    page = Client().get(reverse("published_bulletin", args=[bulletin.pk])).context["page"]
    text = pdf_of(bulletin)
    tables = {tuple(str(column.label) for column in section.columns): section for section in page.sections}
    for part in ("forms", "m1", "m2"):  # all columns in one table are wider than screen and paper
        places = [place for place, _column in bulletin_table.columns_of(part)]
        table = tables[tuple(head[place] for place in places)]
        shown = [[plain(getattr(cell, "label", cell)) for cell in row.cells] for row in table.rows]
        assert shown == [[row[place] for place in places] for row in expected]
        for row in shown:
            assert "".join(row) in text
    for kind, start in (("pdf", b"%PDF"), ("xlsx", b"PK")):
        response = Client().get(reverse("published_bulletin_file", args=[bulletin.pk, kind]))
        assert response.content.startswith(start)
    assert Client().get(reverse("published_bulletin_file", args=[bulletin.pk, "csv"])).status_code == 404


def test_a_rank_stands_only_where_intervals_do_not_overlap(
    three: list[PilotUnit], ministry_officer: Actor
) -> None:
    def ranks(figures: dict[str, Any]) -> list[Any]:
        return [bulletin_table.rank_words(line) for line in figures["units"]]

    close = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    assert ranks(close.figures) == ["--（区间重叠）", "--（区间重叠）", "--（无数据）"]
    assert close.figures["units"][0]["rank"]["overlaps"] == [three[1].code]
    worse = builders.forms(three[1], 30)
    builders.compared(*worse, outcome="mismatch")
    fire(close, "discard", actor=world.ministry("ministry_approver"), reason="重编")
    apart = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    assert ranks(apart.figures) == [1, 2, "--（无数据）"]


def test_numbers_open_forms_for_whom_counts_the_whole_unit(
    unit: PilotUnit, finding: Finding, provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = published(
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06"), ministry_approver
    )
    address = reverse("figure", args=[unit.code, "2019-06", "m1_errors"])
    page = reverse("published_bulletin", args=[bulletin.pk])
    for actor, links in (
        (provider, True),
        (world.bureau(), True),
        (ministry_officer, True),
        (world.bureau(province=11), False),
        (world.provider(), False),
    ):
        client = signed_in(actor)
        assert (address in client.get(page).content.decode()) is links
        assert client.get(address).status_code == (200 if links or actor.is_bureau else 404)
    assert address not in Client().get(page).content.decode()


def test_a_corrigendum_says_what_changed(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor, ministry_officer: Actor,
    ministry_approver: Actor,
) -> None:  # fmt: skip
    first = published(bulletins.compile_bulletin(actor=ministry_officer, period="2019-06"), ministry_approver)
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    second = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    name = unit.organisation.name
    words = [bulletin_table.correction_words(change) for change in second.figures["corrections"]]
    assert f"{name}：M1 差错/计数由 1/1 改为 0/1" in words
    assert f"{name}：M1 准确率由 0.0000% 改为 100.0000%" in words
    assert "合计：M2 差错/计数由 1/1 改为 0/1" in words
    assert {change["column"] for change in second.figures["corrections"]} == {
        "m1", "m1_shown", "m1_interval", "m1_verdict", "m2", "m2_shown", "m2_verdict",
    } - ({"m1_verdict"} if first.figures["units"][0]["verdict"] == "undecided" else set())  # fmt: skip
    done = published(second, ministry_approver)
    assert squeezed(f"{name}：M1 差错/计数由 1/1 改为 0/1") in pdf_of(done)
    page = Client().get(reverse("published_bulletin", args=[done.pk])).content.decode()
    assert words[0] in page


# --- the final report -----------------------------------------------------------------------------
def test_the_final_report_closes_the_pilot(
    unit: PilotUnit, finding: Finding, provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    owner = Organisation.objects.get(pk=ministry_officer.organisation_id)
    coordination.open_case(
        actor=provider, unit=unit, subject="示例", text="示例", owner=owner, category="national"
    )
    told = {"kind": "final", "conclusions": "试点达到预期目的。\n建议推广。"}
    with pytest.raises(Refused, match="运行阶段结束后"):
        bulletins.compile_bulletin(actor=ministry_officer, **told)
    world.at("2020-01-02 09:00")
    with pytest.raises(Refused, match="总结意见"):
        bulletins.compile_bulletin(actor=ministry_officer, kind="final")
    report = bulletins.compile_bulletin(actor=ministry_officer, **told)
    with pytest.raises(Refused, match="已有试点总结报告"):
        bulletins.compile_bulletin(actor=ministry_officer, **told)
    frozen = report.figures
    assert frozen["units"][0]["m1"]["errors"] == 1
    months = [(line["period"], line["accepted"]) for line in frozen["months"]]
    assert (len(months), months[1], sum(number for _name, number in months)) == (8, ("2019-06", 1), 1)
    final = frozen["final"]
    assert final["participants"] == [[44, 0, 0, 1]]
    assert final["findings"] == {"comparison": {"open": 1}}
    assert (final["causes"], final["without_cause"]) == ([], 1)
    assert final["coordination"] == {"national": {"open": 1}}
    assert final["national"] == [
        {"name": unit.organisation.name, "forms": 1, "acknowledged": 0, "not_passed": 0, "checks": 0}
    ]
    refused(report, "sign", ministry_officer, "职责", NotPermitted)
    done = published(report, ministry_approver)
    text, book = pdf_of(done), sheets(done)
    for title in ("参与情况", "各月运行情况", "抽查", "差错：按来源", "整改", "协调沟通", "与全国系统核对"):
        assert squeezed(title) in text
    assert "建议推广。" in text
    assert book["协调沟通"][1:] == [["全国备案系统", 1.0, 0.0, 0.0, 1.0]]
    assert "运行阶段外" not in text
    totals = {**frozen["totals"], "submitted": frozen["totals"]["submitted"] + 2}
    late = {**totals, "counts": {**totals["counts"], "late": totals["counts"]["late"] + 2}}
    monthly = final_report.tables({**frozen, "totals": late})[1]
    assert monthly.rows[-1] == ["运行阶段外", 2, 0, 0, 0, 2, "0/0", "--", "0/0", "--"]
    assert "计入全阶段份数" in monthly.note
    two = {**frozen, "final": {**final, "participants": [[44, 1, 2, 3], [11, 1, 0, 1]], "without_cause": 0}}
    tables = {table.title: table.rows for table in final_report.tables(two)}
    assert tables["参与情况"][-1] == ["合计", 2, 2, 4]
    assert tables["差错：按原因"] == []
    page = Client().get(reverse("published_bulletin", args=[done.pk])).content.decode()
    assert all(words in page for words in ("试点总结报告", "试点达到预期目的。", "与全国系统核对"))


def test_participants_are_counted_by_province(ministry_officer: Actor, programme: Any) -> None:
    world.at("2019-04-12 09:00")
    staff = world.provider(), world.bureau("bureau_reviewer")
    intake.accepted(*staff)
    intake.submitted(world.provider())
    intake.drafted(world.provider())
    assert final_report.freeze(programme=programme, units=[])["participants"] == [[44, 2, 1, 0]]
