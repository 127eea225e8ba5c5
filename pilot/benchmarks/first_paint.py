"""Ten key pages as Chromium first paints them, and what comes over the wire for each, its cache empty."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections
from django.urls import reverse

from pilot.benchmarks import Report, browsers, portal
from pilot.demo.gallery import BROWSERS
from pilot.models import Person

RUNS: Final = 3
KIB: Final = 1024
DESKTOP: Final = {"width": 1366, "height": 768}
KEY_PAGES: Final = (
    ("", "account_login"),
    ("", "guide"),
    ("officer1", "dashboard"),
    ("officer1", "application_list"),
    ("officer1", "application_detail"),
    ("officer1", "verification-form_list"),
    ("reviewer44", "dashboard"),
    ("reviewer44", "application_review"),
    ("unit", "dashboard"),
    ("unit", "upload-job_list"),
)
_PAINTED: Final = "() => performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)"


def measure(report: Report, places: Mapping[tuple[str, str], str]) -> None:
    """Note the median first paint and the weight of each page, the slowest and the heaviest.

    ``places``: login and URL name → path. Pages nobody found are left out.
    """
    try:
        from playwright.sync_api import sync_playwright  # a tool of the tests, not installed with the portal
    except ImportError:
        return
    program = next(filter(None, map(shutil.which, BROWSERS)), None)  # else the one that Playwright installed
    jars = {login: Person.objects.get(username=login) for login, _name in KEY_PAGES if login}
    paints, weights = list[float](), list[float]()
    with portal.web_alone(settings.VAR) as address:
        cookies = {login: browsers.cookies(person, address) for login, person in jars.items()}
        connections.close_all()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for login, name in KEY_PAGES:
                path = places.get((login, name)) if login else reverse(name)
                if path is None:
                    continue
                shown = [_shown(browser, address, path, cookies.get(login, {})) for _ in range(RUNS)]
                paint = round(statistics.median(milliseconds for milliseconds, _size in shown))
                weight = round(max(size for _milliseconds, size in shown) / KIB, 1)
                title = f"first paint of {name} @{login or 'public'}"
                report.notes[title] = f"{paint} ms, {weight} KiB"
                sys.stderr.write(f"{title}: {report.notes[title]}\n")
                paints.append(paint)
                weights.append(weight)
            browser.close()
    report.figures |= {"first_paint_ms": max(paints), "heaviest_kib": max(weights)}


def _shown(browser: Any, address: str, path: str, cookies: Mapping[str, str]) -> tuple[float, int]:
    """A page in a window that knows nothing yet: first contentful paint (ms), and bytes over the wire for all of it."""
    context = browser.new_context(base_url=address, viewport=DESKTOP, locale="zh-CN")
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page, sizes = context.new_page(), list[int]()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: sizes.append(int(told["encodedDataLength"])))
    answer = page.goto(path, wait_until="networkidle")
    if answer is None or answer.status != 200 or urlsplit(page.url).path != path:
        raise RuntimeError(f"{path}: {page.url}")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    (painted,) = page.evaluate(_PAINTED)
    context.close()
    return float(painted), sum(sizes)
