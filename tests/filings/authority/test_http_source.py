"""Asking an authority over HTTP: real sockets, and every fault such a service has."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from django.core.checks import run_checks
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from filings.models import AuthorityCircuit
from filings.services import authority_sources
from filings.services.authority_sources import UNAVAILABLE, Answer, Query, Verdict, http
from filings.services.authority_sources.base import FIELDS
from filings.services.authority_sources.circuit import Circuit
from pilot import clock, outward
from pilot.errors import NotReady, Refused
from tests.filings.authority.conftest import KEY
from tests.filings.authority.server import Authority

pytestmark = pytest.mark.django_db

DAY = date(2019, 6, 18)
KNOWN = (1, "91440000MA0000001X", "示例科技有限公司")
OTHER = (2, "440101199001010011", "示例甲")
ASKED = [
    Query(*KNOWN, DAY),
    Query(1, KNOWN[1], "示例贸易有限公司", DAY),
    Query(7, OTHER[1], OTHER[2], DAY),
    Query(2, "440101199102020022", "示例丙", DAY),
]
TOLD = [
    Answer(Verdict.MATCH),
    Answer(Verdict.MISMATCH, ("name",)),
    Answer(Verdict.MISMATCH, ("cert_type",)),
    Answer(Verdict.NO_RECORD),
]


def lookup(authority: Authority, *faults: Any) -> list[Answer]:
    authority.know(KNOWN, OTHER)
    authority.faults += faults
    return authority_sources.configured().lookup(ASKED)


@pytest.mark.parametrize("order", ["", "reversed", "chunked"])
def test_answers_are_taken_by_their_id(authority: Any, order: str) -> None:
    assert lookup(authority, order) == TOLD
    assert (len(authority.asked), authority.waits) == (1, [])
    assert authority.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("fault", [500, 503, 429, "broken", "reset", "cut", "huge", "strange", "unavailable"])
def test_a_fault_is_repeated_and_forgotten(authority: Any, fault: Any) -> None:
    assert lookup(authority, fault) == TOLD
    assert (len(authority.asked), authority.waits) == (2, [0.5])
    assert AuthorityCircuit.objects.get().failures == 0


@pytest.mark.parametrize("fault", ["silent", "drip"])
def test_what_takes_too_long_ends_in_time(authority: Any, settings: Any, fault: str) -> None:
    settings.PILOT_AUTHORITY_SECONDS = 0.3
    assert lookup(authority, fault) == TOLD
    assert len(authority.asked) == 2


@pytest.mark.parametrize(("fault", "again"), [("half", [2, 3]), ("twice", [0])])
def test_of_half_an_answer_only_the_rest_is_asked_again(authority: Any, fault: str, again: list[int]) -> None:
    assert lookup(authority, fault) == TOLD
    assert [[query["id"] for query in asked] for asked in authority.asked] == [[0, 1, 2, 3], again]


@pytest.mark.parametrize(("faults", "requests", "waits"), [([401], 1, []), ([500] * 9, 3, [0.5, 1.0])])
def test_after_that_there_is_no_answer(
    authority: Any, faults: list[int], requests: int, waits: list[float]
) -> None:
    assert lookup(authority, *faults) == [UNAVAILABLE] * 4
    assert (len(authority.asked), authority.waits) == (requests, waits)


def test_batches_hold_as_many_as_set_and_one_that_fails_spoils_no_other(
    authority: Any, settings: Any
) -> None:
    settings.PILOT_AUTHORITY_BATCH = 3
    assert lookup(authority, 404) == [UNAVAILABLE] * 3 + TOLD[3:]
    assert [len(asked) for asked in authority.asked] == [3, 1]


def test_the_circuit_opens_for_everybody_and_lets_one_probe_pass(authority: Any, settings: Any) -> None:
    settings.PILOT_AUTHORITY_BATCH = 1
    assert lookup(authority, *[500] * 9) == [UNAVAILABLE] * 4
    assert len(authority.asked) == 5  # then nobody asks
    assert authority_sources.configured().lookup(ASKED) == [UNAVAILABLE] * 4
    assert len(authority.asked) == 5
    AuthorityCircuit.objects.update(open_until=clock.security_now())
    assert [Circuit("http").lets_pass() for _n in range(3)] == [True, False, False]
    authority.faults.clear()
    AuthorityCircuit.objects.update(open_until=clock.security_now())
    assert authority_sources.configured().lookup(ASKED) == TOLD
    assert AuthorityCircuit.objects.values_list("failures", "open_until").get() == (0, None)


def test_a_failed_probe_opens_the_circuit_again(authority: Any) -> None:
    AuthorityCircuit.objects.create(name="http", failures=5, open_until=clock.security_now())
    assert lookup(authority, 500) == [UNAVAILABLE] * 4
    assert len(authority.asked) == 1
    until = AuthorityCircuit.objects.get().open_until
    assert until is not None
    assert until > clock.security_now() + timedelta(seconds=50)


def test_neither_secret_nor_person_is_logged_or_shown(
    authority: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        lookup(authority, "broken", "reset", 500)
    assert caplog.messages == [
        "authority source did not answer: nothing of it could be read",
        "authority source did not answer: connection",
        "authority source did not answer: status 500",
    ]
    shown = repr(authority_sources.configured()) + repr(ASKED)
    assert [word for word in (KEY, *KNOWN[1:], *OTHER[1:]) if word in shown + caplog.text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCE", "database"),
        ("URL", ""),
        ("URL", "http://authority.example.cn/lookup"),
        ("URL", "https://10.0.0.8/lookup"),
        ("KEY", "two\r\nlines"),
        ("KEY", ""),
    ],
)
def test_settings_that_cannot_work_are_told_at_the_start(
    authority: Any, settings: Any, name: str, value: str
) -> None:
    settings.PILOT_WEBHOOK_LOOPBACK = False
    settings.PILOT_AUTHORITY_URL = "https://authority.example.cn/lookup"
    assert authority_sources.configured().name == "http"
    setattr(settings, f"PILOT_AUTHORITY_{name}", value)
    with pytest.raises(NotReady):
        authority_sources.configured()
    assert "filings.E003" in [message.id for message in run_checks(tags=["security"])]


def test_a_private_network_is_open_to_the_settings_alone() -> None:
    assert outward.target("https://10.0.0.8:9443/lookup", inside=True).inside is True
    for url in ("https://169.254.169.254/", "https://100.64.0.1/", "https://127.0.0.1/"):
        with pytest.raises(Refused):
            outward.target(url, inside=True)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.sampled_from(["match", "mismatch", "name", "id"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "result", "differing"]), inner)
    ),
)
answer = st.fixed_dictionaries(
    {"id": st.integers(-1, 5), "result": st.sampled_from([*Verdict, "perhaps"])},
    optional={"differing": st.lists(st.sampled_from([*FIELDS, "address"]))},
)


@effort(max_examples=40)
@given(st.lists(answer | anything, max_size=8))
def test_only_sound_answers_to_what_was_asked_are_read(answers: list[Any]) -> None:
    found = http._read(msgspec.json.encode({"answers": answers}), dict.fromkeys(range(3), ASKED[0]))
    assert found.keys() <= {0, 1, 2}
    for number, one in found.items():
        assert one.verdict != Verdict.UNAVAILABLE
        assert bool(one.differing) == (one.verdict == Verdict.MISMATCH)
        said = [
            a for a in answers if isinstance(a, dict) and a.get("id") is not True and a.get("id") == number
        ]
        assert {a["result"] for a in said} == {one.verdict}
