"""The provider's form in a real browser: by keyboard alone, on a phone, over a crash, in two windows at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from applications.models import Application, ApplicationFile
from applications.rules.completeness import REQUIRED_FILES
from applications.rules.form import FIELDS, SECTIONS, Kind
from applications.services.drafts import start_application
from pilot.actors import Actor
from tests.applications import builders
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOST_AT_MOST = 10  # seconds of typing that a crash may cost (P04)


@pytest.fixture
def provider(programme: Any) -> Actor:
    return world.provider()


def draft(case: Application) -> dict[str, Any]:
    return dict(Application.unscoped.get(pk=case.pk).draft)


def saved(page: Page) -> None:
    """Wait until the page says by itself that it has saved; nobody presses a button."""
    expect(page.locator("[data-state]")).to_have_text("已保存 09:00", timeout=LOST_AT_MOST * 1000)


def written(folder: Path, name: str, body: bytes) -> Path:
    file = folder / name
    file.write_bytes(body)
    return file


def pdf(folder: Path, name: str) -> Path:
    return written(folder, name, builders.pdf(name))


class Keys:
    """Somebody who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # Caught from now on: Playwright may begin too late when it is asked just before the key.
        page.on("filechooser", lambda _chooser: None)

    def tab_to(self, selector: str, limit: int = 120, *, back: bool = False) -> None:
        """Press Tab until a control has the focus."""
        for _ in range(limit):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"no way to {selector} by keyboard")

    def press(self, selector: str, key: str = "Enter") -> None:
        self.tab_to(selector)
        self.page.keyboard.press(key)

    def go(self, selector: str) -> None:
        """Follow a link or press a button, and wait for the page it opens."""
        self.tab_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def on_the_button(self, kind: str) -> None:
        """The button that chooses a file has the focus, and the frame around it says so."""
        expect(self.page.locator(f"#file-{kind}")).to_be_focused()
        frame = self.page.locator(".file-form", has=self.page.locator(f"#file-{kind}"))
        expect(frame).to_be_in_viewport()
        expect(frame).to_have_css("outline-style", "solid")

    def hand_over(self, kind: str, file: Path, key: str = "Enter", *, refused: bool = False) -> None:
        """Choose a file on the card of its kind; once it is there (or refused) the hand is where it was."""
        if not self.page.evaluate("wanted => document.activeElement.id === wanted", f"file-{kind}"):
            self.tab_to(f"#file-{kind}")
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press(key)
        chooser.value.set_files(file)
        card = self.page.locator(f"#{kind}")
        if refused:
            expect(card.locator(".upload")).to_have_attribute("data-tone", "danger")
        else:
            expect(card.locator(".file-list .file-name")).to_have_text(file.name)
            expect(card.locator("label")).to_have_text("选择文件以替换")
        self.on_the_button(kind)

    def fill(self, key: str, value: Any) -> None:
        field = FIELDS[key]
        if field.kind is Kind.CHOICES:
            for one in value:
                self.press(f'[name="{key}"][value="{one}"]', "Space")
            return
        self.tab_to(f'[name="{key}"]')
        if field.kind is Kind.CHOICE:
            label = str(dict(field.choices)[value])
            place = [""] + [choice for choice, _label in field.choices]
            for _ in range(place.index(value)):
                self.page.keyboard.press("ArrowDown")
            assert self.page.evaluate("document.activeElement.selectedOptions[0].label") == label
        elif field.kind is Kind.DATE:
            self.page.keyboard.type(value.strftime("%m%d%Y"))
        else:
            self.page.keyboard.type(str(value))


@pytest.mark.slow
def test_a_whole_application_by_keyboard(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    visitor = sign_in(provider)
    page, keys, content = visitor.page, Keys(visitor.page), builders.content_of(provider)
    page.goto("/cases/application/")
    keys.go(".toolbar a[href$='/new/']")
    keys.go("main form button[type=submit]")
    case = Application.unscoped.get()
    visitor.picture(tmp_path / "task-list.png")
    keys.go(".task-list a")
    for section in SECTIONS:
        expect(page.get_by_role("heading", level=1)).to_have_text(str(section.title))
        for field in section.fields:
            if field.key in content:
                keys.fill(field.key, content[field.key])
        visitor.picture(tmp_path / f"{section.key}.png")
        keys.go(".sticky-bar .btn-primary")
    expect(page.get_by_role("heading", level=1)).to_have_text("申请材料")
    for number, kind in enumerate(REQUIRED_FILES):
        keys.hand_over(kind, pdf(tmp_path, f"{kind}.pdf"), key=["Enter", "Space"][number % 2])
    keys.hand_over("licence", pdf(tmp_path, "许可证副本.pdf"))  # replaces the first one
    visitor.picture(tmp_path / "files.png")
    keys.go("#licence .file-list button")
    expect(page.locator(".notice-success")).to_have_text("已移除：许可证副本.pdf")
    keys.on_the_button("licence")
    keys.hand_over("licence", written(tmp_path, "脚本.pdf", b"<script>"), refused=True)
    keys.tab_to("#licence [data-close]", back=True)
    page.keyboard.press("Enter")
    keys.on_the_button("licence")
    keys.hand_over("licence", pdf(tmp_path, "许可证.pdf"))
    keys.go(".intake .button-row .btn-primary")
    keys.press("[name=declaration]", "Space")
    visitor.picture(tmp_path / "check.png")
    keys.go(".sticky-bar button[type=submit]")
    expect(page.locator(".receipt-number strong")).to_have_text("SQ2019-44-00001")
    handed = ApplicationFile.unscoped.filter(application=case, replaced_at__isnull=True)
    names = {kind: f"{kind}.pdf" for kind in REQUIRED_FILES}
    assert dict(handed.values_list("kind", "name")) == names | {"licence": "许可证.pdf"}
    keys.go("a[href$='/progress/']")
    expect(page.locator(".step-current .step-label")).to_have_text("受理")
    visitor.picture(tmp_path / "progress.png")


def test_the_form_on_a_phone(provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path) -> None:
    case = builders.drafted(provider, contact_mobile="")
    visitor = sign_in(provider, **PHONE)
    page = visitor.page
    for name in ("form", "form/people", "form/technology", "check", "progress"):
        page.goto(f"/applications/{case.pk}/{name}/")
        visitor.picture(tmp_path / f"{name.replace('/', '-')}.png")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (name, wide) == (name, 390)
    page.goto(f"/applications/{case.pk}/form/people/")
    page.get_by_label("联系人手机*", exact=True).fill("13900000002")
    page.get_by_role("button", name="保存并继续").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("采集与比对技术")


@pytest.mark.slow
def test_a_crash_costs_no_more_than_ten_seconds(provider: Actor, sign_in: Callable[..., Visitor]) -> None:
    case = start_application(actor=provider)
    visitor = sign_in(provider)
    page = visitor.page
    page.goto(f"/applications/{case.pk}/form/protection/")
    page.get_by_label("到期删除方式").press_sequentially("到期删除", delay=50)
    saved(page)
    assert draft(case) == {"deletion": "到期删除"}
    page.context.close()
    other = sign_in(provider).page  # another device
    other.goto(f"/applications/{case.pk}/form/protection/")
    expect(other.get_by_label("到期删除方式")).to_have_value("到期删除")
    other.context.set_offline(True)
    other.get_by_label("图像存储地点").fill("示例机房")
    expect(other.locator("[data-state]")).to_have_text("未保存，正在重试", timeout=15_000)
    other.context.set_offline(False)
    saved(other)
    assert draft(case) == {"deletion": "到期删除", "storage_place": "示例机房"}


@pytest.mark.slow
def test_two_windows_ask_before_one_overwrites_the_other(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = start_application(actor=provider)
    visitor = sign_in(provider)
    one, two = visitor.page, visitor.page.context.new_page()
    for page in (one, two):
        page.goto(f"/applications/{case.pk}/form/protection/")
    one.get_by_label("到期删除方式").fill("甲")
    saved(one)
    two.get_by_label("图像存储地点").fill("示例机房")
    two.get_by_label("到期删除方式").fill("乙")
    choice = two.locator("[data-choice=deletion]")
    expect(choice.locator("strong")).to_have_text(["乙", "甲"], timeout=15_000)
    assert draft(case) == {"deletion": "甲", "storage_place": "示例机房"}
    expect(two.get_by_label("到期删除方式")).to_have_value("乙")
    two.screenshot(path=tmp_path / "clash.png")
    choice.get_by_label("本窗口所填").check()
    two.get_by_role("button", name="保存，稍后再填").click()
    expect(two.get_by_role("heading", level=1)).to_have_text("填写申请")
    assert draft(case)["deletion"] == "乙"
