"""The outbox: a message survives a dead broker, leaves once, and can be withheld."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import psycopg
import pytest
from celery import Celery, current_app
from celery.exceptions import Retry
from django.core.management import call_command
from django.db import OperationalError as DatabaseAway
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from pilot import clock, jobs, tasks
from pilot.celery import app
from pilot.enums import Role
from pilot.models import OutboxMessage, Person
from pilot.services import operations, outbox
from tests.factories import world

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


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
    assert (message.sent_at, message.attempts, bool(message.last_error)) == (None, 0, True)
    assert message.not_before > clock.security_now()


def test_a_mail_that_is_refused_keeps_no_other_message_waiting(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that exists no more is no server that is away: what follows it leaves all the same."""

    def send(_subject: str, _text: str, _sender: None, to: list[str]) -> None:
        if to == ["gone@example.cn"]:
            raise SMTPRecipientsRefused({"gone@example.cn": (550, b"no such user")})

    monkeypatch.setattr(outbox, "send_mail", send)
    refused, other = (
        outbox.post(kind="mail", target=address, payload={"subject": "x", "text": "y"})
        for address in ("gone@example.cn", "here@example.cn")
    )
    task = outbox.post_task("pilot.tasks.seal_audit")
    assert (outbox.relay(), outbox.relay()) == (2, 0)
    for message in (refused, other, task):
        message.refresh_from_db()
    assert [bool(message.sent_at) for message in (refused, other, task)] == [False, True, True]
    assert (refused.attempts, "no such user" in refused.last_error) == (1, True)
    assert refused.not_before > clock.security_now() + timedelta(minutes=59)


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


# --- what becomes of a task that was sent ---------------------------------------------------------------
class Broken(Exception):
    """What a poisoned task raises."""


def run(task: Any, message: OutboxMessage, *, retries: int = 0) -> Any:
    """As a worker does: with the message's headers."""
    task.push_request(headers={outbox.HEADER: message.pk}, retries=retries, called_directly=False)
    try:
        return task()
    finally:
        task.pop_request()


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_its_session_until_it_is_no_good(programme: Any, task: Any) -> None:
    def session() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("SELECT pg_backend_pid()").fetchone()[0])

    task.run = session
    messages = [outbox.post_task(task.name) for _time in range(3)]
    first, second = (run(task, message) for message in messages[:2])
    assert first == second
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert run(task, messages[2]) != first
    assert OutboxMessage.objects.filter(target=task.name).count() == 0


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A task of the portal whose work a test may replace."""
    found = app.tasks["pilot.tasks.tidy_answers"]
    monkeypatch.setattr(found, "run", lambda: 7)
    return found


def sent(task: Any) -> OutboxMessage:
    message = outbox.post_task(task.name)
    assert outbox.relay() == 1
    return message


def test_what_is_done_leaves_the_outbox(db: None, task: Any) -> None:
    message = sent(task)
    assert (run(task, message), OutboxMessage.objects.count()) == (7, 0)
    assert run(task, message) is None  # a second copy of it does nothing


def test_a_poisoned_task_is_tried_three_times_and_waits_for_somebody(
    db: None, task: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What its error says may be personal data, so only its kind is kept."""

    def poison() -> None:
        raise Broken("110101199003070000")

    message, tries = sent(task), []
    monkeypatch.setattr(task, "run", poison)
    for _ in range(4):
        with contextlib.suppress(Broken):
            run(task, message)
            break
        message.refresh_from_db()
        tries.append((message.attempts, message.sent_at is None, message.last_error))
        OutboxMessage.objects.filter(pk=message.pk).update(not_before=clock.security_now())
        outbox.relay()
    assert tries == [(1, True, "Broken"), (2, True, "Broken"), (3, False, "Broken")]
    assert list(outbox.given_up()) == [message]
    assert outbox.resend_lost() == outbox.relay() == 0
    monkeypatch.setattr(task, "run", lambda: 7)
    call_command("tasks", "--again")
    told = capsys.readouterr().out.splitlines()
    assert ("Broken" in told[0], told[1:]) == (True, ["1 项将重新执行 / tried again: 1"])
    assert (outbox.relay(), run(task, message), OutboxMessage.objects.count()) == (1, 7, 0)


def test_a_task_that_kills_its_process_is_not_begun_a_fourth_time(db: None, task: Any) -> None:
    message = sent(task)
    assert [outbox.begin(message.pk, repeated=0) for _ in range(4)] == [True, True, True, False]
    assert list(outbox.given_up().values_list("last_error", flat=True)) == ["WorkerLost"]


def test_a_task_is_not_blamed_for_the_database(db: None, task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseAway

    message = sent(task)
    monkeypatch.setattr(task, "run", away)
    monkeypatch.setattr(task, "retry", lambda **told: Retry(when=told["countdown"]))
    for retries in range(5):
        with pytest.raises(Retry):
            run(task, message, retries=retries)
    monkeypatch.setattr(task, "run", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(task, message, retries=5)
    assert outbox.begin(message.pk, repeated=0)  # sent again it is the second try
    monkeypatch.setattr(task, "run", lambda: 7)
    assert run(task, message, retries=5) == 7


def test_a_database_that_stays_away_is_the_tasks_own_error(
    db: None, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a deadlock or a full disk somebody is told in the end, whichever copy of the task gives up."""

    def away() -> None:
        raise DatabaseAway

    message = sent(task)
    monkeypatch.setattr(task, "run", away)
    OutboxMessage.objects.filter(pk=message.pk).update(attempts=2)
    assert outbox.begin(message.pk, repeated=0)
    OutboxMessage.objects.filter(pk=message.pk).update(sent_at=None)  # it waits to be sent again
    with pytest.raises(DatabaseAway):
        run(task, message, retries=jobs.MOST_REPEATED)
    assert list(outbox.given_up().values_list("last_error", flat=True)) == ["OperationalError"]


def test_what_the_broker_lost_is_sent_again(db: None, task: Any) -> None:
    """All of it when it lost everything; else what should have been done an hour ago."""
    first, second = sent(task), sent(task)
    outbox.resend_lost()  # a broker that nobody has asked before bears no mark either
    outbox.relay()
    assert (outbox.resend_lost(), outbox.relay()) == (0, 0)
    OutboxMessage.objects.filter(pk=first.pk).update(sent_at=first.created_at - timedelta(minutes=61))
    assert (outbox.resend_lost(), outbox.relay()) == (1, 1)
    OutboxMessage.objects.filter(pk=first.pk).update(sent_at=first.created_at - timedelta(days=3))
    with app.connection_for_write() as connection:
        connection.channel().client.delete(outbox.MARK)
    assert (outbox.resend_lost(), outbox.relay()) == (2, 2)
    assert [run(task, message) for message in (first, second, first, second)] == [7, 7, None, None]


# --- alarms -------------------------------------------------------------------------------------------
def test_a_silent_timetable_and_given_up_tasks_raise_an_alarm(
    programme: Any, settings: Any, tmp_path: Path, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the probe, and to the system administrator on every page."""
    settings.VAR = tmp_path
    monkeypatch.setattr(operations, "STARTED", clock.security_now())
    admin = Client()
    admin.force_login(Person.objects.get(pk=world.ministry(Role.SYSTEM_ADMIN).person_id), backend=BACKEND)

    def alarms() -> list[str]:
        told = Client().get("/readyz").json()
        assert told["status"] == ("alarm" if told["alarms"] else "ok")
        return list(told["alarms"])

    tasks.beat()
    assert alarms() == []
    OutboxMessage.objects.filter(pk=sent(task).pk).update(cancelled_at=clock.security_now())
    pulse = tmp_path / "run" / "pulse"
    late = clock.security_now().timestamp() - 181
    os.utime(pulse, (late, late))
    assert alarms() == ["timetable", "tasks"]
    page = admin.get(reverse("notice_list")).content.decode()
    assert page.count("定时任务已超过 3 分钟没有运行") == page.count("1 项后台任务连续失败 3 次") == 1
    pulse.unlink()
    assert alarms() == ["tasks"]  # it has three minutes to come for the first time


def test_a_message_that_was_withheld_is_not_tried_again(db: None, task: Any) -> None:
    """The task was on its way when somebody withheld it; that it fails changes nothing."""
    message = sent(task)
    OutboxMessage.objects.filter(pk=message.pk).update(cancelled_at=clock.security_now())
    before = OutboxMessage.objects.values().get()
    outbox.failed(message.pk, Broken("示例"))
    assert OutboxMessage.objects.values().get() == before
