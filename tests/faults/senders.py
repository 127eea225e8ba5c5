"""Senders under an outage: they hand in files and keep a journal of what was acknowledged, which no crash touches."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from pilot.benchmarks import percentile
from tests.faults import own_servers as own

ROWS = 3
SENDERS = 32
FORMS_KEY = "outage"
PAUSE = Event()  # never set: for a wait between two tries


@dataclass
class Journal:
    """What the senders saw, whatever the portal remembers: every answer, and how long each first one took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    without_retry_after: int = 0
    lock: Any = field(default_factory=Lock)

    def note(self, number: int, status: int, seconds: float, again: str | None) -> None:
        with self.lock:
            self.statuses[status] += 1
            self.seconds.append(seconds)
            if status == 202:
                self.acknowledged.append(number)
            if status == 503 and not again:
                self.without_retry_after += 1

    @property
    def p95(self) -> float:
        return round(percentile(self.seconds, 0.95), 3)


class Senders:
    """Hand in files of three forms, each under a key of its own, until it is acknowledged."""

    def __init__(self, port: int, first: int, count: int) -> None:
        self.port, self.first = port, first
        self.rows = own._forms(count * ROWS, seed=100 + first)
        self.journal, self.stop = Journal(), Event()

    def body(self, number: int) -> bytes:
        rows = self.rows[number * ROWS : (number + 1) * ROWS]
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    def send(self, number: int, due: float = 0.0) -> None:
        """Hand in one file at its time, unless it is time to stop, and again until it is acknowledged."""
        if self.stop.wait(max(0.0, due - time.monotonic())):
            return
        while True:
            began = time.monotonic()
            status, again = ask(self.port, "POST", "/api/v1/uploads/", self.body(number), self.key(number))
            self.journal.note(number, status, time.monotonic() - began, again)
            if status == 202:
                return
            PAUSE.wait(0.2)

    def key(self, number: int) -> str:
        return f"{FORMS_KEY}-{self.first}-{number}"

    def all_at(self, rate: float, count: int) -> None:
        """``rate`` a second, whether or not earlier ones were answered; returns when all are."""
        start = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(lambda number: self.send(number, start + number / rate), range(count)))

    def each_once(self) -> bool:
        """Whether what was acknowledged is there: every form once, every job ended once, every key answered once."""
        from filings.models import UploadJob, VerificationForm
        from pilot.models import IdempotentAnswer, TransitionRecord

        numbers = sorted(
            row["form_no"]
            for number in self.journal.acknowledged
            for row in self.rows[number * ROWS : (number + 1) * ROWS]
        )
        stored = sorted(
            VerificationForm.unscoped.filter(form_no__in=numbers).values_list("form_no", flat=True)
        )
        prefix = f"{FORMS_KEY}-{self.first}-"
        answers = IdempotentAnswer.objects.filter(key__startswith=prefix)
        jobs = {json.loads(bytes(answer.body))["id"] for answer in answers}
        ended = UploadJob.unscoped.filter(case_key__in=jobs).values_list("pk", flat=True)
        finished = TransitionRecord.objects.filter(
            machine="upload-job", name="finish", object_id__in=list(ended)
        )
        once = sorted(finished.values_list("object_id", flat=True)) == sorted(ended)
        return once and stored == numbers and len(jobs) == len(set(self.journal.acknowledged))


def ask(
    port: int, method: str, path: str, body: bytes | None = None, key: str = ""
) -> tuple[int, str | None]:
    """Status (0: nothing came) and ``Retry-After`` of one request on a connection of its own."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=own.PATIENCE)
    headers = {"Authorization": f"Bearer {own.SECRET.read_text()}", "Content-Type": "application/x-ndjson"}
    try:
        with contextlib.closing(line):
            line.request(method, path, body, headers | ({"Idempotency-Key": key} if key else {}))
            answer = line.getresponse()
            answer.read()
            return answer.status, answer.headers.get("Retry-After")
    except (OSError, http.client.HTTPException):
        return 0, None
