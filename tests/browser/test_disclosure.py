"""Masked data are looked at with a reason, without JavaScript; print-outs carry the name of the reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from pilot.models import AuditEntry, Person
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.pilot.lists.helpers import asked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_reason_opens_the_contact_for_one_page_view(
    transactional_db: None, window: Callable[..., Page], tmp_path: Path, live_server: Any
) -> None:
    world.install()
    reader = world.bureau()
    case = asked("示例甲")
    visitor = Visitor(window()).sign_in(reader)
    cookies = visitor.page.context.cookies()
    page = window(java_script_enabled=False)
    page.context.add_cookies(cookies)
    url = reverse("provider-registration_detail", args=[case.pk])
    page.goto(url)
    expect(page.locator(".facts").first).to_contain_text("020****0001")
    page.get_by_text("查看遮盖的个人信息").click()
    page.get_by_label("查看理由").select_option("reach")
    page.screenshot(path=tmp_path / "1-masked.png")
    page.get_by_role("button", name="查看", exact=True).click()
    expect(page.locator(".facts").first).to_contain_text("020-00000001")
    expect(page.locator(".unmask-shown")).to_contain_text("正在显示完整的单位联系人信息")
    assert page.evaluate("document.documentElement.scrollWidth <= 1366")
    page.screenshot(path=tmp_path / "2-shown.png")
    page.pdf(path=tmp_path / "3-print.pdf", format="A4")
    page.get_by_role("link", name="重新遮盖").click()
    expect(page.locator(".facts").first).to_contain_text("020****0001")
    entry = AuditEntry.objects.get(action="personal.unmask")
    assert (entry.person_id, entry.detail) == (reader.person_id, {"group": "contact", "reason": "reach"})
    assert Person.objects.get(pk=reader.person_id).name not in page.locator("main").inner_text()
