"""The pages around the API in a real browser: keys made and copied, the description, the explorer; silent consoles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pilot import clock, policy
from pilot.models import ApiKey
from tests.browser.test_pages import faults
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_key_is_made_copied_and_revoked(sign_in: Callable[..., Any], programme: Any, provider: Any) -> None:
    builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    visitor = sign_in(provider)
    page: Page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.menu("接口密钥")
    page.locator(".page-tools").get_by_role("link", name="创建密钥").click()
    assert faults(page) == []
    page.get_by_label("名称").fill("业务系统")
    page.get_by_label("到期日").fill((clock.security_now() + timedelta(days=7)).date().isoformat())
    page.locator("main form").get_by_role("button", name="创建密钥").click()
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    secret = page.locator("#secret").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert secret.startswith(ApiKey.unscoped.get().prefix)
    assert faults(page) == []
    page.get_by_role("link", name="我已保存，返回密钥列表").click()
    expect(page.locator("main tbody .tag")).to_contain_text("天内到期")
    assert (faults(page), secret in page.content()) == ([], False)
    page.locator("main tbody").get_by_role("link", name="停用").click()
    page.get_by_role("button", name="停用密钥").click()
    expect(page.locator("main tbody .tag")).to_have_text("已停用")


def test_a_key_can_be_copied_without_scripts(
    sign_in: Callable[..., Any], programme: Any, provider: Any
) -> None:
    builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    page: Page = sign_in(provider, java_script_enabled=False).page
    page.goto("/keys/new/")
    page.get_by_label("名称").fill("业务系统")
    page.get_by_label("到期日").fill((clock.security_now() + timedelta(days=7)).date().isoformat())
    page.locator("main form").get_by_role("button", name="创建密钥").click()
    assert page.locator("#secret").input_value().startswith(ApiKey.unscoped.get().prefix)
    expect(page.get_by_role("button", name="复制")).to_be_hidden()


def test_the_description_and_the_explorer(window: Callable[..., Page], programme: Any) -> None:
    """The explorer shows every operation, from the portal's own files, under the portal's own content policy."""
    page = window(locale="zh-CN")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/docs/")
    assert faults(page) == []
    page.set_viewport_size({"width": 1366, "height": 768})
    page.locator(".docs-nav").get_by_role("link").nth(3).click()
    page.locator("#uploads summary", has_text="Java").click()
    expect(page.locator("#example-Upload-java")).to_be_visible()
    page.goto("/api/explorer/")
    operations = sum(len(methods) for methods in policy.api().values())
    expect(page.locator(".opblock")).to_have_count(operations)
    expect(page.locator("#explorer .btn.authorize")).to_have_text("填入密钥")
    expect(page.locator("#explorer .opblock-tag a > span")).to_have_text(["上报核验单", "查询结果"])
    expect(page.locator("#explorer .info")).to_have_count(0)
    page.locator(".opblock").first.click()
    expect(page.locator(".opblock.is-open .responses-table").first).to_be_visible()
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {page.url.split("/")[2]}
