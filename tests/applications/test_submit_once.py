"""A hundred posts of one check page at once, each on a connection of its own: one application, one number (P08)."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Lock, Thread

import pytest
from django.db import connection
from django.test import Client

from applications.models import Application, ApplicationVersion
from pilot.models import NumberSequence, OutboxMessage, TransitionRecord
from tests.applications import builders
from tests.applications.form.pages import hidden, url
from tests.factories import world

POSTS = 100


@pytest.mark.django_db(transaction=True)
def test_a_hundred_posts_are_one_submission_and_all_see_its_receipt() -> None:
    world.install()
    provider = world.provider()
    case = builders.drafted(provider)
    address = url(case, "check")
    client = builders.client_of(provider)
    sent = {**hidden(client.get(address)), "declaration": "on"}
    barrier, lock = Barrier(POSTS), Lock()
    answers: Counter[tuple[int, str]] = Counter()

    def press() -> None:
        window = Client()
        window.cookies = client.cookies
        try:
            connection.ensure_connection()
            barrier.wait(timeout=120)
            response = window.post(address, sent)
        finally:
            connection.close()
        with lock:
            answers[response.status_code, response.headers.get("Location", "")] += 1

    threads = [Thread(target=press, daemon=True) for _ in range(POSTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)

    assert answers == {(302, url(case, "receipt")): POSTS}
    case = Application.unscoped.get()
    assert (case.state, case.case_number) == ("submitted", "SQ2019-44-00001")
    assert NumberSequence.objects.get(series="SQ2019-44").last == 1
    assert ApplicationVersion.unscoped.count() == 1
    assert TransitionRecord.objects.filter(name="submit").count() == 1
    receipts = OutboxMessage.objects.filter(target="applications.tasks.make_receipt")
    assert receipts.count() == 1
