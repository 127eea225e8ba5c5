"""``Idempotency-Key``: a request is done once, its answer given as often as asked; a failure is not kept."""

from __future__ import annotations

import json
from collections import Counter
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection

from filings.models import UploadJob, VerificationForm
from filings.services import submissions
from pilot.enums import ApiMode
from pilot.models import IdempotentAnswer
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import Caller, forms, issued

NDJSON = "application/x-ndjson"
THREADS = 100


def told(answer: Any) -> tuple[int, str, bool]:
    """Status, code of a refusal, and whether the answer was given before."""
    refused = answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"] if refused else "", "Idempotent-Replayed" in answer


@pytest.mark.django_db
def test_whose_key_and_for_what(unit: Any, programme: Any, caller: Caller) -> None:
    """The account is the unit in one mode, the use one address: nothing else shares a key."""
    world.at("2019-05-20 09:00")
    other = builders.enrol(programme, world.provider(), since="2019-05-20 00:00")
    world.at("2019-07-01 09:00")
    body = json.dumps(forms()[0]).encode()
    answers = [
        caller.post("forms/", body, key="same"),
        caller.post("uploads/", body, key="same", content_type=NDJSON),
        Caller(issued(unit, ApiMode.TEST).secret).post("forms/", body, key="same"),
        Caller(issued(other).secret).post("forms/", body, key="same"),
    ]
    assert [told(one) for one in answers] == [
        (200, "", False),
        (202, "", False),
        (200, "", False),
        (200, "", False),
    ]
    assert (IdempotentAnswer.objects.count(), VerificationForm.unscoped.count()) == (4, 2)


@pytest.mark.django_db
def test_what_makes_a_request_another(caller: Caller) -> None:
    body = json.dumps(forms()[0]).encode()
    first = [caller.post("uploads/?name=a.ndjson", body, key="k", content_type=NDJSON)]
    changed = [
        caller.post("uploads/?name=a.ndjson", body + b"\n", key="k", content_type=NDJSON),
        caller.post("uploads/?name=b.ndjson", body, key="k", content_type=NDJSON),
        caller.post("uploads/?name=a.ndjson", body, key="k", content_type="application/octet-stream"),
    ]
    again = [caller.post("uploads/?name=a.ndjson", body, key="k", content_type=NDJSON)]
    assert [told(one) for one in first + changed + again] == [
        (202, "", False),
        *[(422, "idempotency.reused", False)] * 3,
        (202, "", True),
    ]
    assert UploadJob.unscoped.count() == 1


@pytest.mark.django_db
def test_an_answer_that_refuses_every_row_is_an_answer(caller: Caller) -> None:
    first, again = (caller.post("forms/", [{"form_no": "X-000001"}], key="k") for _ in range(2))
    assert (told(first), told(again), first.content) == ((200, "", False), (200, "", True), again.content)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [1, 255])
def test_keys_of_every_length_allowed(caller: Caller, length: int) -> None:
    key = "~" * length
    assert [told(caller.post("forms/", forms(), key=key)) for _ in range(2)] == [
        (200, "", False),
        (200, "", True),
    ]


@pytest.mark.django_db
def test_what_fails_as_a_whole_is_not_kept(
    unit: Any, caller: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals of every kind, and an accident in the middle: afterwards the same key does the work."""

    def crash(**_fields: Any) -> None:
        raise ZeroDivisionError

    reader = Caller(issued(unit, scopes=["figures.read"]).secret)
    failed = [
        caller.post("forms/", b"nonsense", key="k"),
        caller.post("forms/", b"{}", key="k", content_type="text/plain"),
        caller.post("forms/?dry_run=maybe", forms(), key="k"),
        reader.post("forms/", forms(), key="k"),
        Caller("live_00000000_x").post("forms/", forms(), key="k"),
    ]
    with monkeypatch.context() as broken:
        broken.setattr(submissions, "outcome", crash)
        failed.append(caller.post("forms/", forms(), key="k"))
    rate, settings.PILOT_API_RATE = settings.PILOT_API_RATE, 0
    failed.append(caller.post("forms/", forms(), key="k"))
    settings.PILOT_API_RATE = rate
    assert [told(one)[:2] for one in failed] == [
        (422, "file.wrong_type"),
        (415, "media.type"),
        (400, "request.parameters"),
        (403, "auth.scope"),
        (401, "auth.key"),
        (500, "server"),
        (429, "rate.limit"),
    ]
    counts = IdempotentAnswer.objects.count(), UploadJob.unscoped.count(), VerificationForm.unscoped.count()
    assert counts == (0, 0, 0)
    assert told(caller.post("forms/", forms(), key="k")) == (200, "", False)
    assert VerificationForm.unscoped.count() == 1


@pytest.mark.django_db
def test_a_trial_keeps_nothing_and_asks_for_no_key(caller: Caller) -> None:
    answers = [caller.post("forms/?dry_run=true", forms(), key=key) for key in ("", "k", "k")]
    assert [told(one) for one in answers] == [(200, "", False)] * 3
    assert IdempotentAnswer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_request_in_flight(unit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is being answered, the second is told to wait; afterwards it gets the first one's answer."""
    secret, inside, go_on = issued(unit).secret, Event(), Event()
    outcome, answers = submissions.outcome, []

    def slow(job: Any, *, trial: bool) -> dict[str, Any]:
        inside.set()
        assert go_on.wait(60)
        return outcome(job, trial=trial)

    def first() -> None:
        try:
            answers.append(Caller(secret).post("forms/", forms(), key="k"))
        finally:
            connection.close()

    monkeypatch.setattr(submissions, "outcome", slow)
    thread = Thread(target=first)
    thread.start()
    assert inside.wait(60)
    meanwhile = Caller(secret).post("forms/", forms(), key="k")
    go_on.set()
    thread.join(60)
    after = Caller(secret).post("forms/", forms(), key="k")
    assert [told(one) for one in (*answers, meanwhile, after)] == [
        (200, "", False),
        (409, "idempotency.in_flight", False),
        (200, "", True),
    ]
    assert (after.content, VerificationForm.unscoped.count()) == (answers[0].content, 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_do_it_once(unit: Any, settings: Any) -> None:
    """Threads on connections of their own; whoever is told to wait asks again, and all end with the same bytes."""
    settings.PILOT_API_RATE = 1_000_000
    secret, barrier = issued(unit).secret, Barrier(THREADS)
    bodies: list[bytes] = []
    seen: Counter[tuple[int, str, bool]] = Counter()

    def ask() -> None:
        caller = Caller(secret)
        try:
            connection.ensure_connection()
            barrier.wait(timeout=120)
            answer = caller.post("forms/", forms(3), key="one")
            seen[told(answer)] += 1
            while answer.status_code == 409:
                answer = caller.post("forms/", forms(3), key="one")
            bodies.append(answer.content)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert (len(bodies), len(set(bodies))) == (THREADS, 1)
    assert seen.keys() <= {(200, "", False), (200, "", True), (409, "idempotency.in_flight", False)}
    assert (seen[(200, "", False)], sum(seen.values())) == (1, THREADS)
    counts = UploadJob.unscoped.count(), VerificationForm.unscoped.count(), IdempotentAnswer.objects.count()
    assert counts == (1, 3, 1)
