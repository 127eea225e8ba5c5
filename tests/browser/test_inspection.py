"""An inspection at 1366×768: planned with its consequences in sight, read by keyboard, read twice, concluded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from filings.models import Inspection
from filings.services import inspections
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.workflow import fire
from tests.browser.test_pages import faults
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
DESK = {"width": 1366, "height": 768}


@pytest.fixture
def people(transactional_db: None) -> tuple[PilotUnit, Actor, Actor, Actor]:
    """A unit with forms of June, two reviewers and the lead of its bureau."""
    programme = world.install()
    unit = builders.enrol(programme, world.provider())
    world.at("2019-07-01 09:00")
    for number in range(1, 7):
        row = builders.form(
            unit, f"HYD-{number:02d}", content=builders.full(number), province=44 if number % 3 else 11
        )
        builders.compared(row)
    return unit, world.bureau(), world.bureau(), world.bureau("bureau_lead")


def key(page: Page, *keys: str) -> None:
    for one in keys:
        page.keyboard.press(one)


def sent(page: Page, *keys: str) -> None:
    with page.expect_navigation():
        key(page, *keys)


def shot(visitor: Visitor, folder: Path, name: str) -> None:
    """What is wrong with the page on either screen; and its picture at the desk's."""
    assert faults(visitor.page) == []
    visitor.page.set_viewport_size(DESK)
    visitor.picture(folder / f"{name}.png")


def test_an_inspection_by_keyboard(
    people: tuple[PilotUnit, Actor, Actor, Actor], sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    unit, reviewer, second, lead = people
    desk = sign_in(reviewer)
    page = desk.page
    page.goto("/cases/inspection/new/")
    shot(desk, tmp_path, "1-plan-empty")
    page.reload()  # axe leaves traces that htmx would carry over
    desk.fill({"试点单位": str(unit), "抽查期间": "2019-06", "分层": "主体所在省", "样本量": "4"})
    page.get_by_role("button", name="测算", exact=True).click()
    expect(page.get_by_role("heading", name="漏判概率")).to_be_visible()
    assert Inspection.unscoped.count() == 0
    shot(desk, tmp_path, "2-plan")
    desk.fill({"二次检查比例（%）": "50"})
    page.get_by_role("button", name="制定抽查计划").click()
    desk.act("公布种子摘要")
    shot(desk, tmp_path, "3-committed")
    desk.act("抽取样本")
    desk.act("开始检查")
    shot(desk, tmp_path, "4-case")
    page.get_by_role("link", name="检查核验单（4 份）").click()
    expect(page.locator("[data-field]").first).to_be_focused()
    shot(desk, tmp_path, "5-reading")
    case = Inspection.unscoped.get()
    twice = [item.rank for item in case.items.filter(second=True)]
    sent(page, "u")
    expect(page.get_by_text("13800138000").first).to_be_visible()
    key(page, "s", "Enter")  # no fault without saying where, and saying it is enough
    expect(page.locator("[data-none]")).to_be_visible()
    key(page, "n", "x", "r")
    page.keyboard.type("证件号码与影像不符")
    shot(desk, tmp_path, "6-unmasked-wrong")
    sent(page, "Control+Enter")
    shot(desk, tmp_path, "6-reason-stands")
    for _rest in range(3):
        expect(page.locator(".notice-success")).to_be_visible()
        expect(page.get_by_text("沿用理由：核对证件信息")).to_be_visible()  # given once, it stands
        sent(page, "u")
        sent(page, "a", "Enter")
    expect(page.get_by_text("现在没有您可以检查的核验单")).to_be_visible()
    shot(desk, tmp_path, "7-done")

    again = sign_in(second)
    again.page.goto(f"/cases/inspection/{case.pk}/read/")
    expect(again.page.get_by_text("第二次检查")).to_be_visible()
    shot(again, tmp_path, "8-second")
    for _rank in twice:
        sent(again.page, "a", "Enter")  # barred before a look, so it leads there
        sent(again.page, "a", "Enter")

    head = sign_in(lead)
    if 1 in twice:
        head.page.goto(f"/cases/inspection/{case.pk}/settle/")
        shot(head, tmp_path, "9-settle")
        sent(head.page, "u")
        sent(head.page, "a", "Enter")
    head.page.goto(f"/cases/inspection/{case.pk}/")
    head.choose("作出结论")
    shot(head, tmp_path, "10-conclude")
    head.send("作出结论", {"抽查结论": "已逐份检查（示例）。"})
    expect(head.state).to_have_text("已结论")
    shot(head, tmp_path, "11-concluded")
    head.page.screenshot(path=tmp_path / "11-concluded-full.png", full_page=True)


def test_two_readers_at_once_get_two_forms(
    people: tuple[PilotUnit, Actor, Actor, Actor], sign_in: Callable[..., Visitor]
) -> None:
    unit, reviewer, second, _lead = people
    case: Any = inspections.plan_inspection(actor=reviewer, unit=unit, period="2019-06", size=2)
    for name in ("commit", "draw", "begin"):
        case = fire(case, name, actor=reviewer)
    windows = [sign_in(who) for who in (reviewer, second)]
    for window in windows:
        window.page.goto(f"/cases/inspection/{case.pk}/read/")
    numbers = {window.page.locator(".case-number code").inner_text() for window in windows}
    assert numbers == set(case.items.values_list("form__form_no", flat=True))
    for window in windows:
        sent(window.page, "u")
        sent(window.page, "a", "Enter")
    assert list(case.items.values_list("form_right", flat=True)) == [True, True]
