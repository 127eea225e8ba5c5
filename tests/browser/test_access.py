"""Large letters, strong contrast, colours forced by the system, enlarged screens; a bureau's word by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from pilot.models import Person
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.browser.test_pages import TOO_WIDE
from tests.browser.test_review import seen, tab_to
from tests.browser.test_surface import barriers
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.factories.cases import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ENLARGED = {"width": 683, "height": 384}  # 1366×768 at 200 %
STRONG = "color-contrast-enhanced"  # WCAG 1.4.6: 7 : 1
MOVING = """() => [...document.querySelectorAll("*")].filter(one => {
  const style = getComputedStyle(one);
  return style.transitionDuration !== "0s" || style.animationName !== "none" || style.scrollBehavior !== "auto";
}).length"""


def test_the_modes_are_at_hand_and_stay(programme: Any, sign_in: Callable[..., Visitor]) -> None:
    """Switched on an enlarged screen by keys, kept over pages, no barrier in them; the system's wishes are heard."""
    reviewer = world.bureau()
    case = intake.accepted(world.provider(), reviewer)
    page = sign_in(reviewer, viewport=ENLARGED).page
    large, strong = page.locator(".footer [data-prefer=text]"), page.locator(".footer [data-prefer=contrast]")
    plain = page.locator("main").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    for switch in (large, strong):
        switch.press("Enter")
        expect(switch).to_have_attribute("aria-pressed", "true")
    page.goto(reverse("application_detail", args=[case.pk]))
    expect(page.locator("html")).to_have_class("text-large contrast-more")
    assert page.locator("main").evaluate("node => parseFloat(getComputedStyle(node).fontSize)") > 1.18 * plain
    expect(page.locator(".case-body a").first).to_have_css("text-decoration-line", "underline")
    page.set_viewport_size({"width": 1366, "height": 768})
    found = barriers(page, STRONG)
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    expect(page.locator(".page-head .tag")).to_have_css("border-top-style", "solid")
    assert (found, page.evaluate(MOVING)) == ([], 0)
    page.emulate_media(forced_colors="none")
    page.goto(reverse("application_list"))
    assert barriers(page, STRONG) == []
    page.set_viewport_size({"width": 1366, "height": 768})
    page.locator(".filter-bar [type=submit]").press("Enter")
    expect(page.locator("#list-told")).to_have_text("共 1 条")  # said to whoever does not see it


@pytest.mark.slow
def test_an_opinion_is_written_and_signed_by_keys(programme: Any, window: Callable[..., Page]) -> None:
    """Both sign in, find the case where it waits, and do their part; whatever has the focus is always in sight."""
    cast = Cast()
    opinion = review.opinion_of(intake.accepted(world.provider(), cast.reviewer))
    parts = ((cast.reviewer, "draft", "drafted"), (cast.lead, "sign", "signed"))
    for actor, act, state in parts:
        page = window(viewport=ENLARGED) if act == "sign" else window()
        page.goto("/")
        for selector, words in (
            ("[name=login]", Person.objects.get(pk=actor.person_id).username),
            ("[name=password]", world.PASSWORD),
        ):
            tab_to(page, selector)
            seen(page, selector)
            page.keyboard.type(words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        for selector in (
            f".todo a[href*='{reverse('opinion_list')}']",
            f"#list tbody a[href$='/{opinion.pk}/']",
        ):
            follow(page, selector)
        follow(page, f".action-buttons a[href$='/do/{act}/']")
        if act == "draft":
            mark_all(page)
        else:  # signed with the password once more
            tab_to(page, "main [name=password]")
            page.keyboard.type(world.PASSWORD)
        follow(page, ".sticky-bar button")
        opinion.refresh_from_db()
        assert opinion.state == state
        assert page.evaluate(TOO_WIDE) == 0


def follow(page: Page, selector: str) -> None:
    """Go to a link or button by keys, see that the keyboard is there, and press it."""
    tab_to(page, selector)
    seen(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def mark_all(page: Page) -> None:
    """Every condition is met, and a remark."""
    names = page.locator("main form [type=radio]").evaluate_all(
        "radios => [...new Set(radios.map(one => one.name))]"
    )
    for name in names:
        tab_to(page, f'[type=radio][name="{name}"]')
        seen(page, f'[type=radio][name="{name}"]')
        page.keyboard.press("Space")
    tab_to(page, "[name=remark]")
    seen(page, "[name=remark]")
    page.keyboard.type("逐项核对，材料齐全")
