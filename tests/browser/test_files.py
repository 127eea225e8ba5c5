"""Handing over files in a real browser: several at once with progress, and going on after a cut at half."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from applications.models import ApplicationFile, PartialUpload
from applications.services.drafts import start_application
from tests.applications import builders
from tests.browser.visitor import PATIENCE, Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)
BIG = builders.pdf("x" * 3_000_000)


@pytest.fixture
def page(programme: object, sign_in: Callable[..., Visitor]) -> Page:
    """The page of files of a new application."""
    provider = world.provider()
    case = start_application(actor=provider)
    page: Page = sign_in(provider).page
    page.goto(f"/applications/{case.pk}/files/")
    return page


def written(folder: Path, name: str, body: bytes) -> Path:
    file = folder / name
    file.write_bytes(body)
    return file


def test_several_files_at_once_and_a_refusal_in_words(page: Page, tmp_path: Path) -> None:
    files = [written(tmp_path, f"材料{n}.pdf", builders.pdf(f"{n}" * 400_000)) for n in range(3)]
    bad = written(tmp_path, "脚本.pdf", b"<script>")
    card = page.locator("#other")
    card.get_by_label("选择文件（可多选）").set_input_files([*files, bad])
    expect(card.locator(".file-list > li")).to_have_count(3, timeout=PATIENCE * 1000)
    assert sorted(card.locator(".file-list a").all_inner_texts()) == ["材料0.pdf", "材料1.pdf", "材料2.pdf"]
    expect(card.locator(".upload-state")).to_have_text(
        "只接收 PDF、PNG、JPG、XLSX 文件；该文件的内容不是其中任何一种"
    )
    Visitor(page).picture(tmp_path / "files.png")
    card.get_by_role("button", name="知道了").click()
    expect(card.locator(".upload")).to_have_count(0)
    card.get_by_role("button", name="移除 材料0.pdf").click()
    expect(card.locator(".file-list > li")).to_have_count(2)


def test_an_upload_cut_at_half_goes_on_after_a_reload(page: Page, tmp_path: Path) -> None:
    file = written(tmp_path, "许可证.pdf", BIG)
    passed = []

    def cut(route: Route) -> None:
        """The line breaks when half of the pieces are through."""
        if len(passed) * 262_144 >= len(BIG) // 2:
            route.abort()
        else:
            passed.append(route.request.headers.get("upload-offset"))
            route.continue_()

    page.route("**/uploads/*/", cut)
    card = page.locator("#licence")
    card.get_by_label("选择文件").set_input_files(file)
    expect(card.locator(".upload-state")).to_have_text(
        "网络中断，已传部分已保存；恢复后自动继续，也可手动继续"
    )
    card.get_by_label("选择文件").set_input_files(
        file
    )  # chosen once more it is no second upload of the same pieces
    expect(card.locator(".upload")).to_have_count(1)
    end = time.monotonic() + PATIENCE
    while PartialUpload.unscoped.get().received != len(passed) * 262_144 and time.monotonic() < end:
        page.wait_for_timeout(50)
    received = PartialUpload.unscoped.get().received
    assert len(BIG) // 2 <= received < len(BIG)

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(card.locator(".file-unfinished")).to_contain_text("重新选择同一文件即可续传")
    page.unroute("**/uploads/*/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.headers.get("upload-offset", "")))
    card.get_by_label("选择文件").set_input_files(file)
    expect(card.locator(".file-list a")).to_have_text("许可证.pdf", timeout=PATIENCE * 1000)
    offsets = [int(offset) for offset in sent if offset]
    assert offsets[0] == received
    stored = ApplicationFile.unscoped.get()
    assert (stored.size, PartialUpload.unscoped.count()) == (len(BIG), 0)
