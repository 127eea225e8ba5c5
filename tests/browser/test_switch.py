"""A unit's scope is switched without a mouse: a whole region by one box, the preview, the confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from pilot.actors import Actor
from pilot.models import ScopeChange
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_region_is_closed_by_keyboard(
    programme: Any, provider: Actor, ministry_officer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    unit = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    page = sign_in(ministry_officer).page
    page.goto(reverse("pilot-unit_detail", args=[unit.code]))
    page.get_by_role("link", name="调整开通范围").press("Enter")
    page.wait_for_url("**/scope/", wait_until="load")  # the boxes of regions work by script
    page.get_by_label("关闭").press("Space")
    page.get_by_label("全选 华东").press("Space")
    expect(page.get_by_role("group", name="华东").locator("input[name]:checked")).to_have_count(7)
    page.get_by_label("上海市").press("Space")
    assert page.get_by_label("全选 华东").evaluate("box => box.indeterminate")
    page.get_by_label("新增网站").press("Space")
    page.get_by_label("生效日期").fill("2019-08-01")
    page.get_by_label("理由").press_sequentially("对接系统升级")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("确认关闭")
    expect(page.locator("main tbody tr")).to_have_count(6)
    page.get_by_role("button", name="返回修改").press("Enter")
    expect(page.get_by_label("山东省")).to_be_checked()
    page.get_by_role("button", name="下一步").press("Enter")
    page.get_by_role("button", name="确认关闭").press("Enter")
    expect(page.locator(".notice-success")).to_have_text("已办理：调整开通范围")
    change = ScopeChange.objects.get()
    assert (change.provinces, change.filing_types) == ([32, 33, 34, 35, 36, 37], ["new_website"])
