"""A form filled in away from the portal, uploaded and looked at: workbook at a desk, PDF on a telephone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from applications.services.drafts import save_draft, start_application
from applications.writers.form_pdf import blank_form
from tests.applications.prefill.filling import TRUTH, pdf, rows, workbook
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"viewport": {"width": 390, "height": 844}}
UNREAD = {"licence_number": "见附件", "planned_start": "19-5-16"}


def read_in(visitor: Visitor, pk: int, file: Path) -> None:
    """Choose a file on the page and send it."""
    visitor.page.goto(f"/applications/{pk}/prefill/")
    visitor.page.locator("[name=upload]").set_input_files(file)
    visitor.page.get_by_role("button", name="上传并读入").click()
    expect(visitor.page.get_by_role("heading", name="读入结果")).to_be_visible()


def count(visitor: Visitor, label: str) -> int:
    term = visitor.page.locator("dt").get_by_text(label, exact=True)
    return int(visitor.page.locator(".prefill-counts > div").filter(has=term).locator("dd").inner_text())


@pytest.mark.slow
def test_both_files_are_read_in_and_marked(
    programme: Any, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    provider = world.provider()
    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, deletion="人工删除", contact_name="示例丙")
    book, form = tmp_path / "申请表.xlsx", tmp_path / "申请表.pdf"
    book.write_bytes(workbook(rows(**UNREAD)))
    form.write_bytes(pdf(blank_form(case.programme)))

    desk = sign_in(provider)
    read_in(desk, case.pk, book)
    assert count(desk, "自动识别，请核对") == len(TRUTH) - 4
    assert [count(desk, label) for label in ("与已填不一致", "未能识别", "与已填一致")] == [1, 2, 1]
    assert desk.row("到期删除方式") == ["到期删除方式", "到期自动删除", "人工删除", "与已填不一致"]
    desk.picture(tmp_path / "pictures" / "desk.png")

    phone = sign_in(provider, **PHONE)
    read_in(phone, case.pk, form)
    assert [count(phone, label) for label in ("与已填不一致", "未能识别", "与已填一致")] == [1, 0, 1]
    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]
    phone.picture(tmp_path / "pictures" / "phone.png")

    phone.page.get_by_role("link", name="到期删除方式", exact=True).click()
    expect(phone.page.locator("#id_deletion")).to_be_attached()
    expect(phone.page.get_by_text("自动识别，请核对").first).to_be_visible()
    phone.picture(tmp_path / "pictures" / "section.png")
