"""Playing the script up to a stage: same services, same order, business time set to each event's moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Count
from tqdm import tqdm

from applications.services import deadlines as application_deadlines
from filings.services import alerts
from filings.services import deadlines as filing_deadlines
from pilot import clock, embedded
from pilot.demo import script, script_more, script_run, world
from pilot.demo.cast import PASSWORD
from pilot.errors import Refused
from pilot.machines import MACHINES
from pilot.models import BusinessClock, Document, Person, Programme
from pilot.rules import local_day
from pilot.selectors import programmes
from pilot.services import audit, audit_heads, outbox
from pilot.services import programmes as programme_services

STAGES = {
    "intake": world.moment("2019-04-12 09:00"),
    "review": world.moment("2019-04-24 09:00"),
    "assessment": world.moment("2019-05-10 09:00"),
    "running": world.moment("2019-07-01 09:00"),
    "supervision": world.moment("2019-10-15 09:00"),
    "closing": world.moment("2020-01-10 09:00"),
}
BEGINNING = world.moment("2019-04-01 00:00")
PROGRAMME = "2019-87"
LOGINS = {
    "企业（1001 号试点单位）": "provider01",
    "企业（其他申请单位）": "provider02 … provider44",
    "省局审核员（北京、广东……）": "reviewer11, reviewer44 …",
    "省局负责人（北京、广东……）": "lead11, lead44 …",
    "部经办": "officer1, officer2",
    "部审批": "approver1, approver2",
    "评估员": "assessor1 … assessor6",
    "系统、安全、审计管理员": "sysadmin, secadmin, auditor",
}


def build(stage: str, *, forms: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Make the world stand at ``stage``; one that already does stays as it is. Returns the summary.

    A world left half-built by an interrupted run, or one that is past the stage, is made anew. Raises
    :class:`Refused` in a database that holds real data.
    """
    begun = time.monotonic()
    _refuse_real_data()
    standing = BusinessClock.objects.filter(pk=1).first()
    if standing is not None and (not standing.stage or STAGES[standing.stage] > STAGES[stage]):
        say("重建演示环境 / making the demonstration anew")
        _empty()
        standing = None
    if standing is None or standing.stage != stage:
        start = STAGES[standing.stage] if standing else BEGINNING
        if standing is None:
            _begin()
        BusinessClock.objects.update(stage="")
        _play(start, STAGES[stage], forms=forms, say=say)
        clock.set_business_time(STAGES[stage])
        BusinessClock.objects.update(stage=stage)
    while audit.seal():
        pass
    audit_heads.sign()
    return summary(stage, seconds=time.monotonic() - begun)


def _refuse_real_data() -> None:
    if not clock.is_demo() and (Programme.objects.exists() or Person.objects.exists()):
        raise Refused("本数据库保存有正式数据，不能用于演示 / this database holds real data")


def _begin() -> None:
    clock.set_business_time(BEGINNING)
    programme_services.install(code=PROGRAMME, actor=world.SETUP)
    world.add_people()


def _empty() -> None:
    """Drop the demonstration's tables and make them again; only ever reached in a demonstration database."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    connections.close_all()
    call_command("migrate", interactive=False, verbosity=0)


def _play(start: datetime, end: datetime, *, forms: int, say: Callable[[str], None]) -> None:
    todo = sorted(
        (
            event
            for event in (*script.events(), *script_run.events(forms), *script_more.events(forms))
            if start <= event.at < end
        ),
        key=lambda event: event.at,
    )
    with _worker() if any(e.at >= script_run.FIRST_UPLOAD for e in todo) else _nothing():
        for month, of_month in groupby(todo, key=lambda e: e.at.strftime("%Y-%m")):
            _play_month(month, list(of_month))
        _pass_day(end)


def _play_month(month: str, events: list[script.Event]) -> None:
    day: date | None = None
    for event in tqdm(events, desc=month, unit="件", leave=True, file=sys.stderr):
        if local_day(event.at) != day:
            day = local_day(event.at)
            _pass_day(event.at.replace(hour=0, minute=10))
        clock.set_business_time(event.at)
        event.run()


def _pass_day(at: datetime) -> None:
    """What the timetable does every day: clocks that ran out, alerts opened and cleared."""
    clock.set_business_time(at)
    application_deadlines.pass_deadlines()
    filing_deadlines.pass_deadlines()
    alerts.review()
    outbox.relay()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _worker() -> Iterator[None]:
    """A running Celery worker, as in production."""
    connections.close_all()
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "pilot",
        "worker",
        "--concurrency",
        "2",
        "--loglevel",
        "ERROR",
    ]
    worker = subprocess.Popen(  # noqa: S603
        command,
        stdout=subprocess.DEVNULL,
        preexec_fn=embedded.die_with_parent(signal.SIGTERM),
    )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def counts() -> dict[str, dict[str, int]]:
    """How many cases every machine has in every state."""
    return {
        slug: {
            row["state"]: row["n"]
            for row in model.unscoped.values("state").annotate(n=Count("pk")).order_by("state")
        }
        for slug, model in MACHINES.items()
    }


def summary(stage: str, *, seconds: float) -> dict[str, Any]:
    """What ``demo --no-serve`` prints (design.md, section 6)."""
    return {
        "stage": stage,
        "programme": programmes.current().number,
        "counts": counts(),
        "documents": Document.objects.count(),
        "logins": {**LOGINS, "密码": PASSWORD},
        "seconds": round(seconds, 1),
    }
