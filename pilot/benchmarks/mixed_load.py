"""A mixed load for minutes: pages of providers and of the public, forms and files by key, 50 requests a second.

A real portal (``serve``: web, worker, beat). Requests leave at their times, whether or not earlier ones are answered;
at the end the rate rises for a while, as in the last hour before a deadline. The memory of the web processes is
compared between the end of the first tenth and the end of the even part.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections
from django.urls import reverse

from filings.models import UploadJob
from pilot import clock
from pilot.benchmarks import Goal, Report, browsers, percentile, processes
from pilot.benchmarks.api import NO_LIMIT, new_key
from pilot.benchmarks.forms_world import enrol, install, make_lines
from pilot.benchmarks.portal import served
from pilot.embedded import Layout, wait_until
from pilot.enums import Role
from pilot.models import Organisation
from pilot.supervisor import Claim

GOALS: Final = {
    "failed": Goal(0, at_most=True),
    "p95_ms": Goal(500, at_most=True),
    "memory_growth": Goal(0.1, at_most=True),
}
SENDERS: Final = 128
PATIENCE: Final = 60.0  # seconds for one answer
PEOPLE: Final = 10
ROWS_OF_FILE: Final = 20
PAGES: Final = ("dashboard", "upload-job_list", "notice_list", "my_account")
PUBLIC: Final = ("guide", "published_list", "account_login")
PATTERN: Final = ("page", "form", "public", "page", "page", "form", "public", "page", "file", "page")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to be sent."""

    kind: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status (0: nothing came) and seconds since the request was due."""

    kind: str
    status: int
    seconds: float

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 400


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument(
        "--burst-seconds", type=float, default=60.0, help="at the end, at five times the rate"
    )
    parser.add_argument("--burst", type=float, default=5.0, help="how many times the rate")


def run(options: Mapping[str, Any]) -> Report:
    """Warm up, hold the rate, raise it."""
    rate, seconds, burst = options["rate"], options["minutes"] * 60, options["burst_seconds"]
    even, raised = int(rate * seconds), int(rate * options["burst"] * burst)
    unit = enrol(install())
    secret = new_key(unit)
    admin = Organisation.objects.get(pk=unit.organisation_id)
    people = [browsers.person(f"load{n}", admin, Role.PROVIDER_OPERATOR).person for n in range(PEOPLE)]
    lines = make_lines(
        (even + raised) // 5 + (even + raised) // 10 * ROWS_OF_FILE + 100, seed=87, error_rate=0.02
    )
    os.environ["PILOT_API_RATE"] = NO_LIMIT
    with served(settings.VAR) as address:
        jars = [browsers.cookies(who, address) for who in people]
        connections.close_all()
        calls = _calls(secret, jars, lines)
        web = _web_processes()
        early = _send(address, calls, rate, even // 10)
        memory = processes.resident_mib(web)
        late = _send(address, calls, rate, even - even // 10)
        growth = processes.resident_mib(web) / memory - 1
        crowded = _send(address, calls, rate * options["burst"], raised)
        drained = _drain()
    report = Report("load", runs=even + raised, notes={"p95_ms_by_tenth": _by_tenth([*early, *late])})
    report.figures = {
        **_figures([*early, *late]),
        "memory_mib": memory,
        "memory_growth": round(growth, 3),
        "burst_failed": sum(not answer.is_good for answer in crowded),
        "burst_p95_ms": round(1000 * percentile([answer.seconds for answer in crowded], 0.95)),
        "jobs_drained_s": drained,
    }
    report.judge(GOALS)
    return report


def _calls(secret: str, jars: list[Mapping[str, str]], lines: list[bytes]) -> Iterator[Call]:
    """Requests without end, in the proportions of :data:`PATTERN`."""
    jar, page, public, line = cycle(jars), cycle(PAGES), cycle(PUBLIC), iter(lines)
    key = {"Authorization": f"Bearer {secret}"}
    for number, kind in enumerate(cycle(PATTERN)):
        sent = key | {"Idempotency-Key": f"load-{number}"}
        if kind == "page":
            cookies = "; ".join(f"{name}={value}" for name, value in next(jar).items())
            yield Call(kind, "GET", reverse(next(page)), {"Cookie": cookies})
        elif kind == "public":
            yield Call(kind, "GET", reverse(next(public)), {})
        elif kind == "form":
            yield Call(
                kind, "POST", "/api/v1/forms/", sent | {"Content-Type": "application/json"}, next(line)
            )
        else:
            rows = b"\n".join(next(line) for _ in range(ROWS_OF_FILE))
            yield Call(
                kind, "POST", "/api/v1/uploads/", sent | {"Content-Type": "application/x-ndjson"}, rows
            )


def _send(address: str, calls: Iterator[Call], rate: float, count: int) -> list[Answer]:
    """So many calls at this rate; returns when all are answered."""
    start, waiting = time.monotonic(), list[Future[Answer]]()
    with ThreadPoolExecutor(SENDERS) as pool:
        for number in range(count):
            due = start + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            waiting.append(pool.submit(_one, address, next(calls), due))
    return [future.result() for future in waiting]


def _one(address: str, call: Call, due: float) -> Answer:
    status = 0
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(line):
        line.request(call.method, call.path, call.body, dict(call.headers))
        answer = line.getresponse()
        answer.read()
        status = answer.status
    return Answer(call.kind, status, time.monotonic() - due)


def _figures(answers: list[Answer]) -> dict[str, float]:
    figures: dict[str, float] = {
        "requests": len(answers),
        "failed": sum(not answer.is_good for answer in answers),
        "p50_ms": round(1000 * percentile([answer.seconds for answer in answers], 0.5)),
        "p95_ms": round(1000 * percentile([answer.seconds for answer in answers], 0.95)),
    }
    for kind in dict.fromkeys(PATTERN):
        seconds = [answer.seconds for answer in answers if answer.kind == kind]
        figures[f"{kind}_p95_ms"] = round(1000 * percentile(seconds, 0.95))
    return figures


def _by_tenth(answers: list[Answer]) -> str:
    """The 95th percentile of each tenth of the time: tells a load that grows from one that stalls once."""
    size = max(1, len(answers) // 10)
    tenths = [answers[start : start + size] for start in range(0, size * 10, size)]
    return " ".join(
        str(round(1000 * percentile([answer.seconds for answer in tenth], 0.95))) for tenth in tenths if tenth
    )


def _web_processes() -> list[int]:
    serve = int(Claim(Layout.of(settings.VAR)).read()["pid"])
    (master,) = processes.children(serve, named="gunicorn")
    return processes.children(master, named="gunicorn")


def _drain() -> float:
    """Seconds until every file that was handed in is processed."""
    begun = clock.security_now()
    wait_until(
        lambda: not UploadJob.unscoped.filter(state__in=["received", "processing"]).exists(),
        timeout=900,
        interval=0.5,
    )
    return round((clock.security_now() - begun).total_seconds(), 1)
