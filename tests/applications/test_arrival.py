"""Time of arrival: windows are half-open to the millisecond, and what counts is when the request came."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import reverse

from applications.models import Application
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.middleware import arrival
from pilot.models import TransitionRecord
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

HEADER = "X-Request-Start"
NOW = datetime(2019, 4, 15, 16, 0, 0, 500_000, tzinfo=UTC)  # half a second past midnight in Shanghai
PAST = NOW - timedelta(seconds=1)


def stamp(moment: datetime) -> str:
    return f"t={moment.timestamp():.3f}"


@pytest.mark.parametrize(
    ("at", "late"), [("2019-04-01 00:00:00.000", False), ("2019-04-15 23:59:59.999", False)]
)
def test_first_and_last_millisecond_of_the_window(provider: Actor, at: str, late: bool) -> None:
    moment = world.moment(at)
    case = fire(builders.drafted(provider), "submit", actor=provider, at=moment, declaration=True)
    assert (case.submitted_at, case.late) == (moment, late)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2019-03-31 23:59:59.999", "申请阶段尚未开始"),
        ("2019-04-16 00:00:00.000", "申请阶段已结束，且没有批准的逾期准入"),
    ],
)
def test_a_millisecond_outside_the_window(provider: Actor, at: str, words: str) -> None:
    with pytest.raises(Refused, match=rf"^{words}$"):
        fire(builders.drafted(provider), "submit", actor=provider, at=world.moment(at), declaration=True)


@pytest.mark.parametrize(("milliseconds", "state"), [(-1, "submitted"), (0, "returned")])
def test_an_answer_is_in_time_to_the_millisecond(
    provider: Actor, bureau_reviewer: Actor, milliseconds: int, state: str
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    assert case.due_at is not None
    at = case.due_at + timedelta(milliseconds=milliseconds)
    if state == "returned":
        with pytest.raises(Refused, match=r"^补正期限已过$"):
            fire(case, "resubmit", actor=provider, at=at, declaration=True)
    else:
        fire(case, "resubmit", actor=provider, at=at, declaration=True)
    assert Application.unscoped.get(pk=case.pk).state == state


@pytest.mark.parametrize(
    ("header", "sent", "expected"),
    [
        ("", stamp(PAST), NOW),  # nobody vouches for the header
        (HEADER, stamp(PAST), PAST),
        (HEADER, stamp(NOW), NOW),
        (HEADER, stamp(NOW - timedelta(seconds=60)), NOW - timedelta(seconds=60)),
        (HEADER, stamp(NOW - timedelta(seconds=60.001)), NOW),
        (HEADER, stamp(NOW + timedelta(milliseconds=1)), NOW),  # ahead
        (HEADER, "", NOW),
        (HEADER, "1555344000.499", NOW),
        (HEADER, "t=1555344000", NOW),
        (HEADER, "t=nan", NOW),
        (HEADER, "t=99999999999.999", NOW),
    ],
)
def test_whose_stamp_is_believed(settings: Any, header: str, sent: str, expected: datetime) -> None:
    settings.PILOT_ARRIVAL_HEADER = header
    request = RequestFactory().post("/", headers={HEADER: sent})
    assert arrival(request, now=NOW) == expected


@pytest.mark.parametrize(("seconds_before", "state"), [(3, "submitted"), (0, "draft")])
def test_a_request_that_arrived_before_the_bell_counts_though_it_is_served_after(
    settings: Any, provider: Actor, seconds_before: int, state: str
) -> None:
    settings.PILOT_ARRIVAL_HEADER = HEADER
    case = builders.drafted(provider)
    client = builders.client_of(provider)
    world.at("2019-04-16 00:00:01")
    client.post(
        reverse("application_act", args=[case.pk, "submit"]),
        {"declaration": "on", "seen": "draft", "seen_step": "1"},
        headers={HEADER: f"t={time.time() - seconds_before:.3f}"},
    )
    case.refresh_from_db()
    assert case.state == state
    if state == "submitted":
        assert case.submitted_at < world.moment("2019-04-16 00:00")
        assert (case.late, case.submitted_at) == (False, TransitionRecord.objects.get(name="submit").at)


def test_an_act_is_never_dated_before_the_step_it_follows(
    settings: Any, provider: Actor, bureau_reviewer: Actor
) -> None:
    settings.PILOT_ARRIVAL_HEADER = HEADER
    case = builders.submitted(provider)
    builders.client_of(bureau_reviewer).post(
        reverse("application_act", args=[case.pk, "accept"]), headers={HEADER: f"t={time.time() - 50:.3f}"}
    )
    case.refresh_from_db()
    assert (case.state, case.accepted_at) == ("accepted", case.submitted_at)
    assert case.accepted_at <= clock.now()
