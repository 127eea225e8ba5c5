"""The portal without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from pilot.actors import Actor
from tests.applications import builders as intake
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_the_skip_link_to_a_decision(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    case = intake.submitted(world.provider())
    page = sign_in(bureau_reviewer).page
    page.goto(reverse("application_detail", args=[case.pk]))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    accept = page.get_by_role("link", name="受理", exact=True)
    accept.focus()
    page.keyboard.press("Enter")
    page.get_by_label("备注").focus()
    page.keyboard.type("材料齐全")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="受理", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".notice-success")).to_have_text("已办理：受理")
    expect(page.locator(".timeline-reason").first).to_have_text("材料齐全")


def test_an_error_is_told_where_it_is(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    case = intake.submitted(world.provider())
    page = sign_in(bureau_reviewer).page
    page.goto(reverse("application_act", args=[case.pk, "refuse"]))
    page.get_by_label("查明的情况和理由").fill("示例理由")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_title("错误：不予受理 - 电子化核验试点管理平台")
    page.get_by_role("link", name="不符合的参与条件").click()
    expect(page.get_by_label("不符合的参与条件")).to_be_focused()
    expect(page.get_by_label("查明的情况和理由")).to_have_value("示例理由")
