"""How fast forms come in by request: batches of 1,000 and single forms through the real web server, one client.

The portal runs as ``serve`` runs it; the client keeps its connection. The file path takes the same rows in the same
run. "Per core" is per second of processor time of all who take part: web server or loading process, and database.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections

from pilot import clock
from pilot.benchmarks import Goal, Report, percentile, processes
from pilot.benchmarks.forms_world import enrol, install, load, make_lines
from pilot.benchmarks.portal import served
from pilot.demo import world
from pilot.embedded import Layout
from pilot.enums import ApiMode, ApiScope, Role
from pilot.models import Membership, Person, PilotUnit, Programme
from pilot.services import api_keys
from pilot.supervisor import Claim

BATCH: Final = 1_000
WARMED_BY: Final = 20  # single forms, so that every thread of every process has answered
PATIENCE: Final = 120.0  # seconds for one answer
NO_LIMIT: Final = "1000000000"
GOALS: Final = {
    "api_of_file_per_core": Goal(0.3),
    "batch_p95_ms": Goal(150, at_most=True),
    "single_p95_ms": Goal(25, at_most=True),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=30_000, help="sent in batches of 1,000")
    parser.add_argument("--singles", type=int, default=300, help="forms sent one by one")
    parser.add_argument("--runs", type=int, default=3, help="of the file path, over the same rows")
    parser.add_argument("--error-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Send everything in batches, then one by one, then take the same rows as files."""
    programme = install()
    unit = enrol(programme)
    secret = new_key(unit)
    rates = {"error_rate": options["error_rate"]}
    lines = make_lines(options["rows"], seed=options["seed"], **rates)
    singles = make_lines(options["singles"] + WARMED_BY, seed=options["seed"] + 1, **rates)
    connections.close_all()
    os.environ["PILOT_API_RATE"] = NO_LIMIT
    with served(settings.VAR) as address:
        client = Client(address, secret)
        for line in singles[:WARMED_BY]:
            client.send([line])
        batch = _sent(client, [list(rows) for rows in batched(lines, BATCH)])
        single = _sent(client, [[line] for line in singles[WARMED_BY:]])
    file = _files(programme, b"\n".join(lines), len(lines), options["runs"])
    report = Report("api", runs=options["runs"])
    report.figures = {
        **batch.figures("batch", len(lines)),
        **single.figures("single", len(singles) - WARMED_BY),
        **file,
        "api_of_file_per_core": round(len(lines) / sum(batch.cpu) / file["file_rows_cpu_s"], 3),
    }
    report.judge(GOALS)
    return report


@dataclass(slots=True)
class Sent:
    """Seconds of every request, and processor seconds of web server and database for all of them."""

    seconds: list[float] = field(default_factory=list)
    cpu: tuple[float, float] = (0.0, 0.0)

    def figures(self, name: str, rows: int) -> dict[str, float]:
        """In milliseconds a request and rows a second."""
        requests = len(self.seconds)
        web, database = (1000 * part / requests for part in self.cpu)
        return {
            f"{name}_requests": requests,
            f"{name}_rows_s": round(rows / sum(self.seconds)),
            f"{name}_p50_ms": round(1000 * percentile(self.seconds, 0.5), 1),
            f"{name}_p95_ms": round(1000 * percentile(self.seconds, 0.95), 1),
            f"{name}_web_cpu_ms": round(web, 2),
            f"{name}_database_cpu_ms": round(database, 2),
        }


class Client:
    """One unit's system with one connection that it keeps."""

    def __init__(self, address: str, secret: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
        self._secret = secret
        self._serial = 0

    def send(self, lines: Sequence[bytes]) -> None:
        """Hand in forms as NDJSON. Raises RuntimeError unless every row was answered and none was a repeat."""
        self._serial += 1
        headers = {
            "Authorization": f"Bearer {self._secret}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": f"bench-{self._serial}",
        }
        self._connection.request("POST", "/api/v1/forms/", b"\n".join(lines), headers)
        response = self._connection.getresponse()
        told = json.loads(response.read())
        if response.status != 200 or (told["rows"], told["duplicates"]) != (len(lines), 0):
            raise RuntimeError(f"{response.status} {told}")


def _sent(client: Client, batches: Sequence[Sequence[bytes]]) -> Sent:
    sent = Sent()
    before = _cpu()
    for lines in batches:
        begun = time.perf_counter()
        client.send(lines)
        sent.seconds.append(time.perf_counter() - begun)
    web, database = (after - earlier for after, earlier in zip(_cpu(), before, strict=True))
    sent.cpu = web, database
    return sent


def _cpu() -> tuple[float, float]:
    """Processor seconds so far of web server and database."""
    supervisor = int(Claim(Layout.of(settings.VAR)).read()["pid"])
    web = processes.children(supervisor, named="gunicorn")
    return processes.cpu_seconds(web), processes.cpu_seconds([processes.postmaster(settings.VAR)])


def _files(programme: Programme, content: bytes, rows: int, runs: int) -> dict[str, float]:
    """The same rows as files, each of a unit of its own: rows a second, by the clock and by processor time."""
    seconds, used = [], []
    for unit in [enrol(programme) for _ in range(runs)]:
        begun, before = time.perf_counter(), _own_cpu()
        load(unit, content, "ndjson")
        seconds.append(time.perf_counter() - begun)
        used.append(_own_cpu() - before)
    return {
        "file_rows_s": round(rows / statistics.median(seconds)),
        "file_rows_cpu_s": round(rows / statistics.median(used)),
    }


def _own_cpu() -> float:
    return time.process_time() + processes.cpu_seconds([processes.postmaster(settings.VAR)])


def new_key(unit: PilotUnit) -> str:
    """A live key, issued by an administrator of the unit."""
    person = Person.objects.create_user("bench", None, name="示例", email="bench@example.cn")
    member = Membership.objects.create(
        person=person, organisation=unit.organisation, role=Role.PROVIDER_ADMIN, valid_from=world.SINCE
    )
    issued = api_keys.issue(
        actor=member.as_actor(),
        unit=unit,
        name="bench",
        mode=ApiMode.LIVE,
        scopes=list(ApiScope.values),
        expires_at=clock.security_now() + timedelta(days=1),
    )
    return issued.secret
