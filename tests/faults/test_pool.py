"""Two hundred clients on twenty connections: whoever gets none within five seconds is told to come again (F16)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.urls import reverse

from tests.factories import world
from tests.faults.web import PATIENCE, Answer, Browser, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(600)]
CLIENTS, CONNECTIONS = 200, 20


def test_two_hundred_clients_on_twenty_connections() -> None:
    """First while twenty requests hold every connection, then with nothing in the way.

    The 503 page itself asks for no connection: it would wait as long again.
    """
    world.install()
    actor = world.provider()
    home = reverse("home")  # asks the database who this is, and leads on
    with (
        serving(threads=CLIENTS, PILOT_DB_POOL_SIZE=str(CONNECTIONS)) as port,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        browser = Browser.of(actor, port)
        assert browser.get(home).status == 302
        turned_away, answers = Event(), list[Answer]()

        def ask(_number: int) -> None:
            answers.append(browser.get(home))
            if sum(answer.status == 503 for answer in answers) == CLIENTS - CONNECTIONS:
                turned_away.set()

        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE pilot_businessclock IN ACCESS EXCLUSIVE MODE")
            asked = pool.map(ask, range(CLIENTS))
            assert turned_away.wait(PATIENCE)
        list(asked)
        assert Counter(answer.status for answer in answers) == {503: CLIENTS - CONNECTIONS, 302: CONNECTIONS}
        assert {answer.headers["Retry-After"] for answer in answers if answer.status == 503} == {"5"}

        answers.clear()
        list(pool.map(ask, range(CLIENTS)))
        assert {answer.status for answer in answers} <= {302, 503}
        assert browser.get(home).status == 302
