"""Handing over files by the conventions (P05): what can be done to each, forty bad ones at once, a line that breaks.

``PILOT_HOSTILE_FILES`` says how many bad files are handed over at once, ``PILOT_UPLOAD_MEGABYTES`` how much goes over
the slow line; the full figures are 40 and 20.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from applications.models import Application, ApplicationFile, PartialUpload
from applications.services.drafts import start_application
from applications.validators.limits import MAX_BYTES
from tests.applications import builders
from tests.applications.files.hostile import OTHERS, PDFS, PICTURES, WORKBOOKS
from tests.browser.test_files import written
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HOSTILE_FILES = int(os.environ.get("PILOT_HOSTILE_FILES", "8"))
MEGABYTES = int(os.environ.get("PILOT_UPLOAD_MEGABYTES", "1"))
LINE = 1_000_000 // 8  # bytes per second: 1 Mbit/s
LARGE = "文件超过大小上限，请压缩或拆分后上传"
EMPTY = "文件是空的"
DROP = """(card, files) => {
  const moved = new DataTransfer();
  for (const [name, text] of files) moved.items.add(new File([text], name));
  card.dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def case(programme: object) -> Application:
    return start_application(actor=world.provider())


@pytest.fixture
def page(case: Application, sign_in: Callable[..., Visitor]) -> Page:
    """The page of files of a new application."""
    person = case.provider.memberships.get().as_actor()
    page: Page = sign_in(person).page
    page.goto(f"/applications/{case.pk}/files/")
    return page


def test_p05_each_file_is_dropped_cancelled_tried_again_looked_at_replaced_and_removed(
    page: Page, tmp_path: Path
) -> None:
    limits = page.locator(".files-limits .facts")
    expect(limits).to_contain_text("不超过 20 MB")  # said before anything is chosen
    card = page.locator("#licence")
    held: list[Route] = []
    page.route("**/uploads/*/", lambda route: held.append(route))
    card.evaluate(DROP, [["拖入.pdf", builders.pdf("dropped").decode()]])
    expect(card.locator("progress")).to_be_visible()
    expect(card.locator("[data-size]")).to_have_text(re.compile(r"^\d+ KB$"))
    expect(card.get_by_role("button", name="取消")).to_be_visible()
    page.unroute_all()
    card.get_by_role("button", name="取消").click()
    expect(card.locator(".upload")).to_have_count(0)

    answers = [404]

    def fail_once(route: Route) -> None:
        route.fulfill(status=answers.pop(), body="") if answers else route.continue_()

    page.route("**/uploads/*/", fail_once)
    card.evaluate(DROP, [["拖入.pdf", builders.pdf("dropped").decode()]])
    expect(card.locator(".upload-state")).to_have_text("上传未成功，请稍后再试")
    Visitor(page).picture(tmp_path / "failed.png")
    card.get_by_role("button", name="继续上传").click()
    name = card.locator(".file-list .file-name")
    expect(name).to_have_text("拖入.pdf")
    card.get_by_label("选择文件以替换").set_input_files(written(tmp_path, "换.pdf", builders.pdf("new")))
    expect(name).to_have_text("换.pdf")
    card.locator("summary").click()
    picture = card.locator(".file-preview img")
    expect(picture).to_have_attribute("alt", "换.pdf 第 1 页")
    page.wait_for_function(
        "image => image.complete && image.naturalWidth > 200", arg=picture.element_handle()
    )
    card.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "preview.png")
    card.get_by_role("button", name="移除 换.pdf").click()
    expect(page.locator(".notice-success")).to_have_text("已移除：换.pdf")
    assert ApplicationFile.unscoped.filter(replaced_at__isnull=True).count() == 0


@pytest.mark.timeout(600)
def test_p05_many_bad_files_at_once_each_get_words_of_their_own(page: Page, tmp_path: Path) -> None:
    known = [*PDFS, *PICTURES, *WORKBOOKS, *OTHERS]  # bad names would have to be names on this disk
    bad = known[:: len(known) // HOSTILE_FILES][:HOSTILE_FILES]
    wanted, files = {}, []
    for number, one in enumerate(bad):
        body, name = one.make(), f"{number:02d}-{one.name}"
        wanted[name] = EMPTY if not body else LARGE if len(body) > MAX_BYTES else one.words
        files.append(written(tmp_path, name, body))
    card = page.locator("#other")
    card.get_by_label("选择文件（可多选）").set_input_files(files)
    expect(card.locator('.upload[data-tone="danger"]')).to_have_count(len(files), timeout=500_000)
    told = dict(
        zip(
            card.locator(".upload [data-name]").all_inner_texts(),
            card.locator(".upload [data-state]").all_inner_texts(),
            strict=True,
        )
    )
    assert told == wanted
    assert (ApplicationFile.unscoped.count(), len(files)) == (0, HOSTILE_FILES)
    Visitor(page).picture(tmp_path / "hostile.png")


@pytest.mark.timeout(900)
def test_p05_a_slow_line_that_breaks_at_half_goes_on_by_itself(page: Page, tmp_path: Path) -> None:
    """1 Mbit/s both before and after; nobody presses anything once the line is back."""
    body = builders.pdf("x" * (MEGABYTES * 1024 * 1024 - 2000))
    file = written(tmp_path, "许可证.pdf", body)
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")

    def condition(*, offline: bool) -> None:
        rates = {"latency": 20, "downloadThroughput": LINE, "uploadThroughput": LINE}
        line.send("Network.emulateNetworkConditions", {"offline": offline, **rates})

    condition(offline=False)
    sent: list[int] = []
    page.on("request", lambda request: sent.append(int(request.headers.get("upload-offset", -1))))
    card = page.locator("#licence")
    card.get_by_label("选择文件").set_input_files(file)
    half = re.compile(r"^已传 (5\d|[6-9]\d)%")
    expect(card.locator(".upload-state")).to_have_text(half, timeout=300_000)
    condition(offline=True)
    expect(card.locator(".upload-state")).to_contain_text("网络中断，已传部分已保存", timeout=30_000)
    kept = PartialUpload.unscoped.get().received
    sent.clear()
    condition(offline=False)
    expect(card.locator(".file-list .file-name")).to_have_text(file.name, timeout=300_000)
    assert next(offset for offset in sent if offset >= 0) >= kept > len(body) // 3
    assert ApplicationFile.unscoped.get().size == len(body)
