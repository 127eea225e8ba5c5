"""How fast pages are at 10,000 applications and a million forms: server time, queries, weight, first paint in Chromium.

Every page that one person of each role reaches by links alone, the first of each URL name, so every list and a case of
every machine, is asked for ``--runs`` times through Django's own handler in this process, against the real database.
Held to the goal is processor time, of this process and of its database session (which here computes alone, without
parallel helpers): what else the machine does is not in it, and the wall clock stands beside it. Then ten pages as
Chromium paints them, served by the web server, nothing in its cache (left out where Playwright is not installed).
"""

from __future__ import annotations

import html
import re
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string

from pilot import policy
from pilot.benchmarks import Goal, Report, browsers, first_paint, pages_world, percentile, processes
from pilot.models import Person
from pilot.registry import all_pages

GOALS: Final = {
    "worst_p95_ms": Goal(100, at_most=True),
    "application_list_p95_ms": Goal(100, at_most=True),
    "pages_missed": Goal(0, at_most=True),
    "lists_and_cases_not_reached": Goal(0, at_most=True),
    "first_paint_ms": Goal(1_000, at_most=True),
    "heaviest_kib": Goal(300, at_most=True),
}
PEOPLE: Final = (
    "officer1",
    "reviewer44",
    "unit",
    "provider01",
    "assessor1",
    "sysadmin",
    "secadmin",
    "auditor",
)
STARTS: Final = ("/dashboard/", "/guide/", "/help/", "/tour/")
# What changes something, and the pages on which one act of one case is confirmed.
LEFT_OUT: Final = re.compile(r"^(account_|mfa_|usersessions|session_end$|notice_read$)|_(act|task|create)$")
LINK: Final = re.compile(r'href="(/[^"#]*)')
KIB: Final = 1024


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--applications", type=int, default=10_000)
    parser.add_argument("--forms", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20, help="requests for each page")
    parser.add_argument("--no-paint", action="store_true", help="without Chromium")


def run(options: Mapping[str, Any]) -> Report:
    """Make the world, walk it as each person, ask for every page again and again, then let Chromium paint."""
    begun = time.monotonic()
    pages_world.fill(applications=options["applications"], forms=options["forms"])
    report = Report("pages", runs=options["runs"])
    report.figures = {
        "applications": options["applications"],
        "forms": options["forms"],
        "filled_in_s": round(time.monotonic() - begun),
    }
    places = measure(report, runs=options["runs"])
    if not options["no_paint"]:
        first_paint.measure(report, places)
    report.judge(GOALS)
    return report


def measure(report: Report, *, runs: int) -> dict[tuple[str, str], str]:
    """Ask for all pages and note the figures of each, and the worst. Returns where who found which page."""
    import_string(settings.WSGI_APPLICATION)  # loads and sets aside what a web process does
    with connection.cursor() as cursor:
        cursor.execute(
            "SET max_parallel_workers_per_gather = 0"
        )  # what helpers did would be counted by nobody
    found = [asked(page, runs) for login in PEOPLE for page in walk(login)]
    worst = max(found, key=lambda timed: timed.p95)
    lists = [timed.p95 for timed in found if timed.page.name == "application_list"]
    report.figures |= {
        "pages": len(found),
        "worst_p95_ms": worst.p95,
        "application_list_p95_ms": max(lists, default=0.0),
        "pages_missed": sum(not timed.is_met for timed in found),
        "lists_and_cases_not_reached": len(_missing({timed.page.name for timed in found})),
    }
    report.notes |= {timed.page.title: str(timed) for timed in found} | {"worst": worst.page.title}
    report.notes |= dict.fromkeys(_missing({timed.page.name for timed in found}), "not reached")
    return {(timed.page.login, timed.page.name): timed.page.path for timed in found}


def _missing(names: set[str]) -> list[str]:
    """Lists and cases of machines that nobody came to."""
    wanted = {f"{pages.slug}_{kind}" for pages in all_pages() for kind in ("list", "detail")}
    return sorted(wanted - names)


# --- the way through the portal ---------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Page:
    """A page as one person opens it."""

    login: str
    name: str
    path: str
    client: Client

    @property
    def title(self) -> str:
        return f"{self.name} @{self.login}"


def walk(login: str) -> Iterator[Page]:
    """Breadth first through the links of one person, from the first pages on: the first page of each URL name."""
    client = Client()
    client.force_login(Person.objects.get(username=login), backend=browsers.BACKEND)
    waiting, met, seen = deque(STARTS), set(STARTS), set[str]()
    while waiting:
        path = waiting.popleft()
        name = _name_of(path)
        if not name or name in seen:
            continue
        answer = client.get(path)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        seen.add(name)
        yield Page(login, name, path, client)
        links = [urlsplit(html.unescape(link)).path for link in LINK.findall(answer.content.decode())]
        waiting.extend(link for link in dict.fromkeys(links) if link not in met)
        met.update(links)


def _name_of(path: str) -> str:
    """The URL name of a page of the portal; empty for files, and for what is left out."""
    try:
        name = resolve(path).url_name or ""
    except Resolver404:
        return ""
    return name if name in policy.pages() and not LEFT_OUT.search(name) else ""


# --- the clock --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Timed:
    """What a page took: milliseconds of processor time and by the wall clock, queries and their milliseconds."""

    page: Page
    p50: float
    p95: float
    wall_p50: float
    wall_p95: float
    queries: int
    database: float
    size: int

    @property
    def is_met(self) -> bool:
        return GOALS["worst_p95_ms"].ratio(self.p95) <= 1

    def __str__(self) -> str:
        return (
            f"p50 {self.p50} p95 {self.p95} ms, wall {self.wall_p50} {self.wall_p95} ms, {self.queries} queries "
            f"{self.database} ms, {self.size // KIB} KiB: {'met' if self.is_met else 'MISSED'}"
        )


def asked(page: Page, runs: int) -> Timed:
    """Ask for a page so often; it has been opened before, so nothing is made for the first time."""
    with CaptureQueriesContext(connection) as caught:
        size = len(page.client.get(page.path).content)
        queries = list(caught.captured_queries)
    used, wall = list[float](), list[float]()
    for _ in range(runs):
        begun, before = time.perf_counter(), processes.spent()
        page.client.get(page.path)
        used.append(1_000 * (processes.spent() - before))
        wall.append(1_000 * (time.perf_counter() - begun))
    (p50, p95), (wall_p50, wall_p95) = (
        [round(percentile(values, share), 1) for share in (0.5, 0.95)] for values in (used, wall)
    )
    database = round(1_000 * sum(float(query["time"]) for query in queries), 1)
    timed = Timed(page, p50, p95, wall_p50, wall_p95, len(queries), database, size)
    sys.stderr.write(f"{page.title:44} {timed}\n")
    return timed
