"""What the pages of review say at a glance: deadlines, verdicts and decisions where they are looked for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from assessment.models import CapabilityAssessment, ProvincialReport
from assessment.pages import catalogue, common, phases, test_runs
from assessment.pages.comparison import SidesForm
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Programme
from pilot.ui import Folded, Link, Noted, Tag
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.factories import world

pytestmark = pytest.mark.django_db


def page_of(actor: Actor, name: str, *args: Any, query: str = "") -> Any:
    response = client_of(actor).get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.context["page"]


def facts(shown: Any) -> dict[str, Any]:
    return {fact.label: fact.value for fact in shown}


def section(page: Any, title: str) -> Any:
    (found,) = [each for each in page.sections if each.title == title]
    return found


def cells(page: Any) -> list[dict[str, Any]]:
    keys = [column.key for column in page.columns]
    return [dict(zip(keys, row.cells, strict=True)) for row in page.rows]


# --- opinions -----------------------------------------------------------------------------------------
def test_an_opinion_shows_until_when_the_bureau_reports(staff: builders.Desk) -> None:
    case = builders.opinion_of(builders.accepted(staff))
    assert [row["due"] for row in cells(page_of(staff.reviewer, "opinion_list"))] == [None]
    builders.begin_review()
    last = date(2019, 4, 30)  # the twelfth working day of review, Sunday 04-28 among them
    assert [row["due"] for row in cells(page_of(staff.reviewer, "opinion_list"))] == [last]

    def on_the_desk() -> Any:
        return facts(page_of(staff.reviewer, "opinion_act", case.pk, "draft").form.desk.facts)["报送截止"]

    assert on_the_desk() == [last, Tag("还有 11 个工作日", "info")]
    world.at("2019-04-30 10:00")
    assert on_the_desk() == [last, Tag("还有 0 个工作日", "warning")]
    world.at("2019-05-01 00:00")
    assert on_the_desk() == [last, Tag("已逾期", "danger")]
    fire(case, "draft", actor=staff.reviewer, checklist=builders.MET)
    fire(builders.refreshed(case), "sign", actor=staff.lead)
    assert [row["due"] for row in cells(page_of(staff.lead, "opinion_list"))] == [None]


def test_reopening_shows_what_was_signed_and_when(staff: builders.Desk) -> None:
    case = builders.signed(builders.accepted(staff), staff, builders.NOT_MET)
    above, conditions = page_of(staff.lead, "opinion_act", case.pk, "reopen").sections
    found = facts(above.facts)
    assert (above.title, found["审核结论"], found["审核意见"], found["签发时间"]) == (
        "已签发的意见（第 1 版）",
        Tag("不同意推荐", "danger"),
        "示例意见",
        case.state_since,
    )
    assert (conditions.title, conditions.columns[1].label, [row.cells[1] for row in conditions.rows]) == (
        "条件核对结论",
        "材料情况",
        [[Tag("已体现", "success")]] * 3,
    )
    assert facts(page_of(staff.lead, "opinion_detail", case.pk).facts)["签发时间"] == case.state_since
    fire(builders.refreshed(case), "reopen", actor=staff.lead, reason="示例")
    assert facts(page_of(staff.lead, "opinion_detail", case.pk).facts)["签发时间"] is None


# --- reports ------------------------------------------------------------------------------------------
def test_a_report_names_bureau_and_applicants_in_seven_columns(staff: builders.Desk) -> None:
    application = builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    page = page_of(staff.officer, "provincial-report_detail", report.pk)
    table = section(page, "汇总表（第 1 版）")
    assert [column.label for column in table.columns] == [
        "序号", "单位名称", "受理编号", "许可证编号", "采集方式", "审核结论", "审核意见",
    ]  # fmt: skip
    (row,) = table.rows
    name = Noted(Link(application.provider.name, common.application_url(application.pk)), application.uscc)
    assert (row.url, row.cells[:3], row.cells[-2:]) == (
        "",
        [1, name, application.acceptance_number],
        [Tag("同意推荐", "success"), "示例意见"],
    )
    assert (page.title, facts(page.facts)["报送清单 SHA-256"]) == (
        "汇总报送 · 广东省通信管理局",
        Folded(report.digest[:16], report.digest),
    )
    shown = client_of(staff.officer).get(reverse("provincial-report_detail", args=[report.pk])).text
    assert f"{application.provider.name}</a><br><small>{application.uscc}</small>" in shown


def test_only_reports_that_are_to_come_can_be_ticked(staff: builders.Desk) -> None:
    builders.begin_review()
    builders.sent(staff, nil=True)
    page = page_of(staff.officer, "provincial-report_list", query="?size=100")
    ticked = {row.key for row in page.rows if row.key}
    waiting = ProvincialReport.unscoped.filter(state="open").values_list("pk", flat=True)
    assert ticked == set(map(str, waiting))
    assert page_of(staff.officer, "provincial-report_list", query="?state=sent").batch is None


def test_nothing_that_is_owed_is_no_link() -> None:
    link = Link("3 个省局未报送", "/there/")
    assert [phases.Owed(n, link).shown for n in (3, 0)] == [link, "3 个省局未报送"]


def test_a_comparison_asks_for_a_choice() -> None:
    form = SidesForm(None, sides={}, own="")
    assert [form.fields[name].choices for name in ("left", "right")] == [[("", "请选择")]] * 2


# --- assessment ---------------------------------------------------------------------------------------
def test_the_line_of_totals_shows_what_a_whole_sheet_has_to_reach(
    staff: builders.Desk, programme: Programme
) -> None:
    builders.planned(staff)
    page = catalogue.page(programme, staff.officer)
    assert page is not None
    table = page.sections[0]
    assert (table.rows[-1].cells, table.note) == (
        [common.BLANK, "合计", common.BLANK, 100, 60],
        "合计不足 60 分或任何一项低于最低要求的，不通过",
    )
    programme.rules.filter(key="assessment_pass_points").update(value=70)
    page = catalogue.page(programme, staff.officer)
    assert page is not None
    assert (page.sections[0].rows[-1].cells[-1], page.sections[0].note) == (
        70,
        "合计不足 70 分或任何一项低于最低要求的，不通过",
    )


@pytest.fixture
def concluded(staff: builders.Desk, assessors: list[Actor]) -> CapabilityAssessment:
    return builders.concluded(builders.planned(staff), staff, assessors[:2])


def test_a_conclusion_says_when_and_of_how_many_points(
    concluded: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    read = {
        actor.role: facts(page_of(actor, "capability-assessment_detail", concluded.pk).facts)
        for actor in (staff.officer, assessors[0])
    }
    for found in read.values():
        assert (found["认定总分"], found["结论时间"]) == ("100 / 100 分", concluded.state_since)
    assert ["作出结论的人员" in read[role] for role in (Role.MINISTRY_OFFICER, Role.ASSESSOR)] == [
        True,
        False,
    ]
    assert test_runs.section(concluded).empty == "未下发测试集"


def test_an_assessor_reads_what_is_scored_instead_of_the_own_name(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.started(builders.planned(staff), staff, assessors[:2])
    one = assessors[0]
    declaration = builders.declaration_of(case, one)

    def read() -> tuple[list[Any], str, Any]:
        page = page_of(one, "interest-declaration_list")
        tile = page_of(one, "dashboard").tiles[0]
        kept = facts(page_of(one, "interest-declaration_detail", declaration.pk).facts)
        return [row["scores"] for row in cells(page)], f"{tile.label} {tile.value}", kept.get("评估期限")

    assert read() == (["未提交"], "已完成评估（件） 0", date(2019, 5, 10))
    builders.score(case, one)
    assert read() == (["已提交"], "已完成评估（件） 1", None)
    shown = {
        actor.role: [column.key for column in page_of(actor, "interest-declaration_list").columns]
        for actor in (one, staff.officer)
    }
    assert shown == {
        Role.ASSESSOR: ["number", "applicant", "role", "scores", "state", "since"],
        Role.MINISTRY_OFFICER: [
            "number", "applicant", "assessor", "agency", "role", "scores", "state", "since",
        ],
    }  # fmt: skip
    found = [
        [row.url for row in page_of(staff.officer, "interest-declaration_list", query=query).rows]
        for query in ("?scored=yes", "?scored=no")
    ]
    other = builders.declaration_of(case, assessors[1])
    assert found == [[reverse("interest-declaration_detail", args=[d.pk])] for d in (declaration, other)]
    # Whoever has withdrawn has nothing to hand in and no time to do it in.
    fire(other, "recuse", actor=assessors[1], reason="示例")
    page = page_of(staff.officer, "interest-declaration_list")
    assert sorted(str(row["scores"]) for row in cells(page)) == ["None", "已提交"]
    assert page_of(staff.officer, "interest-declaration_list", query="?scored=no").rows == []
    kept = facts(page_of(assessors[1], "interest-declaration_detail", other.pk).facts)
    assert "评估期限" not in kept
