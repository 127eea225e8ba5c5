"""Pictures of the portal: every page that a role can reach by links, at several widths, and an index of them.

Walks a demonstration as each of its people, through links only (nothing is submitted), and takes a picture of the
first page of every URL name. What is told as a fault: a page wider than its window, words on the console.
"""

from __future__ import annotations

import html
import importlib.util
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve
from PIL import Image

from pilot import help as texts
from pilot import policy
from pilot.demo.cast import PASSWORD

WIDTHS: Final = {1366: 768, 1920: 1080, 390: 844}
FIRST: Final = 1366  # of this width one picture of each page is kept with the sources
PEOPLE: Final = {
    "ministry_officer": "officer1",
    "ministry_approver": "approver1",
    "bureau_reviewer": "reviewer44",
    "bureau_lead": "lead44",
    "provider_admin": "provider01",
    "assessor": "assessor1",
    "system_admin": "sysadmin",
    "security_admin": "secadmin",
    "audit_admin": "auditor",
    "public": "",
}
STAGES: Final = ("closing", "intake", "review", "assessment", "running", "supervision")
"""The fullest world first; the others add the pages that only their part of the pilot has."""
AT_WORK: Final = {"application_review": "intake"}  # a page that later is only read
AT_STAGE: Final = {
    ("intake", "provider_admin"): "provider08",  # who has a draft half filled in
    ("supervision", "bureau_reviewer"): "reviewer11",  # who has an inspection under way
}
LEFT_OUT: Final = {"account_logout", "session_end", "help_topic"}
BROWSERS: Final = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
COLOURS: Final = 256  # fewer, and a number on red comes out brown
STARTS: Final = ("/", "/guide/", "/help/", "/tour/")


@dataclass(slots=True)
class Gallery:
    """What was taken and what was found wrong on the way."""

    folder: Path
    widths: tuple[int, ...] = (FIRST,)
    roles: tuple[str, ...] = tuple(PEOPLE)
    whole: bool = False  # pages to their end, not only the first screen
    taken: set[tuple[str, str]] = field(default_factory=set)  # role and URL name
    kept: set[str] = field(default_factory=set)  # URL names with a picture of this run beside the index
    faults: list[str] = field(default_factory=list)

    def keep(self, name: str, role: str, width: int, png: bytes) -> None:
        """Store a picture: at the first width that of the first role that may see the page beside the index."""
        file = self.folder / f"{name}.png"
        first = next(person for person in PEOPLE if _opens(name, person))
        if width != FIRST or (name in self.kept and role != first):
            file = self.folder / "all" / str(width) / role / f"{name}.png"
        else:
            self.kept.add(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        # nosemgrep: picture-of-any-kind  (our own browser's)
        picture = Image.open(BytesIO(png)).convert("RGB")
        few = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(file, optimize=True)


def _opens(name: str, role: str) -> bool:
    return policy.may_open(name, role if PEOPLE[role] else None)


def take(gallery: Gallery, url: str, *, stage: str = "", say: Callable[[str], None]) -> None:
    """Walk the demonstration at ``url`` and add what has no picture yet; then write ``index.html``."""
    from playwright.sync_api import sync_playwright  # a tool of the tests, not installed with the portal

    program = next(filter(None, map(shutil.which, BROWSERS)), None)  # else the one that Playwright installed
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--lang=zh-CN"],
            env=_environment(),
        )
        for role in gallery.roles:
            login = AT_STAGE.get((stage, role), PEOPLE[role])
            context = browser.new_context(
                base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce"
            )
            page = context.new_page()
            _listen(page, gallery, role)
            if login:
                _sign_in(page, login)
            count = _walk(page, gallery, role, stage)
            say(f"{stage} {role}: {count}")
            context.close()
        browser.close()
    (gallery.folder / "index.html").write_text(index(gallery.folder), encoding="utf-8")


def _environment() -> dict[str, str | float | bool]:
    """Where Chromium speaks Chinese and finds the portal's own Chinese fonts: the same pictures on every machine."""
    chinese: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": "zh_CN"}
    found = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    if found is None or found.origin is None:
        return chinese
    file = settings.VAR / "run" / "gallery-fonts.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{Path(found.origin).parent}</dir><cachedir>{settings.VAR}/run/fontcache</cachedir></fontconfig>",
        encoding="utf-8",
    )
    return chinese | {"FONTCONFIG_FILE": str(file)}


def _listen(page: Any, gallery: Gallery, role: str) -> None:
    def hear(message: Any) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            gallery.faults.append(f"{role} {urlsplit(page.url).path}: {message.text[:200]}")

    page.on("console", hear)


def _sign_in(page: Any, login: str) -> None:
    page.goto("/account/login/")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()


def name_of(path: str) -> str:
    """The URL name of a page worth a picture, else empty."""
    try:
        name = resolve(path).url_name or ""
    except Resolver404:
        return ""
    return name if name in texts.by_page() and name not in LEFT_OUT else ""


def _walk(page: Any, gallery: Gallery, role: str, stage: str) -> int:
    """Breadth first through the links of one person; how many pages were new."""
    waiting, met, seen = deque(STARTS), set(STARTS), set[str]()
    before = len(gallery.taken)
    while waiting:
        path = waiting.popleft()
        if path != "/" and name_of(urlsplit(path).path) in seen:
            continue
        answer = _open(page, path)
        name = name_of(urlsplit(page.url).path)
        if answer is None or not answer.ok or not name or name in seen:
            continue
        seen.add(name)
        links = list(_links(page))
        if (role, name) not in gallery.taken and stage in {"", AT_WORK.get(name, stage)}:
            for width in gallery.widths:
                _picture(page, gallery, name, role, width)
            gallery.taken.add((role, name))
        new = [link for link in links if link not in met and name_of(urlsplit(link).path) not in seen | {""}]
        met.update(new)
        waiting.extend(new)
    return len(gallery.taken) - before


def _open(page: Any, path: str) -> Any:
    """The answer to an address; None where it is a file to keep."""
    from playwright.sync_api import Error

    try:
        return page.goto(path)
    except Error as error:
        if "Download is starting" in str(error):
            return None
        raise


def _links(page: Any) -> Iterator[str]:
    here = urlsplit(page.url)
    for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
        parts = urlsplit(urldefrag(href).url)
        if parts.netloc == here.netloc:
            yield f"{parts.path}?{parts.query}" if parts.query else parts.path


def _picture(page: Any, gallery: Gallery, name: str, role: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    if page.locator("#explorer").count():
        page.locator(".opblock").first.wait_for()  # the explorer of the API fetches what it shows
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if over > 0:
        gallery.faults.append(f"{role} {name} at {width}: {over} px too wide")
    gallery.keep(name, role, width, page.screenshot(animations="disabled", full_page=gallery.whole))


def index(folder: Path) -> str:
    """One page with every picture that is kept with the sources, and which roles can open the page."""
    parts = [
        f'<figure><a href="{name}.png"><img src="{name}.png" width="455" loading="lazy" alt="{name}"></a>'
        f"<figcaption><b>{html.escape(texts.by_page()[name].title.zh)}</b> <code>{name}</code><br>"
        f"{', '.join(role for role in PEOPLE if _opens(name, role))}</figcaption></figure>"
        for name in sorted(path.stem for path in folder.glob("*.png"))
        if name in texts.by_page()
    ]
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<meta charset="utf-8">\n<title>页面图集</title>\n'
        "<style>body{font:14px sans-serif}figure{display:inline-block;width:455px;margin:8px;vertical-align:top}"
        "img{border:1px solid #ccc}</style>\n<h1>页面图集 / Gallery</h1>\n" + "\n".join(parts) + "\n</html>\n"
    )
