"""What a phone of 390 px shows where a desk would not fit: drawings, an inspected form, a desk without work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from filings.services import buckets
from pilot.svg import SLIM
from pilot.workflow import fire
from tests.browser.test_pages import faults
from tests.browser.visitor import Visitor
from tests.factories import cases, world
from tests.factories.cases import Cast
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Width on the screen and in the drawing's own units, and whether it is wider than its box.
DRAWINGS = """() => [...document.querySelectorAll("main .drawing")].map(box => {
  const svg = box.querySelector("svg");
  return {
    drawn: Math.round(svg.getBoundingClientRect().width),
    own: Math.round(svg.viewBox.baseVal.width),
    wide: box.scrollWidth > box.clientWidth,
  };
})"""
CHARTS = """() => [...document.querySelectorAll("main .for-screens, main .drawing")]
  .filter(box => box.querySelectorAll("svg").length > 1)
  .map(box => [
    [...box.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width > 0)
      .map(svg => Math.round(svg.viewBox.baseVal.width)),
    box.scrollWidth > box.clientWidth,
  ])"""


def drawings(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(DRAWINGS)
    return found


def test_a_diagram_is_as_large_as_it_was_drawn(
    sign_in: Callable[..., Visitor], programme: Any, transactional_db: None
) -> None:
    made = Cast()
    case = cases.alert(made)
    page = sign_in(made.reviewer, **PHONE).page
    page.goto(reverse("alert_detail", args=[case.pk]))
    page.get_by_text("查看流程图").click()
    (diagram,) = drawings(page)
    assert (diagram["drawn"], diagram["wide"]) == (diagram["own"], diagram["own"] > 390)
    assert faults(page, axe_on=(390,)) == []


def test_of_a_chart_a_phone_shows_the_slim_drawing_and_all_of_it(
    sign_in: Callable[..., Visitor], programme: Any, transactional_db: None
) -> None:
    made = Cast()
    builders.compared(*builders.forms(made.unit, 3))
    buckets.fold()
    page = sign_in(world.ministry(), **PHONE).page
    page.goto("/dashboard/")
    charts = page.evaluate(CHARTS)
    assert charts == [[[SLIM], False]] * len(charts) != []


def test_an_inspected_form_is_read_as_cards(
    sign_in: Callable[..., Visitor], programme: Any, transactional_db: None
) -> None:
    made = Cast()
    builders.compared(builders.form(made.unit, "HYD-01", content=builders.full(1)))
    case = cases.inspection(made)
    for name in ("commit", "draw", "begin"):
        case = fire(case, name, actor=made.reviewer)
    page = sign_in(made.reviewer, **PHONE).page
    page.goto(reverse("inspection_read", args=[case.pk]))
    rows = page.locator(".inspect-row")
    assert rows.count() > 1
    for row in rows.all():
        label, value, answer = (
            row.locator(part).bounding_box() for part in ("th", "td:nth-child(2)", "td:nth-child(4)")
        )
        assert label is not None
        assert value is not None
        assert answer is not None
        assert value["y"] >= label["y"] + label["height"] - 1  # under its label, over the width of the card
        assert value["width"] > 200
        assert abs(answer["y"] - label["y"]) < label["height"]
    assert page.locator(".inspect-table thead").is_hidden()
    assert faults(page, axe_on=(390,)) == []


def test_an_assessor_without_work_is_told_so(sign_in: Callable[..., Visitor], programme: Any) -> None:
    page = sign_in(world.assessor(), **PHONE).page
    expect(page.locator(".todo-box")).to_contain_text("当前没有需要您办理的事项。")
    officer = sign_in(world.ministry(), **PHONE).page
    officer.goto("/provinces/44/")
    expect(officer.get_by_role("heading", level=1)).to_be_visible()
    expect(officer.locator(".todo-box")).to_have_count(0)


def test_what_cannot_be_begun_has_no_form(sign_in: Callable[..., Visitor], programme: Any) -> None:
    world.at("2019-05-20 09:00")  # the window has closed
    page = sign_in(world.provider(), **PHONE).page
    page.goto(reverse("application_create"))
    expect(page.get_by_role("heading", name="现在不能提出申请")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)
    page.locator("main").get_by_role("link", name="返回", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("试点申请")
