"""Open-loop load: requests leave at their times, whether or not earlier ones have been answered."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

PATIENCE = 60.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Click:
    """A form sent ``due`` seconds after the start, with the cookies of one browser."""

    due: float
    path: str
    cookies: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status (0: nothing did), where it led, and after how many seconds since the click was due."""

    status: int
    location: str
    seconds: float


def send(address: str, clicks: Sequence[Click]) -> list[Answer]:
    """Send every click at its time; the answers in the order of the clicks.

    Counted from when a click was due, a stalled server shows in every click that had to wait for it.
    """
    start = time.monotonic() + 0.5
    with ThreadPoolExecutor(max_workers=max(1, len(clicks))) as pool:
        return list(pool.map(lambda click: _send(address, click, start + click.due), clicks))


def _send(address: str, click: Click, at: float) -> Answer:
    time.sleep(max(0.0, at - time.monotonic()))
    status, location = 0, ""
    with contextlib.suppress(OSError, http.client.HTTPException):
        status, location, _body = request(address, "POST", click.path, click.cookies, click.fields)
    return Answer(status, location, time.monotonic() - at)


def request(
    address: str, method: str, path: str, cookies: Mapping[str, str], fields: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """One request on a connection of its own: status, ``Location`` and body."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    try:
        connection.request(method, path, urlencode(fields) if fields else None, headers)
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
        return response.status, response.headers.get("Location", ""), body
    finally:
        connection.close()
