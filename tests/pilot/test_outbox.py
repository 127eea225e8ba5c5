"""The outbox: a message survives a dead broker, leaves once, and can be withheld."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from pilot import clock
from pilot.celery import app
from pilot.models import OutboxMessage
from pilot.services import outbox


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """Let the current Celery application point at a port where nothing listens."""
    Celery("dead", broker="redis://127.0.0.1:1/0").set_current()
    yield
    app.set_current()


def test_a_message_waits_while_the_broker_is_dead(db: None, dead_broker: None) -> None:
    message = outbox.post_task("pilot.tasks.seal_audit")
    assert outbox.relay() == 0
    message.refresh_from_db()
    assert (message.sent_at, message.attempts) == (None, 1)
    assert message.not_before > clock.security_now()


def test_a_sent_message_is_not_sent_again(db: None) -> None:
    message = outbox.post_task("pilot.tasks.seal_audit")
    assert outbox.relay() == 1
    assert outbox.relay() == 0
    message.refresh_from_db()
    assert message.sent_at is not None


def test_a_held_message_can_be_withheld(db: None) -> None:
    later = clock.security_now() + timedelta(seconds=30)
    outbox.post(kind="task", target="pilot.tasks.seal_audit", payload={}, not_before=later, source="x:1:2")
    assert outbox.relay() == 0
    assert outbox.cancel(source="x:1:2") == 1
    assert OutboxMessage.objects.filter(cancelled_at__isnull=True).count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_shared_message_waits_for_all_who_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task must not run before the last of them has committed; whoever comes meanwhile has one of its own."""

    def elsewhere(act: Callable[[], Any]) -> Any:
        """In another session."""

        def work() -> Any:
            try:
                return act()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result(60)

    def ask(number: int = 1) -> None:
        with transaction.atomic():
            outbox.post_task_soon("pilot.tasks.seal_audit", number=number)

    monkeypatch.setattr(outbox, "SOON", timedelta())
    ask(), ask(), ask(number=2)
    assert [message.payload for message in OutboxMessage.objects.order_by("pk")] == [
        {"number": 1},
        {"number": 2},
    ]
    with transaction.atomic():
        outbox.post_task_soon("pilot.tasks.seal_audit", number=1)
        assert elsewhere(outbox.relay) == 1  # the other one
        elsewhere(ask)
        assert elsewhere(outbox.relay) == 1
    assert (OutboxMessage.objects.count(), outbox.relay()) == (3, 1)


@pytest.mark.slow
def test_the_dead_broker_raises_what_the_outbox_expects(dead_broker: None) -> None:
    with pytest.raises((OperationalError, OSError)):
        current_app.send_task("pilot.tasks.seal_audit", retry=False)
