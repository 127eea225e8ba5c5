"""An officer imports a file of national answers with hands: tried first, then taken, then the month is reconciled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from pilot.actors import Actor
from tests.factories import world
from tests.filings import builders
from tests.filings.national import files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FIRM = (1, "91440000MA0000001X", "示例科技有限公司")


def test_a_file_is_tried_taken_and_reconciled(
    programme: Any, provider: Actor, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    unit = builders.enrol(programme, provider)
    world.at("2019-06-28 09:00")
    for number in range(1, 4):
        builders.form(unit, f"V3-{unit.national_id}-XZBA-{number}-{1:012x}", content=builders.content(FIRM))
    file = tmp_path / "BAJG_1001_00000001.xml"
    results = [
        files.result(1, words="核验单已入库"),
        files.result(8),
        files.result(2, 1008, words="证件有误"),
    ]
    file.write_bytes(files.download(results, [files.review(1), files.review(3, 0)], [files.access()]))

    officer = sign_in(world.ministry())
    page = officer.page
    page.goto(f"/units/{unit.code}/")
    page.get_by_role("link", name="与全国系统核对").click()
    page.get_by_role("link", name="导入反馈文件").click()
    page.get_by_label("全国系统反馈文件").set_input_files(file)
    page.get_by_role("button", name="提交文件").click()
    expect(page.get_by_role("heading", name="试算结果，未保存")).to_be_visible()
    page.screenshot(path=tmp_path / "tried.png")
    page.get_by_label("全国系统反馈文件").set_input_files(file)
    page.get_by_label("导入：").check()
    page.get_by_role("button", name="提交文件").click()
    expect(page.locator(".notice-success")).to_have_text("已办理：导入反馈文件")
    page.screenshot(path=tmp_path / "file.png")
    page.get_by_role("link", name="与全国系统核对").click()
    expect(page.locator("#list tbody tr")).to_have_count(2)
    page.screenshot(path=tmp_path / "month.png")
    page.reload()  # what a screenshot sets on the page htmx would carry over
    page.get_by_label("清单").select_option("无对应核验单的回执")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.screenshot(path=tmp_path / "formless.png")
    page.goto("/forms/")
    page.get_by_role("link", name=f"V3-{unit.national_id}-XZBA-1-{1:012x}").click()
    section = page.get_by_role("heading", name="全国系统回执")
    section.scroll_into_view_if_needed()
    expect(page.get_by_text("1060 核验单已入库")).to_be_visible()
    page.screenshot(path=tmp_path / "form.png")
