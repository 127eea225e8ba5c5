"""A reviewer at 1366×768 who never touches the mouse: three clicks to the first document, cases one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from applications.enums import Mark
from applications.models import Application, ChecklistMark
from applications.rules.checklist import items_of
from pilot.actors import Actor
from tests.applications.review import papers
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = [item.key for item in items_of("2019-87")]
FOCUS = "selector => document.activeElement.matches(selector)"


@pytest.fixture
def reviewer(transactional_db: None) -> Actor:
    world.install()
    return world.bureau()


def tab_to(page: Page, selector: str) -> None:
    """Reach a control the way a keyboard does."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUS, selector):
            return
    raise AssertionError(f"the Tab key never reaches {selector}")


def fits(page: Page) -> None:
    """Nothing to scroll sideways, and the bureau's word in sight."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for label in ("受理", "一次性告知补正", "不予受理"):
        expect(page.locator(".review-acts").get_by_text(label).first).to_be_in_viewport(ratio=1)


def drawn(page: Page) -> None:
    """The document itself stands on the screen."""
    image = page.locator(".viewer-stage img")
    expect(image).to_be_in_viewport()
    expect(image).to_have_js_property("naturalWidth", 1190)  # A4 at 150 %


def test_cases_one_after_another_without_a_mouse(
    reviewer: Actor, sign_in: Callable[..., Any], tmp_path: Any
) -> None:
    cases = [papers.submitted(world.provider()) for _ in range(3)]
    world.at("2019-04-19 10:00")
    visitor = sign_in(reviewer)  # first click: 登录
    page: Page = visitor.page
    tab_to(page, 'a.tile[href$="due=today"]')
    page.keyboard.press("Enter")  # second
    expect(page.locator("#list tbody tr")).to_have_count(3)
    tab_to(page, '#list tbody a[href*="/review/"]')
    page.keyboard.press("Enter")  # third
    drawn(page)
    fits(page)
    expect(page.locator(".review-place")).to_contain_text("第 1 / 3 件")

    page.keyboard.press("n")
    for _key in KEYS:
        page.keyboard.press("1")
    expect(page.locator(".review-verdict")).to_contain_text("可以受理")
    expect(page.locator(".review-desk")).to_have_text("由您审核")
    page.keyboard.press("]")
    expect(page.locator("#viewer")).to_have_attribute("data-page", "2")
    drawn(page)
    visitor.picture(tmp_path / "all-met.png")

    page.keyboard.press("j")
    expect(page.locator(".review-place")).to_contain_text("第 2 / 3 件")
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("2")
    page.keyboard.press("r")
    expect(page.locator(".review-verdict")).to_contain_text("1 项不符合，13 项未审")
    tab_to(page, f'input[name="text-{KEYS[1]}"]')
    page.keyboard.type("j 1 / 有效期不一致")  # keys are letters while something is typed
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#review-saved")).to_have_text("已保存")
    page.keyboard.press("/")
    page.keyboard.type("报告")
    page.keyboard.press("Enter")
    expect(page.locator(".viewer-hits")).to_contain_text("第 2 页（1 处）")
    expect(page.locator("#viewer")).to_have_attribute("data-page", "2")
    drawn(page)
    visitor.picture(tmp_path / "not-met.png")
    row = ChecklistMark.unscoped.get(item=KEYS[1], mark=Mark.NOT_MET)
    assert (row.text, row.page) == ("j 1 / 有效期不一致", 1)
    assert ChecklistMark.unscoped.count() == len(KEYS) + 1

    page.locator("body").press("?")
    expect(page.locator("#review-help")).to_be_visible()
    tab_to(page, "[data-keys-on]")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".review-place")).to_contain_text("第 2 / 3 件")
    assert {case.state for case in Application.unscoped.filter(pk__in=[c.pk for c in cases])} == {"submitted"}


def test_two_reviewers_and_a_large_screen(
    reviewer: Actor, sign_in: Callable[..., Any], tmp_path: Any
) -> None:
    case = papers.submitted(world.provider())
    first = sign_in(reviewer)
    second = sign_in(world.bureau(), viewport={"width": 1920, "height": 1080})
    first.page.goto(f"/applications/{case.pk}/review/")
    first.page.get_by_role("button", name="认领").press("Enter")
    expect(first.page.locator(".review-desk")).to_have_text("由您审核")
    second.page.goto(f"/applications/{case.pk}/review/")
    drawn(second.page)
    fits(second.page)
    expect(second.page.locator(".review-closed")).to_contain_text("正在审核")
    expect(second.page.locator("[data-mark]").first).to_be_disabled()
    second.picture(tmp_path / "read-only.png")
    second.page.get_by_role("button", name="材料较宽").press("Enter")
    second.page.reload()
    expect(second.page.locator(".review-panes")).to_have_class("review-panes split-wide")
