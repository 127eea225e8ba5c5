"""Review shared out by working days: the shares' dates, the day it is, and days off at either end."""

from __future__ import annotations

import pytest

from assessment.pages import phases as page
from assessment.selectors import phases
from pilot.models import Programme, ProgrammeRule
from tests.assessment import builders
from tests.factories import world

pytestmark = pytest.mark.django_db


def test_the_shares_follow_one_another_half_open(programme: Programme) -> None:
    found = phases.review(programme, at=world.at("2019-04-16 00:00"))
    # 28 April and 5 May are worked Sundays, 1 to 3 May are off: 12 + 6 + 3 = 21 working days, 16 April to 15 May.
    assert [
        (part.share.key, part.share.days, part.share.opens, part.share.closes) for part in found.parts
    ] == [
        (phases.REPORT, 12, world.moment("2019-04-16 00:00"), world.moment("2019-05-01 00:00")),
        (phases.ASSESSMENT, 6, world.moment("2019-05-01 00:00"), world.moment("2019-05-11 00:00")),
        (phases.LIST, 3, world.moment("2019-05-11 00:00"), world.moment("2019-05-16 00:00")),
    ]
    assert (found.days, found.opens, found.closes) == (
        21,
        world.moment("2019-04-16 00:00"),
        world.moment("2019-05-16 00:00"),
    )


@pytest.mark.parametrize(
    ("when", "title", "words", "standings"),
    [
        ("2019-04-15 23:59", "审查阶段未开始（共 21 个工作日）", "", ["未开始", "未开始", "未开始"]),
        (
            "2019-04-16 00:00",
            "审查阶段第 1 / 21 个工作日",
            "省局报送剩余 11 个工作日",
            ["第 1 / 12 个工作日", "未开始", "未开始"],
        ),
        (
            "2019-04-28 12:00",
            "审查阶段第 10 / 21 个工作日",
            "省局报送剩余 2 个工作日",
            ["第 10 / 12 个工作日", "未开始", "未开始"],
        ),
        (
            "2019-04-30 23:59",
            "审查阶段第 12 / 21 个工作日",
            "省局报送剩余 0 个工作日",
            ["第 12 / 12 个工作日", "未开始", "未开始"],
        ),
        (
            "2019-05-01 00:00",
            "审查阶段第 12 / 21 个工作日（今日非工作日）",
            "省局报送时限已过",
            ["已结束", "未到首个工作日", "未开始"],
        ),
        (
            "2019-05-05 00:00",
            "审查阶段第 13 / 21 个工作日",
            "省局报送时限已过",
            ["已结束", "第 1 / 6 个工作日", "未开始"],
        ),
        (
            "2019-05-15 23:59",
            "审查阶段第 21 / 21 个工作日",
            "省局报送时限已过",
            ["已结束", "已结束", "第 3 / 3 个工作日"],
        ),
        ("2019-05-16 00:00", "审查阶段已结束（共 21 个工作日）", "省局报送时限已过", ["已结束"] * 3),
    ],
)
def test_which_day_it_is(
    programme: Programme, staff: builders.Desk, when: str, title: str, words: str, standings: list[str]
) -> None:
    at = world.at(when)
    section = page.section(staff.lead, programme, at=at)
    assert section.title == "；".join(filter(None, [title, words]))
    assert [fact.value[0].label for fact in section.facts] == standings
    assert section.svg.count("<rect") == 2 * 6  # wide and slim


def test_a_programme_without_shares_says_so(programme: Programme, staff: builders.Desk) -> None:
    ProgrammeRule.objects.filter(programme=programme, key__in=phases.SHARES).delete()
    section = page.section(staff.lead, programme, at=world.at("2019-04-16 09:00"))
    assert (section.svg, section.facts, section.empty) == ("", [], "本项目没有划分审查阶段的工作日")
