"""One tongue per page: no English sentence on a Chinese page, no Chinese words of the portal's own on an English one.

The pages are those that every role reaches by links (``surface``), read in-process. The whole takes minutes, so it is
asked for by ``PILOT_TONGUES=all``; else the pages before login and those around one case of the first machine are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import polib
import pytest
from django.conf import settings
from django.utils import translation
from lxml import html

from pilot.actors import Actor
from pilot.enums import Role
from tests.browser import things
from tests.browser.surface import walk
from tests.browser.test_pages import addresses
from tests.browser.test_surface import WITHIN, built, readers
from tests.factories import world
from tests.factories.viewers import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(3600)]
WHOLE: Final = os.environ.get("PILOT_TONGUES") == "all"
SENTENCE: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[ ,;:.]+[A-Za-z][A-Za-z'’-]*){2,}")
CHINESE: Final = re.compile(r"[㐀-鿿]")
NO_PROSE: Final = re.compile(
    r"\w+://\S+|\S+@\S+|\S*[/_=<>{}]\S*|\S+\.\w+"
)  # addresses, paths, names of fields, files
SILENT: Final = {"script", "style", "code", "pre", "kbd", "samp", "textarea", "option"}
SPOKEN: Final = ("title", "aria-label", "placeholder", "alt", "data-confirm")
CATALOGUE: Final = Path(settings.BASE_DIR) / "pilot" / "locale" / "en" / "LC_MESSAGES" / "django.po"
# What stands on record is Chinese: reasons in the register, the frozen lines of a bulletin, the sources of help texts;
# and the samples of the UI kit, a page for those who build the portal.
ON_RECORD: Final = {
    "pilot-unit_detail": {"列入试点单位名单", "试点运行阶段结束"},
    "bulletin_detail bulletin": {"广东省"},
    "help_topic": {"附件"},
}
SAMPLES: Final = "ui_kit"


def texts(node: Any, other: str) -> Iterator[str]:
    """The texts a reader meets, without code, what people typed, and parts marked as the ``other`` tongue."""
    if not isinstance(node.tag, str) or node.tag in SILENT:
        return
    if (node.get("lang") or "").startswith(other):
        return
    yield from filter(None, [node.text, *map(node.get, SPOKEN)])
    for child in node:
        yield from texts(child, other)
        yield from filter(None, [child.tail])


def english(markup: str) -> list[str]:
    """Runs of three and more Latin words on a Chinese page."""
    found = []
    for text in texts(html.fromstring(markup), "en"):
        found += SENTENCE.findall(NO_PROSE.sub("#", text))
    return found


def chinese(markup: str, own: set[str]) -> list[str]:
    """Chinese texts of an English page that are the portal's ``own`` words: the whole of a text that has English."""
    return [
        text.strip()
        for text in texts(html.fromstring(markup), "zh")
        if CHINESE.search(text) and text.strip() in own
    ]


def own_words() -> set[str]:
    """Everything the portal says in Chinese and has English for."""
    return {entry.msgid for entry in polib.pofile(str(CATALOGUE)) if entry.msgstr != entry.msgid}


class Reading:
    """What was read and what was found there."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], set[str]] = {}
        self.own = own_words()
        self.found: set[str] = set()

    def follow(self, actor: Actor | None, starts: Iterable[str]) -> None:
        """All pages one reader reaches from here that this role has not read yet, in both languages."""
        role, beginning = str(actor.role) if actor else "public", list(starts)
        for language in ("zh-hans", "en"):
            client = client_of(actor)
            client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
            for stop in walk(client, beginning, self.known.setdefault((role, language), set())):
                if language != "en":
                    wrong = english(stop.markup)
                elif stop.name != SAMPLES:
                    wrong = chinese(stop.markup, self.own - ON_RECORD.get(stop.name, set()))
                else:
                    continue
                self.found |= {f"{stop.name} ({language}): {words}" for words in wrong}
        translation.activate(
            settings.LANGUAGE_CODE
        )  # what a request sets outlives it in the tests' own thread


def test_what_counts_as_foreign() -> None:
    assert english(
        '<p>核验单 M1 <b>This is wrong</b> <code>a b c</code></p><p lang="en">See it here</p>'
    ) == ["This is wrong"]
    assert english('<p title="Read it now">https://a.example/b c d form_no</p>') == ["Read it now"]
    assert chinese("<p><b> 受理 </b>示例公司</p>", {"受理"}) == ["受理"]


def test_a_page_speaks_one_tongue(programme: Any) -> None:
    reading = Reading()
    reading.follow(None, ["/guide/", *things.public()])
    reading.follow(world.ministry(Role.AUDIT_ADMIN), ["/"])
    for cast, case in built():
        for actor in readers(cast):
            reading.follow(actor, [*addresses(case.slug(), case, actor), "/"])
        if not WHOLE:
            break
    if WHOLE:
        world.at(WITHIN)
        for reader, starts in things.of_their_own():
            reading.follow(reader, starts)
    assert sum(map(len, reading.known.values())) > 100
    assert sorted(reading.found) == []
