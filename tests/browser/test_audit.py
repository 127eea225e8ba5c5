"""The audit administrator's day with hands: search, one entry, taking the log away, having it checked by the job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from applications.models import ApplicationVersion
from applications.tasks import make_receipt
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import AuditCheck, AuditHead
from pilot.services import audit, audit_checks, audit_heads
from tests.applications import builders
from tests.browser.test_pages import faults
from tests.factories import world
from tests.pilot.test_audit_offline import offline

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_the_log_is_searched_taken_away_and_checked(
    programme: Any, provider: Actor, sign_in: Callable[..., Any], window: Callable[..., Page], tmp_path: Path
) -> None:
    case = builders.submitted(provider)
    make_receipt(ApplicationVersion.unscoped.get(application=case).pk)
    found: list[str] = []

    def look(page: Page, name: str) -> None:
        found.extend(faults(page))
        page.screenshot(path=tmp_path / f"{name}.png")
        page.reload()  # what a screenshot sets on the page htmx would carry over

    page = sign_in(world.ministry(Role.AUDIT_ADMIN)).page
    expect(page.get_by_role("heading", level=1)).to_have_text("审计日志")
    look(page, "1-list")
    page.get_by_label("人员（姓名或登录名）").fill(provider.name)
    page.locator("summary", has_text="更多条件").click()
    page.get_by_role("combobox", name="操作").select_option(label="试点申请 · 提交申请")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    look(page, "2-found")
    page.locator("#list tbody tr a").click()
    expect(page.get_by_text("覆盖本条的树根")).to_be_visible()
    look(page, "3-entry")

    page.goto("/audit/export/")
    look(page, "4-export")
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.locator(".error-summary")).to_be_visible()
    page.get_by_label("导出理由").fill("年度检查")
    with page.expect_download() as download:
        page.get_by_role("button", name="导出", exact=True).click()
    log, heads = tmp_path / "log.ndjson.gz", tmp_path / "heads.txt"
    download.value.save_as(log)
    heads.write_text("".join(f"{audit_heads.line(head)}\n" for head in AuditHead.objects.all()))
    # The file leaves the page as it is, but for the error that is put right, and it can be asked for again.
    expect(page.locator(".error-summary, .field-errors, .has-errors, [aria-invalid]")).to_have_count(0)
    expect(page).to_have_title("导出审计日志 - 电子化核验试点管理平台")
    expect(page.get_by_role("button", name="导出", exact=True)).not_to_have_attribute("aria-disabled", "true")
    assert offline.main([str(log), "--heads", str(heads), "--key", audit_heads.public_key()]) == 0

    page.goto("/audit/checks/")
    page.get_by_role("link", name="立即核验").click()
    look(page, "5-ask")
    page.get_by_role("button", name="开始核验").click()
    expect(page.get_by_text("正在核验。")).to_be_visible()
    look(page, "6-waiting")
    audit.seal()
    assert audit_checks.run(check_id=AuditCheck.objects.get().pk) is True
    expect(page.get_by_text("完整无改动")).to_be_visible()  # the page asks by itself
    look(page, "7-result")
    page.get_by_role("link", name="返回").click()
    look(page, "8-checks")

    anybody = window()
    anybody.goto("/audit/heads/")
    look(anybody, "9-heads")
    applicant = sign_in(provider).page
    applicant.goto(f"/applications/{case.pk}/receipt/")
    expect(applicant.get_by_role("link", name="下载存证证明")).to_be_visible()
    look(applicant, "10-receipt")
    assert found == []
