"""Everybody hands in during the last minute before the window closes.

A real portal (``serve``: web, worker, beat) with drafts that are complete, every provider with the check page open.
The clicks come open-loop; every tenth provider clicks twice. Goals: none lost, none double, p95 within 1.5 s.
"""

from __future__ import annotations

import os
import random
import re
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Count
from django.urls import reverse

from applications.models import Application, ApplicationVersion
from applications.rules.completeness import REQUIRED_FILES
from applications.services.drafts import save_draft, start_application
from applications.services.files import add_file
from pilot import clock
from pilot.benchmarks import Goal, Report, browsers, percentile, traffic
from pilot.benchmarks.portal import served
from pilot.demo import world
from pilot.demo.cast import Applicant, Fate
from pilot.embedded import wait_until
from pilot.enums import OrganisationKind, Province, Role, WindowKind
from pilot.models import Document, Organisation, OutboxMessage, Programme
from pilot.selectors import people as people_selectors
from pilot.selectors import programmes
from pilot.services import programmes as programme_services

GOALS = {"lost": Goal(0, at_most=True), "double": Goal(0, at_most=True), "p95_ms": Goal(1500, at_most=True)}
EVE = world.moment("2019-04-15 22:00")
SPARE = timedelta(seconds=5)  # between the last click and the bell
CROWDED = 4  # every fourth provider is registered in one province, whose numbers then queue
TWICE = 10  # every tenth provider clicks twice,
AGAIN = 0.05  # so many seconds apart
OPEN_PAGES = 4  # at a time, beforehand
DRAINED = 900.0  # seconds the worker may take for papers and mails
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Browser:
    """One provider's browser with the check page of its application open."""

    case: int
    cookies: Mapping[str, str]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--providers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0, help="over which the clicks are spread")
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Build the world, let everybody click, count what came of it."""
    programme = _programme()
    cases = [_complete_draft(actor) for actor in _providers(programme, options["providers"])]
    connections.close_all()
    with served(settings.VAR) as address:
        opened = [_browser(case, address) for case in cases]
        clicks = _clicks(address, opened, seconds=options["seconds"], seed=options["seed"])
        _set_clock(programme, options["seconds"])
        load_before = os.getloadavg()[0]
        answers = traffic.send(address, clicks)
        load_after = os.getloadavg()[0]
        drained = _seconds_until(lambda: not _waiting())
        report = _report(cases, clicks, answers)
    report.figures |= {
        "receipts": Document.objects.filter(kind="receipt").count(),
        "receipts_after_s": round(drained, 1),
        "load_before": round(load_before, 2),
        "load_after": round(load_after, 2),
    }
    return report


# --- the world ----------------------------------------------------------------------------------------
def _programme() -> Programme:
    clock.set_business_time(EVE)
    programme = programme_services.install(code="2019-87", actor=world.SETUP)
    for bureau in Organisation.objects.filter(kind=OrganisationKind.BUREAU):
        for role in (Role.BUREAU_REVIEWER, Role.BUREAU_LEAD):
            browsers.person(f"{role}{bureau.province}", bureau, role)
    return programme


def _providers(programme: Programme, wanted: int) -> list[Any]:
    provinces = list(Province)
    actors = []
    for number in range(1, wanted + 1):
        province = Province.GUANGDONG if number % CROWDED == 0 else provinces[number % len(provinces)]
        code = Applicant(number=number, province=int(province), day=15, fate=Fate.UNIT).uscc
        organisation = Organisation.objects.create(
            kind=OrganisationKind.PROVIDER, name=f"示例赶考{number}有限公司", province=province, uscc=code
        )
        actors.append(browsers.person(f"p{number}", organisation, Role.PROVIDER_ADMIN).as_actor())
    return actors


def _complete_draft(actor: Any) -> Application:
    case = start_application(actor=actor)
    sample = Applicant(number=1, province=int(case.province), day=15, fate=Fate.UNIT)
    said = {**world.form_content(sample), "licence_holder": actor.organisation_name}
    save_draft(case=case, actor=actor, revision=0, **said)
    for kind in REQUIRED_FILES:
        add_file(case=case, actor=actor, kind=kind, upload=world.material(kind, str(kind.label)))
    return case


def _set_clock(programme: Programme, seconds: float) -> None:
    """The clicks end shortly before the bell."""
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    clock.set_business_time(closes - timedelta(seconds=seconds) - SPARE)


# --- the browsers -------------------------------------------------------------------------------------
def _browser(case: Application, address: str) -> Browser:
    """Somebody who signed in before."""
    person = people_selectors.providers(case.provider_id).get().person
    return Browser(case.pk, browsers.cookies(person, address))


def _clicks(address: str, opened: Sequence[Browser], *, seconds: float, seed: int) -> list[traffic.Click]:
    """Every browser's form as its check page holds it, at a random moment; some clicked twice."""
    dice = random.Random(seed)  # noqa: S311  (when somebody clicks is no secret)
    with ThreadPoolExecutor(max_workers=OPEN_PAGES) as pool:
        forms = list(pool.map(lambda browser: _form(address, browser), opened))
    clicks = []
    for number, browser, fields in zip(count(1), opened, forms, strict=False):
        due, path = dice.uniform(0, seconds), reverse("application_check", args=[browser.case])
        clicks.append(traffic.Click(due, path, browser.cookies, fields))
        if number % TWICE == 0:
            clicks.append(traffic.Click(due + AGAIN, path, browser.cookies, fields))
    return clicks


def _form(address: str, browser: Browser) -> dict[str, str]:
    path = reverse("application_check", args=[browser.case])
    status, _location, body = traffic.request(address, "GET", path, browser.cookies)
    fields = dict(HIDDEN.findall(body))
    if status != 200 or "seen" not in fields:
        raise RuntimeError(f"{path}: {status}, no form to hand in")
    token = next(value for name, value in browser.cookies.items() if "csrf" in name)
    return {**fields, "declaration": "on", "csrfmiddlewaretoken": token}


# --- what came of it ----------------------------------------------------------------------------------
def _report(
    cases: Sequence[Application], clicks: Sequence[traffic.Click], answers: Sequence[traffic.Answer]
) -> Report:
    rows = Application.unscoped.filter(pk__in=[case.pk for case in cases], state="submitted")
    numbers = list(rows.exclude(case_number="").values_list("case_number", flat=True))
    versions = ApplicationVersion.unscoped.values("application").annotate(n=Count("pk"))
    told = sum(1 for answer in answers if 200 <= answer.status < 400)
    seconds = [answer.seconds for answer in answers]
    report = Report("last_minute", runs=len(clicks))
    report.figures = {
        "providers": len(cases),
        "clicks": len(clicks),
        "answered": told,
        "refused": sum(1 for answer in answers if 400 <= answer.status < 500),
        "failed": sum(1 for answer in answers if answer.status == 0 or answer.status >= 500),
        "submitted": rows.count(),
        "lost": len(cases) - len(set(numbers)),
        "double": len(numbers) - len(set(numbers)) + sum(1 for row in versions if row["n"] > 1),
        "late": rows.filter(late=True).count(),
        "p50_ms": round(1000 * percentile(seconds, 0.5)),
        "p95_ms": round(1000 * percentile(seconds, 0.95)),
        "max_ms": round(1000 * max(seconds, default=0.0)),
    }
    report.judge(GOALS)
    return report


def _waiting() -> bool:
    """Whether papers or mails are still to be made."""
    receipts = Document.objects.filter(kind="receipt").count()
    unsent = OutboxMessage.objects.filter(sent_at__isnull=True, cancelled_at__isnull=True)
    return unsent.exists() or receipts < ApplicationVersion.unscoped.count()


def _seconds_until(condition: Callable[[], bool]) -> float:
    begun = clock.security_now()
    wait_until(condition, timeout=DRAINED, interval=0.5)
    return (clock.security_now() - begun).total_seconds()
