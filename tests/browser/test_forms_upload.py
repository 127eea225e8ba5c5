"""Handing in forms in a real browser: a line that breaks, faults, no scripts, dry run, rejects sent again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from filings import writers
from filings.models import UploadJob, VerificationForm
from filings.services import pieces, spool, uploads
from filings.synthetic import make_forms
from pilot.actors import Actor
from tests.browser.test_pages import faults
from tests.browser.visitor import PATIENCE, Visitor
from tests.factories import world
from tests.filings import builders

pytestmark = pytest.mark.django_db(transaction=True)
Form = dict[str, Any]
BROKEN = "网络中断，已传部分已保存；恢复后自动继续，也可手动继续"


@pytest.fixture
def provider(programme: Any) -> Actor:
    """An operator of a pilot unit; it is the end of June 2019."""
    actor = world.provider()
    builders.enrol(programme, actor)
    world.at("2019-06-30 23:50")
    return actor


@pytest.fixture(autouse=True)
def spool_of_its_own(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Empty, and out of reach of the tests that run beside this one; a worker's process knows the session's only."""
    if "worker" not in request.fixturenames:
        settings.VAR = tmp_path / "var"


def forms(number: int) -> list[Form]:
    start, end = world.moment("2019-06-03 00:00"), world.moment("2019-06-20 00:00")
    made = make_forms(number, unit_code="1001", seed=3, collected_from=start, collected_to=end)
    return [form.record for form in made]


def ndjson(folder: Path, rows: list[Form], *, padding: int = 0) -> Path:
    """A file of forms, with blank lines to make it large."""
    file = folder / "2019-06.ndjson"
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    file.write_text(lines + (" " * 1023 + "\n") * (padding // 1024), encoding="utf-8")
    return file


def table(folder: Path, rows: list[Form]) -> Path:
    file = folder / "2019-06.csv"
    with file.open("wb") as out:
        writers.write_csv(rows, out, writers.columns_of(rows))
    return file


@pytest.fixture
def page(provider: Actor, sign_in: Callable[..., Visitor]) -> Page:
    """The page to hand in a file."""
    page: Page = sign_in(provider).page
    page.goto("/cases/upload-job/new/")
    expect(page.locator("[data-chosen]")).to_have_text("未选择文件")  # whatever the browser's own language is
    return page


def hand_in(page: Page, file: Path) -> None:
    page.get_by_label("核验单文件").set_input_files(file)
    page.get_by_role("button", name="上报核验单").click()


def ended(page: Page, state: str = "已完成") -> None:
    """Wait until the page has refreshed itself and says how it went."""
    expect(page.locator(".page-head .tag")).to_have_text(state, timeout=PATIENCE * 1000)


def tiles(page: Page) -> list[str]:
    return [text.replace("\n", " ") for text in page.locator("#job .tile").all_inner_texts()]


def test_a_line_that_breaks_in_the_middle_goes_on_after_the_page_is_opened_anew(
    page: Page, provider: Actor, tmp_path: Path
) -> None:
    file = ndjson(tmp_path, forms(1), padding=6 * 1024 * 1024)
    size = file.stat().st_size
    passed: list[str | None] = []
    held: list[Route] = []

    def cut(route: Route) -> None:
        """Two pieces get through and the line hangs; a third, and it breaks for good."""
        if len(passed) == 2 and not held:
            held.append(route)
        elif len(passed) >= 3:
            route.abort()
        else:
            passed.append(route.request.headers.get("upload-offset"))
            route.continue_()

    page.route("**/pieces/*/", cut)
    hand_in(page, file)
    expect(page.locator("[data-chosen]")).to_have_text(file.name)
    state = page.locator("[data-state]")
    expect(state).to_contain_text(re.compile(r"已传 768 KB / 6\.0 MB（12%） · 约剩 \d+ "))
    Visitor(page).picture(tmp_path / "upload_sending.png")
    held[0].abort()
    expect(state).to_have_text(BROKEN)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="继续上传").click()
    expect(state).to_have_text(BROKEN)
    assert len(passed) >= 3
    received = pieces.unfinished(actor=provider)[0].received
    assert 0 < received < size
    Visitor(page).picture(tmp_path / "upload_cut.png")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("[data-unfinished]")).to_contain_text("重新选择同一文件即可从断点续传")
    assert faults(page) == []
    Visitor(page).picture(tmp_path / "upload_unfinished.png")
    page.unroute("**/pieces/*/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.headers.get("upload-offset", "")))
    hand_in(page, file)
    expect(page.locator(".page-head h1")).to_have_text(file.name, timeout=PATIENCE * 1000)
    assert next(offset for offset in sent if offset) == str(received)
    job = UploadJob.unscoped.get()
    assert (job.size, uploads.process(job_id=job.pk).accepted) == (size, 1)


def test_an_answer_lost_at_the_very_end_hands_nothing_in_twice(page: Page, tmp_path: Path) -> None:
    def lose(route: Route) -> None:
        """The portal gets it, and the line breaks before its answer."""
        route.fetch()
        route.abort()

    page.route("**/finish/", lose, times=1)
    file = ndjson(tmp_path, forms(1))
    page.get_by_label("核验单文件").set_input_files(file)
    page.locator("#upload-form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
    expect(page.locator("[data-state]")).to_have_text(BROKEN)
    page.get_by_role("button", name="继续上传").click()
    expect(page.locator(".page-head h1")).to_have_text(file.name, timeout=PATIENCE * 1000)
    assert (UploadJob.unscoped.count(), [at for _key, at in spool.folders()][1:]) == (1, [])


def test_faults_are_told_before_and_after_sending_and_the_choices_stay(page: Page, tmp_path: Path) -> None:
    fault = page.locator("[data-fault]")
    page.get_by_label("文件格式").select_option("csv")
    page.get_by_label("仅试算").check()
    page.get_by_role("button", name="上报核验单").click()
    expect(fault).to_have_text("请选择文件")
    for name, content, words in (
        ("a.csv", b"", "文件是空的"),
        ("a.xls", b"\xd0\xcf\x11\xe0old", "旧版 XLS 请另存为 XLSX"),
        ("a.csv", b"name,mobile\n", "缺少含 form_no 的表头"),
    ):
        bad = tmp_path / name
        bad.write_bytes(content)
        hand_in(page, bad)
        expect(fault).to_contain_text(words)
    assert faults(page) == []
    Visitor(page).picture(tmp_path / "upload_fault.png")
    assert page.get_by_label("文件格式").input_value() == "csv"
    expect(page.get_by_label("仅试算")).to_be_checked()
    chinese = tmp_path / "gbk.csv"
    chinese.write_bytes("form_no,subject.name\nA-00001,示例\n".encode("gbk"))
    page.get_by_label("核验单文件").set_input_files(chinese)
    expect(page.locator("[data-noted]")).to_have_text("该文件不是 UTF-8 编码，已改选 GBK")
    page.get_by_role("button", name="上报核验单").click()
    expect(page.locator(".page-head h1")).to_have_text("gbk.csv")
    job = UploadJob.unscoped.get()
    assert (job.format, job.encoding, job.dry_run) == ("csv", "gbk", True)


def test_without_scripts_the_page_is_a_plain_form(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = sign_in(provider, java_script_enabled=False).page
    page.goto("/cases/upload-job/new/")
    hand_in(page, ndjson(tmp_path, forms(2), padding=3 * 1024 * 1024))
    expect(page.locator(".page-head .tag")).to_have_text("已接收")
    uploads.process(job_id=UploadJob.unscoped.get().pk)
    page.get_by_role("link", name="刷新").click()
    expect(page.locator(".page-head .tag")).to_have_text("已完成")
    assert tiles(page)[0] == "接收 2"


@pytest.mark.slow
def test_a_dry_run_then_the_same_file_for_real(page: Page, worker: None, tmp_path: Path) -> None:
    rows = forms(30)
    page.get_by_label("仅试算").check()
    hand_in(page, ndjson(tmp_path, rows, padding=1024 * 1024))
    ended(page)
    expect(page.get_by_role("status").last).to_have_text("处理完成：接收 30 行，重复 0 行，拒收 0 行")
    assert VerificationForm.unscoped.count() == 0
    assert faults(page) == []
    Visitor(page).picture(tmp_path / "upload_tried.png")
    page.get_by_role("button", name="正式上报同一文件").click()
    expect(page.locator(".notice-success")).to_have_text("已提交：上报批次")
    ended(page)
    assert VerificationForm.unscoped.count() == 30
    page.get_by_role("link", name="接收").click()
    expect(page.locator(".toolbar-total")).to_contain_text("30")


@pytest.mark.slow
def test_refused_rows_are_corrected_and_sent_again(page: Page, worker: None, tmp_path: Path) -> None:
    rows = forms(40)
    for row in rows[::2]:
        row["verifier_name"] = ""
    rows[1]["principal"]["mobile"] = "12013800138"
    hand_in(page, table(tmp_path, rows))
    ended(page)
    assert tiles(page) == ["接收 19", "重复 0 与已接收的内容相同，只计一次", "拒收 21"]
    assert faults(page) == []
    Visitor(page).picture(tmp_path / "upload_refused.png")
    page.get_by_role("link", name="phone.mobile").click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="查看全部").click()
    with page.expect_download() as download:
        page.locator(".job-buttons").get_by_role("link", name="下载拒收文件").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    header, *refused = csv.reader(io.StringIO(text))
    for cells in refused:
        cells[header.index("verifier_name")] = cells[header.index("verifier_name")] or "王示例"
        cells[header.index("principal.mobile")] = "13800138000"
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *refused])
    page.get_by_role("link", name="上报改正后的文件").click()
    expect(page.get_by_label("文件格式")).to_have_value("csv")
    hand_in(page, corrected)
    ended(page)
    assert (tiles(page)[0], VerificationForm.unscoped.count()) == ("接收 21", 40)


def test_the_page_under_way_keeps_the_focus_when_it_refreshes(page: Page, tmp_path: Path) -> None:
    hand_in(page, ndjson(tmp_path, forms(3)))
    expect(page.locator(".page-head .tag")).to_have_text("已接收")
    assert faults(page) == []
    Visitor(page).picture(tmp_path / "upload_under_way.png")
    link = page.locator("#job .facts a")
    link.focus()
    uploads.process(job_id=UploadJob.unscoped.get().pk)
    ended(page)
    expect(page.get_by_role("status").last).to_have_text("处理完成：接收 3 行，重复 0 行，拒收 0 行")
    expect(link).to_be_focused()
