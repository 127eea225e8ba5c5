"""A reviewer at 1366×768 who never touches the mouse: three clicks to the first document, cases one after another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from applications.enums import Mark
from applications.models import Application, ChecklistMark, CompletenessNotice, Refusal
from applications.rules.checklist import items_of
from pilot.actors import Actor
from pilot.models import Person, TransitionRecord
from tests.applications.review import papers
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = [item.key for item in items_of("2019-87")]
FOCUS = "selector => document.activeElement.matches(selector)"
# What has the focus is drawn as having it, stands on the screen, and nothing covers it.
SEEN = """() => {
  const held = document.activeElement, box = held.getBoundingClientRect(), style = getComputedStyle(held);
  const across = box.left + box.width / 2, down = box.top + Math.min(box.height / 2, 8);
  return held !== document.body && held.matches(":focus-visible")
    && (style.outlineStyle !== "none" || style.boxShadow !== "none")
    && held.contains(document.elementFromPoint(across, down));
}"""


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


def seen(page: Page, selector: str) -> None:
    """The keyboard is there, and one sees that it is."""
    page.wait_for_function(FOCUS, arg=selector)
    page.wait_for_function(SEEN)


def open_act(page: Page, label: str) -> None:
    """From the desk to the form of an act, past the menu."""
    page.keyboard.press("a")
    page.wait_for_function(FOCUS, arg=".review-acts a")
    while page.evaluate("document.activeElement.textContent") != label:
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS, ".review-acts a")
    seen(page, ".review-acts a")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen(page, ".skip-link")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text(label)


def send(page: Page, label: str, left: int) -> None:
    """Send the open form; the desk comes back, says so, and what leads on has the focus."""
    tab_to(page, "main form button[type=submit]")
    seen(page, "main form button[type=submit]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".notice-success")).to_have_text(f"已办理：{label}")
    expect(page.locator(".page-place")).to_contain_text(f"不在列表中（共 {left} 件）")
    expect(page.locator(".review-acts a").first).to_contain_text("撤销操作（还有")
    seen(page, '.page-place [data-key="j"]' if left else ".page-place a")


def at(page: Page, place: int, of: int) -> None:
    """A case lies on the desk, and its first item has the focus."""
    expect(page.locator(".page-place")).to_contain_text(f"第 {place} / {of} 件")
    seen(page, f"#item-{KEYS[0]}")


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


def faults_of_the_line(page: Page) -> list[Callable[[Route], Any]]:
    """What is put into this list becomes of the next mark that is sent.

    One route for the whole visit: for a moment after a page begins to be listened to, a request may still slip through.
    """
    faults: list[Callable[[Route], Any]] = []

    def pass_on(route: Route) -> None:
        fault = faults.pop() if faults and route.request.method == "POST" else Route.continue_
        fault(route)

    page.route("**/review/*", pass_on)
    return faults


@pytest.mark.slow
def test_cases_one_after_another_without_a_mouse(
    reviewer: Actor, sign_in: Callable[..., Any], tmp_path: Any
) -> None:
    for _ in range(3):
        papers.submitted(world.provider())
    world.at("2019-04-19 10:00")
    visitor = sign_in(reviewer)  # first click: 登录
    page: Page = visitor.page
    line = faults_of_the_line(page)
    tab_to(page, 'a.tile[href$="due=today"]')
    page.keyboard.press("Enter")  # second
    expect(page.locator("#list tbody tr")).to_have_count(3)
    tab_to(page, '#list tbody a[href*="/review/"]')
    page.keyboard.press("Enter")  # third
    drawn(page)
    fits(page)
    expect(page.locator(".page-place")).to_contain_text("第 1 / 3 件")

    at(page, 1, 3)
    for _key in KEYS[1:]:
        page.keyboard.press("1")
    page.keyboard.press("]")
    expect(page.locator("#viewer")).to_have_attribute("data-page", "2")
    drawn(page)
    seen(page, f'[name="mark-{KEYS[-1]}"]')
    expect(page.locator(".review-verdict > span:last-child")).to_have_text("1 项未审")
    held: list[Route] = []
    line.append(held.append)  # it is slow, and the hand is not
    with page.expect_request("**/review/*"):
        page.keyboard.press("1")
    tab_to(page, ".review-acts a")
    expect(page.locator("#review-saved")).to_have_text("正在保存")
    held[0].continue_()
    expect(page.locator("#review-saved")).to_have_text("已保存")
    expect(page.locator(".review-verdict")).to_contain_text("可以受理")
    expect(page.locator(".review-desk")).to_have_text("由您审核")
    seen(page, ".review-acts a")
    visitor.picture(tmp_path / "all-met.png")

    open_act(page, "受理")
    send(page, "受理", left=2)
    visitor.picture(tmp_path / "accepted.png")
    page.keyboard.press("j")
    at(page, 1, 2)
    page.keyboard.press("n")
    line.append(Route.abort)
    page.keyboard.press("2")
    expect(page.locator("#review-saved")).to_have_text("未保存，正在重试")
    verdict = page.locator(".review-verdict")
    expect(verdict).to_contain_text("1 项不符合，13 项未审", timeout=30_000)  # by itself
    page.keyboard.press("r")
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
    expect(page.locator(".page-place")).to_contain_text("第 1 / 2 件")
    assert Counter(Application.unscoped.values_list("state", flat=True)) == {"submitted": 2, "accepted": 1}


@pytest.mark.slow
def test_ten_cases_from_login_to_the_last_word_without_a_mouse(
    reviewer: Actor, window: Callable[..., Page], tmp_path: Any
) -> None:
    for _ in range(10):
        papers.submitted(world.provider())
    world.at("2019-04-19 10:00")
    page = window()
    page.goto("/")
    tab_to(page, '[name="login"]')
    page.keyboard.type(Person.objects.get(pk=reviewer.person_id).username)
    tab_to(page, '[name="password"]')
    page.keyboard.type(world.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".actor-name")).to_have_text(reviewer.name)
    tab_to(page, 'a.tile[href$="due=today"]')
    seen(page, "a.tile")
    page.keyboard.press("Enter")
    rows = page.locator('#list tbody a[href*="/review/"]')
    expect(rows).to_have_count(10)
    order = [
        int(re.findall(r"/(\d+)/review/\?list=due%3Dtoday$", row)[0])
        for row in rows.evaluate_all("all => all.map(one => one.href)")
    ]
    tab_to(page, '#list tbody a[href*="/review/"]')
    page.keyboard.press("Enter")
    at(page, 1, 10)
    page.keyboard.press("j")
    at(page, 2, 10)
    page.keyboard.press("k")
    at(page, 1, 10)
    page.keyboard.press("j")  # the first one is left for the end

    outcomes = {3: returned, 6: refused}
    for left in range(9, 0, -1):
        at(page, 2, left + 1)
        outcomes.get(left, accepted)(page, left)
        Visitor(page).picture(tmp_path / f"{left}.png")
        page.keyboard.press("j" if left % 2 else "Enter")
    at(page, 1, 1)
    accepted(page, 0)
    with page.expect_navigation():
        page.keyboard.press("Enter")  # back to the list, as it was opened
    assert page.url.endswith("/cases/application/?due=today")
    expect(page.locator("#list tbody tr")).to_have_count(0)

    # Worked off from the second one on: what was left when 3 or 6 remained had stood there in the list.
    expected = dict.fromkeys(order, "accepted") | {order[10 - 3]: "returned", order[10 - 6]: "refused"}
    assert dict(Application.unscoped.values_list("pk", "state")) == expected
    [notice] = CompletenessNotice.unscoped.all()
    assert (notice.application_id, dict(notice.items.values_list("target", "text"))) == (
        order[7],
        {"licence_expires_on": "有效期不一致（见盖章申请表第1页）", "contact_mobile": "号码有误"},
    )
    [refusal] = Refusal.unscoped.all()
    assert (refusal.application_id, refusal.condition.number, refusal.reason) == (
        order[4],
        2,
        "没有权威库比对",
    )
    steps = TransitionRecord.objects.filter(machine="application", person=reviewer.person_id)
    assert Counter(steps.values_list("name", flat=True)) == {
        "accept": 8,
        "return_for_correction": 1,
        "refuse": 1,
    }
    marks = Counter(ChecklistMark.unscoped.values_list("mark", flat=True))
    assert marks == {"met": len(KEYS) * 9 - 1, "not_met": 2}


def accepted(page: Page, left: int) -> None:
    """Everything is met."""
    for _key in KEYS:
        page.keyboard.press("1")
    open_act(page, "受理")
    send(page, "受理", left)


def returned(page: Page, left: int) -> None:
    """One item is not met; its fault is written at the item, another one in the notice itself."""
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("r")
    tab_to(page, f'[name="text-{KEYS[1]}"]')
    page.keyboard.type("有效期不一致")
    tab_to(page, f"#item-{KEYS[1]} button")
    page.keyboard.press("n")
    for _key in KEYS[2:]:
        page.keyboard.press("1")
    open_act(page, "一次性告知补正")
    tab_to(page, '[name="item_contact_mobile"]')
    page.keyboard.type("号码有误")
    send(page, "一次性告知补正", left)


def refused(page: Page, left: int) -> None:
    """What is found is enough: the rest stays unmarked."""
    page.keyboard.press("2")
    open_act(page, "不予受理")
    tab_to(page, '[name="condition"]')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, '[name="reason"]')
    page.keyboard.type("没有权威库比对")
    send(page, "不予受理", left)


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
