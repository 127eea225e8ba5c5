"""Every page, for every role that reaches it, in both languages: no barrier, nothing lost when enlarged or narrow.

Cases of every machine are built, and every role follows all its links; so each page stands on real objects. A page that
several roles see with the same markup is opened in a browser for the first of them in both languages, and for another
one in one language where its markup differs. That takes long, so it is asked for by ``PILOT_SURFACE=each``;
``PILOT_SURFACE=all`` opens every page for every role in both. Without it the pages before login and those of the audit
administrator are surveyed (``test_pages.py`` opens those of every machine, in either case).
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, ViewportSize
from pypdf import PdfReader

from assessment.selectors import lists as list_selectors
from assessment.services import lists
from pilot import policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.workflow import fire
from tests.browser import things
from tests.browser.surface import Stop, walk
from tests.browser.test_pages import GRAVE, LANGUAGES, TOO_WIDE, addresses
from tests.factories import cases, world
from tests.factories.cases import Cast
from tests.factories.viewers import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(7200)]
ASKED = os.environ.get("PILOT_SURFACE", "")
WHOLE = ASKED == "all"
DESKTOP = ViewportSize(width=1366, height=768)
# WCAG 1.4.10 asks for 320 px; 683 is the desktop at 200 % (1.4.4).
NARROW = (ViewportSize(width=320, height=640), ViewportSize(width=683, height=384))
AXE_CORE = Axe()
AXE = {"resultTypes": ["violations"]}
# The explorer of the API is another project's widget; the same stands on /api/docs/ without barriers.
FOREIGN = {"exclude": [["#explorer"]]}
COMPACT = re.compile(r"\s+")
PRINTED = re.compile(r"(?:业务|北京)时间\d{4}-\d\d-\d\d\d\d:\d\d:\d\d")
OFF_PAPER = ("退出登录", "跳到主要内容", "收起菜单", "大字", "复制")
# A bureau's report is sent while the world holds no other application; one list is open at a time and goes through all.
FIRST = ("provincial-report", "sent")
STATES = [FIRST, *((slug, "") for slug in cases.FIRST), *(one for one in cases.BY_ACTS if one != FIRST)]
# Links that lie on each other: the words of one cannot be read, and the other cannot be pressed.
COVERED = """() => {
  const range = document.createRange();
  const lines = [...document.querySelectorAll("main a")].flatMap((link) => {
    range.selectNodeContents(link);
    return [...range.getClientRects()].filter((box) => box.width && !link.closest("svg")).map((box) => [link, box]);
  });
  return lines.flatMap(([one, a], index) => lines.slice(index + 1).filter(([other, b]) => one !== other
    && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 8
  ).map(([other]) => `${one.textContent} / ${other.textContent}`)).slice(0, 3);
}"""
WITHIN = "2019-04-12 09:00"  # applications are open; the run phase moves on to July by itself


def barriers(page: Page, *rules: str, colours: bool = True) -> list[str]:
    """What axe finds that is serious, and by how much the page is wider than a narrow or enlarged screen.

    The size of targets (WCAG 2.2, 2.5.8) and ``rules`` are asked for, since axe leaves them out by itself. Without
    ``colours`` contrast is not measured, which takes most of the time.
    """
    found = []
    # A bar that stays covers whatever lies beneath until one rolls; 2.4.11 has tests of its own.
    page.evaluate(
        "document.querySelectorAll('.sticky-bar').forEach((bar) => { bar.style.position = 'static'; })"
    )
    chosen = dict.fromkeys(("target-size", *rules), True) | {"color-contrast": colours}
    options = {**AXE, "rules": {rule: {"enabled": on} for rule, on in chosen.items()}}
    for one in AXE_CORE.run(page, FOREIGN, options).response["violations"]:
        if one["impact"] in GRAVE:
            found.append(f"{one['id']} {[node['target'] for node in one['nodes'][:3]]}")
    if covered := page.evaluate(COVERED):
        found.append(f"links lie on each other: {covered}")
    for screen in NARROW:
        page.set_viewport_size(screen)
        if over := page.evaluate(TOO_WIDE):
            found.append(f"{over} px wider than {screen['width']}")
    page.set_viewport_size(DESKTOP)
    return found


def bare(words: str) -> str:
    """Words without spaces, and as a reader sees them: PDFs tell some characters apart that look the same."""
    return COMPACT.sub("", unicodedata.normalize("NFKC", words))


def on_paper(page: Page) -> list[str]:
    """What is wrong with the page of a case when printed: what and when on top, no menu, links can be read."""
    number = page.locator(".case-number code, h1").last.inner_text()  # of a case its number, else the title
    links = [words.strip() for words in page.locator(".case-body a:visible").all_inner_texts()]
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    texts = [bare(sheet.extract_text()) for sheet in sheets]
    first, whole = texts[0], "".join(texts)
    wanted = {bare(words) for words in (number, *links) if words}
    missing = sorted(words for words in wanted if words not in whole)
    wrong = [f"on paper without {missing}"] if missing else []
    if bare(number) not in first or not PRINTED.search(first):
        wrong.append("the first sheet tells no number or time")
    if any(words in whole for words in OFF_PAPER):
        wrong.append("menu or tools on paper")
    return wrong


class Survey:
    """What was opened, and what was found there."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.known: dict[str, set[str]] = {}  # role → names of pages
        self.names: set[str] = set()
        self.seen: set[tuple[str, str]] = set()
        self.turn = 0
        self.found: list[str] = []

    def follow(self, actor: Actor | None, starts: list[str]) -> None:
        """All pages one reader reaches from here that this role has not seen yet."""
        role = str(actor.role) if actor else "public"
        client = client_of(actor)
        for stop in walk(client, starts, self.known.setdefault(role, set())):
            for number, language in enumerate(self._languages(stop)):
                # Another language has the same colours.
                self._open(client, stop, language, role, colours=not number)

    def _languages(self, stop: Stop) -> list[str]:
        if WHOLE:
            return [*LANGUAGES]
        if stop.name not in self.names:
            self.names.add(stop.name)
            self.seen.add((stop.name, stop.skeleton))
            return [*LANGUAGES]
        if (stop.name, stop.skeleton) in self.seen:
            return []
        self.seen.add((stop.name, stop.skeleton))
        self.turn += 1
        return [[*LANGUAGES][self.turn % 2]]

    def _open(self, client: Client, stop: Stop, language: str, role: str, *, colours: bool) -> None:
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if session := client.cookies.get(settings.SESSION_COOKIE_NAME):
            cookies[settings.SESSION_COOKIE_NAME] = session.value
        context = self.page.context
        context.clear_cookies()
        context.add_cookies([{"name": k, "value": v, "url": self.base} for k, v in cookies.items()])
        response = self.page.goto(stop.address)
        assert response is not None
        wrong = (
            barriers(self.page, colours=colours) if response.status == 200 else [f"answers {response.status}"]
        )
        if language == "zh-hans" and stop.name.split(" ")[0].endswith("_detail"):
            wrong += on_paper(self.page)
        if self.page.locator("html").get_attribute("lang") != LANGUAGES[language]:
            wrong.append(f"not in {language}")
        self.found += [f"{stop.name} {stop.address} ({role}, {language}): {what}" for what in wrong]


def readers(cast: Cast) -> Iterator[Actor]:
    yield from (cast.provider, cast.reviewer, cast.lead, cast.officer, cast.approver)
    yield from (cast.assessor, cast.system_admin, cast.security_admin)


def built() -> Iterator[tuple[Cast, Any]]:
    """A case of every machine in its first state and in those that acts reach, each with people of its own."""
    for slug, state in STATES:
        if state and slug == "approval-list":
            continue
        world.at(WITHIN)
        cast = Cast()
        case: Any = cases.build(slug, state, cast) if state else cases.FIRST[slug](cast)
        yield cast, case
        if slug == "approval-list":
            unready = {assessment.application_id for assessment in list_selectors.unconcluded(case)}
            for entry in list_selectors.entries(case).filter(application__in=unready):
                lists.leave_out(case=case, actor=cast.officer, entry=entry, reason="示例")
            for act, actor in (("prepare", cast.officer), ("approve", cast.approver)):
                case = fire(case, act, actor=actor)
                yield cast, case


def test_no_page_has_a_barrier(programme: Any, window: Callable[..., Page], live_server: Any) -> None:
    survey = Survey(window(), live_server.url)
    survey.follow(None, ["/guide/", *things.public()])
    survey.follow(world.ministry(Role.AUDIT_ADMIN), ["/"])
    if not ASKED:
        assert survey.found == []
        return
    for cast, case in built():
        for actor in readers(cast):
            survey.follow(actor, [*addresses(case.slug(), case, actor), "/"])
    world.at(WITHIN)
    for reader, starts in things.of_their_own():
        survey.follow(reader, starts)
    reached = {name.split(" ")[0] for names in survey.known.values() for name in names}
    wanted = {name for name in policy.pages() if name.endswith(("_list", "_detail", "_create"))}
    assert (survey.found, sorted(wanted - reached)) == ([], [])
