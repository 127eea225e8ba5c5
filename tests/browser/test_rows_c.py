"""Conventions of the frame, of lists and of the way data are written (C01–C16), in the browser.

Lists have their own long walk in ``test_lists.py``; ``docs/conventions.toml`` names every row's tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from applications.models import Application
from pilot.actors import Actor
from pilot.models import PilotUnit
from tests.applications import builders as intake
from tests.browser.test_lists import submitted
from tests.browser.visitor import Visitor
from tests.factories import cases, world
from tests.factories.cases import Cast
from tests.factories.viewers import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

TEXT = re.compile(r"<(script|style|code|pre|option)\b.*?</\1>|<[^>]+>", re.DOTALL)
NOTHING = re.compile(r"\b(?:None|null|nan|NaN|undefined)\b")
FOREIGN_DATE = re.compile(
    r"\b(?:AM|PM|a\.m\.|p\.m\.|January|February|March|April|June|July|August|September|October|November|December)\b"
)
# Four words in a row are a sentence; names of standards, formats and programs are shorter.
SENTENCE = re.compile(r"(?:\b[A-Za-z]{2,}\b[ ,;]+){4,}")


def test_c01_the_menu_marks_where_one_is_and_counts_what_waits(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    """An act takes one off the count at once; the menu folds, and the first Tab leads past it."""
    for _time in range(2):
        intake.submitted(world.provider())
    visitor = sign_in(bureau_reviewer)
    page = visitor.page
    visitor.menu("试点申请")
    entry = page.locator('#menu a[title="试点申请"]')
    expect(entry).to_have_attribute("aria-current", "page")
    waiting = Application.objects.visible_to(bureau_reviewer).filter(state="submitted").count()
    expect(entry.locator(".count")).to_have_text(f"{waiting}件待办")
    page.locator("#list tbody a").first.click()
    visitor.act("受理")
    expect(entry.locator(".count")).to_have_text(f"{waiting - 1}件待办")
    page.reload()
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".menu-fold").click()
    expect(page.locator("html")).to_have_class(re.compile("menu-folded"))


def test_c03_c04_c05_c10_choices_of_a_list_are_in_its_address_and_kept(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    """Filter, size and page stand in the address; density and columns outlive the session."""
    submitted(programme, 45)
    visitor = sign_in(bureau_reviewer)
    page = visitor.page
    visitor.menu("试点申请")
    expect(page.locator(".toolbar-total")).to_contain_text("共 45 条")
    expect(page.locator(".page-sizes li")).to_have_text(["每页", "10", "20", "50", "100"])
    page.locator(".page-sizes").get_by_role("link", name="10", exact=True).click()
    expect(page.locator("#list tbody tr")).to_have_count(10)
    page.get_by_role("link", name="第 4 页").click()
    expect(page.locator(".pages [aria-current=page]")).to_have_text("4")
    address, rows = page.url, page.locator("#list tbody tr").all_inner_texts()
    page.goto(address)
    assert page.locator("#list tbody tr").all_inner_texts() == rows

    page.get_by_role("button", name="紧凑").click()
    page.locator(".toolbar summary", has_text="列设置").click()
    last = page.locator(".columns-panel input").last
    column = last.input_value()
    last.uncheck()
    page.locator(".actor-name").click()
    page.get_by_role("button", name="退出登录").click()
    visitor.sign_in(bureau_reviewer).menu("试点申请")
    expect(page.get_by_role("button", name="紧凑")).to_have_attribute("aria-pressed", "true")
    page.locator(".toolbar summary", has_text="列设置").click()
    assert not page.locator(f'.columns-panel input[value="{column}"]').is_checked()

    page.locator(".filter-bar input[name=q]").fill("第07")
    page.keyboard.press("Enter")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="重置").click()
    expect(page.locator(".toolbar-total")).to_contain_text("共 45 条")


def test_c02_c09_c11_c13_c16_every_case_says_what_it_is_in_the_readers_own_script(
    programme: Any, window: Callable[..., Page]
) -> None:
    """Detail pages and lists of every machine: head, state in words, no bare nothing, no foreign date or sentence."""
    wrong: list[str] = []
    for slug, build in cases.FIRST.items():
        world.at("2019-04-12 09:00")  # some cases move on to the run phase by themselves
        cast = Cast()
        case: Any = build(cast)
        for actor in (cast.officer, cast.reviewer):
            for address in (f"/cases/{slug}/{case.pk}/", f"/cases/{slug}/"):
                response = client_of(actor).get(address)
                if response.status_code != 200:
                    continue
                markup = response.content.decode().partition("<main")[2].partition("</main>")[0]
                words = " ".join(TEXT.sub(" ", markup).split())
                for kind, pattern in (("nothing", NOTHING), ("date", FOREIGN_DATE), ("sentence", SENTENCE)):
                    wrong += [f"{address} {kind}: {found}" for found in pattern.findall(words)[:2]]
                if str(case.pk) in address and not re.search(r'class="tag tag-\w+">[^<]+<', markup):
                    wrong.append(f"{address}: no state in words")
                if 'class="crumbs' not in response.content.decode() and str(case.pk) in address:
                    wrong.append(f"{address}: no way back")
    assert wrong == []


def test_c14_c15_an_irreversible_act_names_its_object_and_is_never_one_click(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    """The button opens a page that says what will be; what is wrong there is said in words and nothing is lost."""
    case = intake.submitted(world.provider())
    visitor = sign_in(bureau_reviewer)
    page = visitor.page
    page.goto(f"/cases/application/{case.pk}/")
    assert page.locator(".action-buttons button[type=submit]").count() == 0
    visitor.choose("不予受理")
    expect(page.locator("main")).to_contain_text(case.case_number)
    page.locator("main form").get_by_role("button", name="不予受理", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    case.refresh_from_db()
    assert case.state == "submitted"
    page.goto(f"/cases/application/{case.pk}/")
    visitor.act("受理")  # success is a notice on the page
    assert PilotUnit.unscoped.count() == 0


def test_c01_a_menu_longer_than_the_screen_shows_where_one_is(
    programme: Any, ministry_officer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    page = sign_in(ministry_officer, viewport={"width": 1366, "height": 500}).page
    for place in ("first", "last"):
        entry = getattr(page.locator("#menu .menu-roll a"), place)
        page.goto(entry.get_attribute("href"))
        current = page.locator("#menu [aria-current]")
        expect(current).to_be_in_viewport(ratio=1)
        rolled = page.locator(".menu-roll").evaluate("roll => roll.scrollTop")
        assert (rolled > 0) is (place == "last"), rolled
