"""A reviewer at the list of applications: filter, view, ticks, spreadsheet, back to where one was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from applications.models import Application
from pilot import clock
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Province
from pilot.models import Organisation, Programme
from tests.applications import builders as intake
from tests.browser.test_pages import faults
from tests.factories import world
from tests.factories.cases import walk

pytestmark = pytest.mark.django_db(transaction=True)


def submitted(programme: Programme, count: int) -> None:
    """Applications that wait for the bureau; what is in them is not the matter here."""
    for serial in range(count):
        code = world.uscc(70_000 + serial)
        provider = Organisation.objects.create(
            kind=OrganisationKind.PROVIDER,
            name=f"示例接入服务第{serial:02d}有限公司",
            province=Province.GUANGDONG,
            uscc=code,
        )
        now = clock.now()
        case = Application.unscoped.create(
            case_key=uuid4(), opened_at=now, state_since=now, programme=programme, provider=provider,
            province=Province.GUANGDONG, uscc=code, case_number=f"SQ2019-44-{serial + 500:05d}", submitted_at=now,
        )  # fmt: skip
        walk(case, "submitted")


@pytest.mark.slow
def test_a_reviewer_works_on_a_long_list(
    programme: Any, bureau_reviewer: Actor, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    submitted(programme, 45)
    intake.submitted(world.provider())
    visitor = sign_in(bureau_reviewer)
    page = visitor.page
    visitor.menu("试点申请")
    page.locator(".filter-more summary").click()
    page.get_by_label("认领").select_option(label="待认领")
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".chips")).to_contain_text("认领：待认领")

    # A saved view, shared with the office.
    page.get_by_text("保存当前筛选").click()
    page.get_by_label("视图名称").fill("待认领的申请")
    page.get_by_label("的同事共用").check()
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator(".view-tabs [aria-current]")).to_have_text("待认领的申请共用")

    # To the third page, into a case and back: the same page at the same place.
    page.get_by_role("link", name="第 3 页").click()
    expect(page.locator(".pages [aria-current=page]")).to_have_text("3")
    address, first = page.url, page.locator(".grid tbody td.pick + td a").first
    number = first.inner_text()
    first.click()
    expect(page.locator(".case")).to_be_visible()
    page.go_back()
    expect(page.locator(".grid tbody td.pick + td a").first).to_have_text(number)
    assert page.url == address

    # Ticks count themselves; all of a page, none, all of the filter.
    page.get_by_role("link", name="第 1 页").click()
    expect(page.locator(".pages [aria-current=page]")).to_have_text("1")
    picked = page.locator("[data-picked]")
    page.get_by_label("全选本页").check()
    expect(picked).to_have_text("20")
    page.get_by_role("button", name="取消选择").click()
    expect(picked).to_have_text("0")
    for box in page.locator("[name=pick]").all()[:2]:
        box.check()
    expect(picked).to_have_text("2")
    visitor.picture(tmp_path / "list-reviewer-1366.png")
    assert faults(page, axe_on=(390, 1366)) == []

    # The spreadsheet leaves the page as it is, and comes twice when asked twice.
    for _time in range(2):
        with page.expect_download() as caught:
            page.get_by_role("button", name="导出").click()
        assert caught.value.suggested_filename == "试点申请_20190412.xlsx"
        expect(page.get_by_role("button", name="导出")).not_to_have_attribute("aria-disabled", "true")
    expect(picked).to_have_text("2")

    page.get_by_role("button", name="批量认领").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("批量办理：认领")
    visitor.picture(tmp_path / "batch-preview-1366.png")
    assert faults(page, axe_on=(390, 1366)) == []
    page.get_by_role("button", name="确认办理 2 项").click()
    expect(page.locator(".notice-success")).to_have_text("认领：成功 2，失败 0")
    expect(page.locator(".toolbar-total")).to_contain_text("共 44 条")


def test_what_is_compared_can_be_read_in_the_bar(sign_in: Callable[..., Any], programme: Programme) -> None:
    page = sign_in(world.ministry()).page
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto("/comparison/")
    widths = page.locator(".filter-bar select").evaluate_all("all => all.map(one => one.offsetWidth > 200)")
    assert widths == [True, True]
    assert faults(page, axe_on=(390, 1366)) == []
