"""One person at the screen: what a hand does with the portal's pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

from pilot.actors import Actor
from pilot.models import Person
from tests.factories import world

type Fields = Mapping[str, Any]
PATIENCE = 60  # seconds a batch may take before the test says that the worker is stuck


class Visitor:
    """A person with a browser window of his or her own."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, actor: Actor) -> Visitor:
        """Through the login page, to the first page."""
        page = self.page
        page.goto("/")
        page.get_by_label("登录名").fill(Person.objects.get(pk=actor.person_id).username)
        page.get_by_label("密码").fill(world.PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page.locator(".actor-name")).to_have_text(actor.name)
        return self

    # --- finding the way ------------------------------------------------------------------------------
    def menu(self, label: str) -> None:
        """Open a list from the menu."""
        self.page.locator(f'#menu a[title="{label}"]').click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(label)

    def waiting(self, label: str, row: str) -> None:
        """From the first page over what waits for this person to one case."""
        self.page.goto("/")
        self.page.locator(".todo a", has_text=label).click()
        self.open(row)

    def open(self, row: str) -> None:
        """Open the case in whose row of the list this text stands."""
        rows = self.page.locator("#list tbody tr", has_text=row)
        rows.get_by_role("link").first.click()
        expect(self.page.locator(".case")).to_be_visible()

    # --- acting ---------------------------------------------------------------------------------------
    def begin(self, label: str, /, **fields: Any) -> None:
        """Begin a case with the button above a list."""
        self.page.locator(".toolbar").get_by_role("link", name=label).click()
        self.send(label, fields)

    def act(self, label: str, fields: Fields | None = None, *, done: str | None = None) -> None:
        """Choose an act of the case, fill in its form, send it, and read that it is done."""
        self.choose(label)
        self.send(label, fields or {})
        expect(self.page.locator(".notice-success")).to_have_text(done or f"已办理：{label}")

    def choose(self, label: str) -> None:
        """Open the form of an act."""
        self.page.locator(".action-buttons").get_by_role("link", name=label, exact=True).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(label)

    def send(self, label: str, fields: Fields) -> None:
        """Fill in the open form by its labels and send it."""
        self.fill(fields)
        self.page.locator("main form").get_by_role("button", name=label, exact=True).click()

    def fill(self, fields: Fields) -> None:
        """{label: text | True | [choices] | a file}."""
        for label, value in fields.items():
            self._fill_one(label, value)

    def _fill_one(self, label: str, value: Any) -> None:
        form = self.page.locator("main form")
        if isinstance(value, list):
            group = form.get_by_role("group", name=label)
            for choice in value:
                group.get_by_label(choice).check()
            return
        control = form.get_by_label(label, exact=True).or_(form.get_by_label(f"{label}*", exact=True))
        if value is True:
            control.check()
        elif isinstance(value, Path):
            control.set_input_files(value)
        elif control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(label=value)
        else:
            control.fill(str(value))

    # --- reading --------------------------------------------------------------------------------------
    @property
    def state(self) -> Locator:
        """The state of the case on the page."""
        return self.page.locator(".page-head .tag")

    def fact(self, label: str) -> Locator:
        """What a description list says under a label."""
        term = self.page.locator("dt").get_by_text(label, exact=True)
        return self.page.locator(".facts > div").filter(has=term).locator("dd")

    def row(self, text: str) -> list[str]:
        """The cells of the table row in which a text stands."""
        return self.page.locator("main tbody tr", has_text=text).first.locator("td").all_inner_texts()

    def refresh_until(self, locator: Locator, text: str) -> None:
        """Read the page again until a job in the background has done its work, as a waiting person does."""
        end = time.monotonic() + PATIENCE
        while locator.inner_text() != text and time.monotonic() < end:
            self.page.reload()
        expect(locator).to_have_text(text)

    def picture(self, file: Path) -> None:
        """A screenshot of what stands on the screen."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("window.scrollTo(0, 0)")
        try:
            self.page.screenshot(path=file, animations="disabled")
        except Error:  # Chromium on a busy machine sometimes has no frame to give; a picture proves nothing
            self.page.screenshot(path=file, animations="disabled")


class Story:
    """Several people, each with a window; and the pictures taken on the way."""

    def __init__(self, sign_in: Callable[..., Visitor], folder: Path, actors: Mapping[str, Actor]) -> None:
        self.sign_in = sign_in
        self.folder = folder
        self.actors = actors
        self.visitors: dict[str, Visitor] = {}

    def __call__(self, who: str) -> Visitor:
        """This person's window; signed in when first needed."""
        if who not in self.visitors:
            self.visitors[who] = self.sign_in(self.actors[who])
        return self.visitors[who]

    def picture(self, who: str, name: str) -> None:
        """What stands on this person's screen, as a file of that name."""
        self(who).picture(self.folder / f"{name}.png")
