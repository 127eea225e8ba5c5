"""What review shows on officials' first page: every number is that of the list it opens, for every role."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from applications.models import Application
from assessment.pages import dashboard, inbox
from assessment.selectors.stages import REACHED, Stage
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.registry import pages_of
from pilot.selectors import programmes
from pilot.ui import Dashboard, Link, Section, Tag
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders
from tests.factories import world

pytestmark = pytest.mark.django_db

# Saturday 20 April
PHASE = "审查阶段第 4 / 21 个工作日（今日非工作日）；省局报送剩余 8 个工作日"
TITLES = ["申请办理漏斗", "各阶段申请数", "申请现状", "各省申请数", "各局受理情况"]


@pytest.fixture(scope="module")
def everything(staff: builders.Desk, assessors: list[Actor]) -> None:
    """An application in most states: 广东 with all of review, 广西 with intake, 新疆 with an overdue one."""
    guangxi, xinjiang = builders.desk(45), world.provider(65)
    gone = world.provider()
    listed = builders.recommended(staff)
    builders.not_recommended(staff)
    builders.recommended(staff, gone)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(listed), staff, assessors[:2])
    fire(Application.unscoped.get(provider=gone.organisation_id), "withdraw", actor=gone, reason="示例")
    world.at("2019-05-10 09:00")
    builders.published(staff)
    world.at("2019-04-12 09:00")
    for case in (builders.recommended(staff), builders.accepted(staff), intake.submitted(world.provider())):
        assert case.pk
    provider = world.provider(45)
    answered = intake.returned(provider, guangxi.reviewer)
    intake.corrected(answered, provider)
    fire(answered, "resubmit", actor=provider, declaration=True)
    intake.refused(world.provider(45), guangxi.reviewer)
    intake.returned(world.provider(45), guangxi.reviewer)
    taken_back = intake.returned(world.provider(45), guangxi.reviewer)
    fire(taken_back, "revert", actor=guangxi.reviewer)
    intake.submitted(xinjiang)
    intake.drafted(world.provider())
    world.at("2019-04-20 09:00")


def board_of(actor: Actor) -> Dashboard:
    board = Dashboard(title="", as_of=clock.now())
    dashboard.contribute(board, actor)
    return board


def section(board: Dashboard, title: str) -> Section:
    (found,) = [chart for chart in board.charts if chart.title == title]
    return found


def plain(cell: Any) -> str:
    return str(cell.label) if isinstance(cell, Tag | Link) else "" if cell is None else str(cell)


def table(board: Dashboard, title: str) -> list[list[str]]:
    return [[plain(cell) for cell in row.cells] for row in section(board, title).rows]


def phase(board: Dashboard) -> tuple[str, list[list[str]]]:
    (found,) = board.lead
    return found.title, [[fact.label, fact.hint, *map(plain, fact.value)] for fact in found.facts]


def numbers(board: Dashboard) -> list[tuple[str, str]]:
    """Every number of the page, of a share the part, with the address it opens."""
    cells = [cell for chart in board.charts for row in chart.rows for cell in row.cells]
    cells += [cell for lead in board.lead for fact in lead.facts for cell in fact.value]
    links = [(cell.url, re.match(r"[\d,]+", str(cell.label))) for cell in cells if isinstance(cell, Link)]
    linked = [(url, found.group()) for url, found in links if found]
    assert len(linked) == len(links)
    tiles = [(tile.url, tile.value) for chart in board.charts for tile in chart.provinces]
    return linked + [(url, "0" if value == "--" else value) for url, value in tiles]


def test_the_ministry_reads_funnel_states_and_bureaus(everything: None, staff: builders.Desk) -> None:
    board = board_of(staff.officer)
    assert [chart.title for chart in board.charts] == TITLES
    assert phase(board) == (
        PHASE,
        [
            ["省局报送", "04-16 ～ 04-30", "第 4 / 12 个工作日", "30 个省局未报送"],
            ["能力评估", "05-01 ～ 05-10", "未开始", "0 件评估未结论"],
            ["名单决定", "05-11 ～ 05-15", "未开始", "0 家未作出决定"],
        ],
    )
    assert [(tile.label, tile.value, tile.url) for tile in board.tiles] == [
        ("汇总报送", "1/31", reverse("report_inbox"))
    ]
    assert table(board, "各阶段申请数") == [
        ["提交申请", "11", "11/11（100.0%）"],
        ["受理", "4", "4/11（36.3%）"],
        ["签发审核意见", "3", "3/11（27.2%）"],
        ["报部", "2", "2/11（18.1%）"],
        ["名单决定", "2", "2/11（18.1%）"],
        ["列入名单", "1", "1/11（9.0%）"],
    ]
    assert table(board, "申请现状") == [
        ["待受理", "4"],
        ["补正中", "1"],
        ["已受理", "1"],
        ["不予受理", "1"],
        ["已撤回", "1"],
        ["同意推荐", "1"],
        ["列入名单", "1"],
        ["未列入名单", "1"],
        ["合计", "11"],
    ]
    assert table(board, "各局受理情况") == [
        ["广东省", "6", "0/6（0.0%）", "1/6（16.6%）"],
        ["广西壮族自治区", "4", "2/4（50.0%）", "2/4（50.0%）"],
        ["新疆维吾尔自治区", "1", "0/1（0.0%）", "1/1（100.0%）"],
    ]
    tiles = {tile.code: tile.value for tile in section(board, "各省申请数").provinces}
    assert len(tiles) == 31
    assert {code: value for code, value in tiles.items() if value != "--"} == {44: "6", 45: "4", 65: "1"}


def actor_of(role: str, staff: builders.Desk) -> Actor:
    return {
        Role.BUREAU_REVIEWER: staff.reviewer,
        Role.BUREAU_LEAD: staff.lead,
        Role.MINISTRY_OFFICER: staff.officer,
        Role.MINISTRY_APPROVER: staff.approver,
        "other bureau": world.bureau(Role.BUREAU_LEAD, 45),
    }[role]


def counted(url: str, actor: Actor) -> str:
    """How many rows the page at an address shows, all of its pages together."""
    asked = urlsplit(url)
    query, name = QueryDict(asked.query), resolve(asked.path).url_name
    if name == "report_inbox":
        table = inbox.page(actor, programmes.current(), now=clock.now(), standing=query["standing"]).table
        assert table is not None
        return str(len(table.rows[:-1]))
    return f"{rows_for(pages_of(name.removesuffix('_list')), actor, query).count():,}"


@pytest.mark.parametrize(
    ("role", "total", "shown"),
    [
        (Role.BUREAU_REVIEWER, "6", 16),
        (Role.BUREAU_LEAD, "6", 16),
        (Role.MINISTRY_OFFICER, "11", 56),  # two of the three shares owe nothing: no link
        (Role.MINISTRY_APPROVER, "11", 56),
        ("other bureau", "4", 13),
    ],
)
def test_every_number_is_that_of_the_list_it_opens(
    everything: None, staff: builders.Desk, role: str, total: str, shown: int
) -> None:
    actor = actor_of(role, staff)
    board = board_of(actor)
    found = numbers(board)
    assert [(url, counted(url, actor)) for url, _n in found] == found
    assert (table(board, "申请现状")[-1], len(found)) == (["合计", total], shown)
    client = intake.client_of(actor)
    assert {client.get(url).status_code for url, number in found if number != "0"} == {200}


@pytest.mark.parametrize("role", ["provider", "assessor"])
def test_nobody_else_is_shown_any_of_it(everything: None, role: str) -> None:
    actor = {"provider": world.provider, "assessor": world.assessor}[role]()
    assert list(board_of(actor).charts) == []
    page = intake.client_of(actor).get(reverse("application_list")).content.decode()
    assert ("到达阶段" in page, "要求过补正" in page) == (False, False)


def test_the_first_page_shows_it(everything: None, staff: builders.Desk) -> None:
    page = intake.client_of(staff.officer).get(reverse("dashboard"))
    text = page.content.decode()
    assert page.status_code == 200
    assert [text.count(f"<h2>{title}</h2>") for title in TITLES] == [1] * 5
    assert text.count(f'href="{reverse("application_list")}?province=65"') == 2
    bureau = intake.client_of(staff.lead).get(reverse("dashboard")).content.decode()
    assert [bureau.count(f"<h2>{title}</h2>") for title in [*TITLES, "本局受理情况"]] == [1, 1, 1, 0, 0, 1]


def test_a_review_that_is_over_takes_one_line(everything: None, staff: builders.Desk) -> None:
    world.at("2019-05-16 00:00")
    board = board_of(staff.officer)
    (fold,) = board.past
    assert (list(board.lead), list(board.charts)) == ([], [])
    assert fold.title == "审查阶段已结束（共 21 个工作日）；30 个省局未报送"
    assert [part.title for part in fold.sections][1:] == TITLES


def test_stages_follow_one_another() -> None:
    sets = [REACHED[stage] for stage in Stage]
    assert all(later < earlier for earlier, later in pairwise(sets))


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "0/0"), (0, 3, "0/3（0.0%）"), (2, 3, "2/3（66.6%）"), (1999, 2000, "1,999/2,000（99.9%）")],
)
def test_a_share_is_cut_off_and_never_rounded_up(part: int, whole: int, shown: str) -> None:
    assert dashboard.share(part, whole) == shown


def test_a_bureau_reads_how_long_it_has_for_its_report(everything: None, staff: builders.Desk) -> None:
    elsewhere = world.bureau(Role.BUREAU_LEAD, 45)
    board = board_of(elsewhere)
    report = builders.report_of(45)
    url = reverse("provincial-report_detail", args=[report.pk])
    assert [(t.label, t.value, t.url, t.tone) for t in board.tiles] == [
        ("汇总报送剩余（工作日）", "8", url, "info")
    ]
    assert phase(board)[1][0] == ["省局报送", "04-16 ～ 04-30", "第 4 / 12 个工作日"]
    page = intake.client_of(elsewhere).get(url).content.decode()
    assert page.count(f"<h2>{PHASE}</h2>") == 1
    assert board_of(staff.lead).tiles == []  # its report was received
    world.at("2019-05-06 09:00")
    assert [(t.label, t.value, t.tone) for t in board_of(elsewhere).tiles] == [
        ("汇总报送已逾期（工作日）", "2", "danger")
    ]


def test_queries_do_not_grow_with_the_cases(everything: None, staff: builders.Desk) -> None:
    for actor, most in ((staff.officer, 11), (staff.lead, 10)):
        with CaptureQueriesContext(connection) as captured:
            dashboard.contribute(Dashboard(title="", as_of=clock.now()), actor)
        assert (actor.role, len(captured)) == (actor.role, most)
