"""The whole surface of the portal for one reader: every page that he or she reaches by links, once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

LINK = re.compile(r'<a\b[^>]*?\shref="([^"#]+)')
# Texts, numbers and addresses: two pages that differ in nothing else are one page to axe.
WORDS = re.compile(
    r">[^<]+<|\s(?:href|value|title|datetime|action|aria-label|data-[\w-]+|d|x|y|points)=\"[^\"]*\""
)
NUMBERS = re.compile(r"\d+")
# What a file does not change by being read twice, and what would end the reader's own session.
ONE_SHAPE = {"help_topic", "api_problem", "material_sample"}  # one template over many texts
LEFT_ALONE = {"account_logout", "watermark", "application_page"}


@dataclass(frozen=True, slots=True)
class Stop:
    """A page of the surface: the URL's name (an act or task with its own), its address, its bare and whole markup."""

    name: str
    address: str
    skeleton: str
    markup: str


def skeleton(markup: str) -> str:
    """The markup of a page's own part without words and figures; rows and list items that repeat are one.

    Head and menu around it are the same on every page of a role.
    """
    own = markup.partition("<main")[2].partition("</main>")[0]
    bare = NUMBERS.sub("", WORDS.sub("><", own))
    lines = [line.strip() for line in bare.replace("><", ">\n<").splitlines()]
    kept: list[str] = []
    for line in filter(None, lines):
        if line not in kept[-40:]:
            kept.append(line)
    return "\n".join(kept)


def name_of(address: str) -> str:
    """The name of the URL, with the act, task or section that makes it a page of its own; empty for no page."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    if match.url_name in ONE_SHAPE:
        return match.url_name
    own = [str(match.kwargs[key]) for key in ("name", "section", "machine", "slug") if key in match.kwargs]
    return " ".join([match.url_name or "", *own])


def walk(client: Client, starts: Iterable[str], known: set[str]) -> Iterator[Stop]:
    """Follow links from these addresses; every name that is not known yet is one stop, and known from then on."""
    waiting, asked = list(starts), set()
    while waiting:
        address = waiting.pop(0).replace("&amp;", "&")
        name = name_of(address)
        if address in asked or not name or name in known or name in LEFT_ALONE:
            continue
        asked.add(address)
        response = client.get(address)
        if response.status_code in {301, 302}:
            waiting.append(response["Location"])
            continue
        known.add(name)
        if response.status_code != 200 or "text/html" not in response.get("Content-Type", ""):
            continue
        markup = response.content.decode()
        yield Stop(name, address, skeleton(markup), markup)
        waiting += [link for link in LINK.findall(markup) if link.startswith("/")]
        waiting += [f"{address.split('?')[0]}{link}" for link in LINK.findall(markup) if link.startswith("?")]
