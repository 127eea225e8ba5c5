"""Two provinces or two lists side by side; what points at single applicants is not told outside (O04)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse
from lxml import html

from applications.models import Application
from assessment.pages import comparison
from assessment.rules.comparison import told
from assessment.selectors.comparison import sides
from pilot.actors import Actor
from pilot.registry import pages_of
from pilot.ui import Link
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.applications import crowd
from tests.assessment import builders
from tests.factories import world
from tests.pilot.lists.helpers import find

pytestmark = pytest.mark.django_db
GUANGXI = 45


@pytest.mark.parametrize(
    ("numbers", "given"),
    [
        ([], []),
        ([4], [None]),
        ([5, 5, 0], [5, 5, None]),
        ([12, 9, 7, 2], [12, None, 7, None]),  # 12 − 9 and 9 − 7 are small
        ([20, 15, 10, 5], [20, 15, 10, 5]),
        ([20, 16, 16, 15], [20, None, None, 15]),
    ],
)
def test_small_numbers_and_what_they_follow_from_are_not_told(
    numbers: list[int], given: list[int | None]
) -> None:
    assert told(numbers) == given


@pytest.fixture(scope="module")
def many(staff: builders.Desk, assessors: list[Actor]) -> builders.Desk:
    """广东 two on a published list, one of them taken in; 广西 seven handed in, one sent back; a withdrawn draft."""
    crowd.submitted(6, province=GUANGXI)
    intake.returned(world.provider(GUANGXI), world.bureau(province=GUANGXI))
    fire(intake.drafted(gone := world.provider(GUANGXI)), "withdraw", actor=gone)
    listed = builders.recommended(staff)
    builders.not_recommended(staff)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(listed), staff, assessors[:2])
    world.at("2019-05-10 09:00")
    builders.published(staff)
    return staff


def table(actor: Actor, left: str, right: str) -> list[list[Any]]:
    page = comparison.page(actor, {"left": left, "right": right})
    return [
        [cell.label if isinstance(cell, Link) else cell for cell in row.cells]
        for row in page.sections[0].rows
    ]


def test_the_ministry_reads_all_and_a_bureau_only_its_own_small_numbers(many: builders.Desk) -> None:
    shown = table(many.officer, "province-44", "province-45")
    assert shown == [
        ["提交申请", "2/2（100.0%）", "7/7（100.0%）", "+5"],
        ["受理", "2/2（100.0%）", "0/7（0.0%）", "-2"],
        ["签发审核意见", "2/2（100.0%）", "0/7（0.0%）", "-2"],
        ["报部", "2/2（100.0%）", "0/7（0.0%）", "-2"],
        ["名单决定", "2/2（100.0%）", "0/7（0.0%）", "-2"],
        ["列入名单", "1/2（50.0%）", "0/7（0.0%）", "-1"],
        ["要求过补正", "0/2（0.0%）", "1/7（14.2%）", "+1"],
        ["逾期未受理", "0/2（0.0%）", "6/7（85.7%）", "+6"],
    ]
    # 6 of 7 is not told to the other bureau either: one would know of the seventh.
    hidden = [[*row[:2], "不显示", "不显示"] for row in shown[1:]]
    assert table(many.lead, "province-44", "province-45") == [shown[0], *hidden]
    # Numbers open exactly what they count; of another province a bureau opens nothing.
    page = comparison.page(many.officer, {"left": "province-44", "right": "province-45"})
    assert [section.title for section in page.sections] == ["逐项对比", "各阶段申请数对比"]
    for row in page.sections[0].rows:
        for cell in row.cells[1:3]:
            rows = rows_for(pages_of("application"), many.officer, QueryDict(cell.url.partition("?")[2]))
            assert str(rows.count()) == cell.label.partition("/")[0]
    own = comparison.page(many.lead, {"left": "province-44", "right": "province-45"})
    assert [section.title for section in own.sections] == ["逐项对比"]
    assert [[isinstance(cell, Link) for cell in row.cells] for row in own.sections[0].rows] == [
        [False, True, False, False]
    ] * len(own.sections[0].rows)


def test_both_sides_are_drawn_beside_one_another(many: builders.Desk) -> None:
    drawing = comparison.page(many.officer, {"left": "province-44", "right": "province-45"}).sections[1].svg
    assert (
        re.findall("<desc>(.*?)</desc>", drawing)
        == [
            "提交申请: 广东省 2, 广西壮族自治区 7; 受理: 广东省 2, 广西壮族自治区 0; "
            "签发审核意见: 广东省 2, 广西壮族自治区 0; 报部: 广东省 2, 广西壮族自治区 0; "
            "名单决定: 广东省 2, 广西壮族自治区 0; 列入名单: 广东省 1, 广西壮族自治区 0"
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"left": "province-44"}, [("#id_right", "对比对象二：该字段是必填项。")]),
        (
            {"left": "province-44", "right": "province-44"},
            [("#id_right", "对比对象二：两个对比对象相同，请另选一个")],
        ),
    ],
)
def test_what_cannot_be_compared_is_said_above_and_at_the_field(
    many: builders.Desk, asked: dict[str, str], said: list[tuple[str, str]]
) -> None:
    root = html.document_fromstring(intake.client_of(many.officer).get(reverse("comparison"), asked).content)
    assert [(link.get("href"), link.text_content()) for link in find(root, ".error-summary li a")] == said
    assert len(find(root, ".field.has-errors #id_right")) == 1
    assert [heading.text for heading in find(root, "section h2")] == []


def test_two_lists(many: builders.Desk) -> None:
    (batch,) = [key for key in sides(many.officer) if key.startswith("batch-")]
    same = ["2/2（100.0%）"] * 5
    assert [row[1] for row in table(many.officer, batch, "province-45")][:6] == [*same, "1/2（50.0%）"]
    assert {row[1] for row in table(many.lead, batch, "province-44")} == {"不显示"}
    pages, query = pages_of("application"), QueryDict(f"batch={batch.removeprefix('batch-')}")
    rows = rows_for(pages, many.officer, query)
    assert set(rows.values_list("state", flat=True)) == {"listed", "not_listed"}
    assert rows.count() == Application.unscoped.filter(province=44).count()


def test_the_page_and_a_wrong_question(many: builders.Desk) -> None:
    client = intake.client_of(many.lead)
    url = reverse("comparison")
    empty = client.get(url).content.decode()
    assert (empty.count('value="province-44" selected'), empty.count("逐项对比")) == (
        1,
        0,
    )
    asked = client.get(url, {"left": "province-44", "right": "province-45"}).content.decode()
    assert (asked.count("<h2>逐项对比</h2>"), asked.count("广东省 与 广西壮族自治区")) == (1, 1)
    wrong = client.get(url, {"left": "province-99", "right": ""})
    assert (wrong.status_code, wrong.content.decode().count("逐项对比")) == (200, 0)
