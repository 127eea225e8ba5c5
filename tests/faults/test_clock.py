"""The clock under a real server: stepped back by an hour, at the last millisecond, and seen from elsewhere (F07)."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser as Chromium

from applications.models import Application, ApplicationVersion
from pilot import clock, rules
from pilot.models import BusinessClock, TransitionRecord
from pilot.services import audit, audit_checks
from tests.applications import builders
from tests.factories import world
from tests.faults.web import HIDDEN, Browser, serving

MILLISECOND = timedelta(milliseconds=1)
BELL = world.moment("2019-04-16 00:00")
pytestmark = [pytest.mark.django_db(transaction=True)]


def library() -> Path:
    """libfaketime as its package brings it."""
    spec = importlib.util.find_spec("libfaketime")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


@pytest.fixture
def step(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """Set the server's clock so many seconds off; returns the environment in which a server follows."""
    file = tmp_path / "offset"

    def stepped(seconds: int) -> dict[str, str]:
        aside = file.with_suffix(".new")
        aside.write_text(f"{seconds:+d}")
        aside.replace(file)
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a step does not touch how long things take
        }

    return stepped


def open_page(browser: Browser, case: Application) -> Callable[[], int]:
    """Open the check page; what is returned clicks on 提交 there and tells the status."""
    path = reverse("application_check", args=[case.pk])
    fields = {**browser.hidden(path), "declaration": "on"}
    return lambda: browser.post(path, fields).status


@pytest.mark.slow
def test_a_clock_that_steps_back_by_an_hour_breaks_nothing(step: Callable[[int], dict[str, str]]) -> None:
    """What was done stays done and in its order, people stay signed in, and after the bell nobody gets in."""
    world.install()
    providers = [world.provider() for _ in range(3)]
    cases = [builders.drafted(provider) for provider in providers]
    world.at("2019-04-15 23:30")
    with serving(threads=4, **step(0)) as port:
        browsers = [Browser.of(provider, port) for provider in providers]
        first, second, third = map(open_page, browsers, cases)
        assert first() == 302
        step(-3600)
        assert second() == 302
        assert first() == 302  # again: to the receipt of the first time
        assert browsers[0].get(reverse("dashboard")).status == 200
        moments = list(
            TransitionRecord.objects.filter(machine="application", name="submit")
            .order_by("pk")
            .values_list("at", flat=True)
        )
        assert timedelta(minutes=55) < moments[0] - moments[1] < timedelta(minutes=60)
        world.at("2019-04-16 00:00:01")
        step(0)
        assert third() == 422
    assert sorted(ApplicationVersion.unscoped.values_list("application", "number")) == [
        (case.pk, 1) for case in cases[:2]
    ]
    numbers = Application.unscoped.order_by("pk").values_list("case_number", "state")
    assert list(numbers) == [
        ("SQ2019-44-00001", "submitted"),
        ("SQ2019-44-00002", "submitted"),
        ("", "draft"),
    ]
    while audit.seal():
        pass
    assert audit_checks.verify()["ok"] is True


@pytest.fixture(params=["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def machine_zone(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The time zone of the machine the server runs on."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.slow
def test_the_last_millisecond_is_in_and_the_next_is_not(machine_zone: str, settings: Any) -> None:
    """By the proxy's stamp, wherever the machine stands; the request itself comes to its turn after the bell."""
    world.install()
    settings.PILOT_ARRIVAL_HEADER = "X-Arrived"
    answers = []
    for seconds in (-0.001, 0.0):
        provider = world.provider()
        case = builders.drafted(provider)
        client, path = builders.client_of(provider), reverse("application_check", args=[case.pk])
        world.at("2019-04-15 23:59:58")
        fields = {**dict(HIDDEN.findall(client.get(path).content.decode())), "declaration": "on"}
        clock.set_business_time(BELL + timedelta(seconds=20))
        whole = clock.offset() // MILLISECOND * MILLISECOND  # a stamp has no more
        BusinessClock.objects.update(offset=whole)
        arrived = (clock.to_real(BELL) + timedelta(seconds=seconds)).timestamp()
        answers.append(client.post(path, fields, headers={"X-Arrived": f"t={arrived:.3f}"}).status_code)
        world.at("2019-04-12 09:00")
    assert answers == [302, 422]


@pytest.mark.slow
def test_a_browser_elsewhere_reads_the_same_times(browser: Chromium) -> None:
    """The page of a draft with its deadline, in UTC-8 and in Shanghai, word for word."""
    world.install()
    provider = world.provider()
    case = builders.submitted(provider)
    with serving(threads=4, TZ="UTC") as port:
        signed_in = Browser.of(provider, port)
        read = {}
        for zone in ("Asia/Shanghai", "America/Los_Angeles"):
            context = browser.new_context(timezone_id=zone)
            context.add_cookies(
                [
                    {"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}
                    for name, value in signed_in.cookies.items()
                ]
            )
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}{reverse('application_detail', args=[case.pk])}")
            assert page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == zone
            read[zone] = page.locator("main").inner_text()
            context.close()
    assert read["Asia/Shanghai"] == read["America/Los_Angeles"]
    assert "2019-04-12 09:0" in read["Asia/Shanghai"]


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2020, 2, 27), 2, date(2020, 3, 2)),  # 29 February is a Saturday
        (date(2024, 2, 28), 1, date(2024, 2, 29)),  # a Thursday, and worked
        (date(2028, 2, 28), 1, date(2028, 2, 29)),
        (date(2027, 2, 26), 1, date(2027, 3, 1)),  # no such day
    ],
)
def test_the_twenty_ninth_of_february_counts(start: date, days: int, last: date) -> None:
    assert rules.add_working_days(start, days, {}) == last
    assert rules.local_day(rules.end_of(last) - timedelta(microseconds=1)) == last
