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
from celery.exceptions import Reject, Retry
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError as DatabaseAway
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from pilot import clock, jobs, tasks
from pilot.celery import app
from pilot.enums import Role
from pilot.models import OutboxMessage, Person
from pilot.services import operations, outbox
from tests.factories import world
from tests.pilot.accounts.helpers import DEAD_MAIL_SERVER

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


def elsewhere(act: Callable[[], Any]) -> Any:
    """In another session."""

    def work() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(60)


@pytest.mark.django_db(transaction=True)
def test_a_shared_message_waits_for_all_who_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task must not run before the last of them has committed; whoever comes meanwhile has one of its own."""

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


# --- mails ----------------------------------------------------------------------------------------------
def post_mails(number: int) -> list[OutboxMessage]:
    """To ``0@example.cn``, ``1@example.cn``, …"""
    words = {"subject": "x", "text": "y"}
    return [outbox.post(kind="mail", target=f"{n}@example.cn", payload=words) for n in range(number)]


def left() -> list[str]:
    """Whom the mails went to that the mail server took."""
    return [message.to[0] for message in mail.outbox]


def later(delta: timedelta) -> None:
    """As if that much time had passed for the mails that wait."""
    OutboxMessage.objects.filter(sent_at=None).update(not_before=F("not_before") - delta)


def test_a_mail_server_that_is_away_holds_up_no_task_and_is_asked_once_a_minute(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sweeps every five seconds over two minutes; a mail is posted before each, a task waits for its second try."""
    settings.MAILERS = DEAD_MAIL_SERVER
    began = clock.security_now()
    passed = timedelta()
    monkeypatch.setattr(clock, "security_now", lambda: began + passed)
    mails = post_mails(3)
    soon = began + timedelta(seconds=2)
    task = outbox.post(kind="task", target="pilot.tasks.seal_audit", payload={}, not_before=soon)
    for _sweep in range(24):
        mails += post_mails(1)
        outbox.relay()
        passed += timedelta(seconds=5)
    task.refresh_from_db()
    assert task.sent_at == began + timedelta(seconds=5)
    tried = OutboxMessage.objects.filter(kind="mail", attempts=1)
    assert (
        list(tried.order_by("pk")),
        {error[:13] for error in tried.values_list("last_error", flat=True)},
    ) == (
        mails[:2],
        {outbox.SERVER_AWAY},
    )
    assert OutboxMessage.objects.filter(kind="mail", attempts=0).count() == len(mails) - 2


def test_when_the_mail_server_is_back_every_mail_leaves_once(db: None, settings: Any) -> None:
    """That which found it away comes last: were it the reason, the others would leave all the same."""
    working, settings.MAILERS = settings.MAILERS, DEAD_MAIL_SERVER
    post_mails(3)
    assert (outbox.relay(), outbox.relay(), left()) == (0, 0, [])
    settings.MAILERS = working
    assert outbox.relay() == 0
    later(outbox.SERVER_AGAIN)
    assert (outbox.relay(), outbox.relay()) == (3, 0)
    assert left() == ["1@example.cn", "2@example.cn", "0@example.cn"]


def test_a_mail_that_waited_for_weeks_leaves_all_the_same(db: None) -> None:
    """Its attempts are as many as the column can count."""
    post_mails(2)
    OutboxMessage.objects.update(attempts=2**15 - 1, last_error=outbox.SERVER_AWAY)
    assert (outbox.relay(), left()) == (2, ["0@example.cn", "1@example.cn"])


class Killed(BaseException):
    """What a worker that dies raises here."""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_with_a_mail_doubles_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made up for when the lease has run out; no other is tried, nor a transaction open, while one is."""
    plain, open_transactions, beside = outbox.send_mail, [], []

    def send(subject: str, text: str, sender: None, to: list[str]) -> None:
        open_transactions.append(connection.in_atomic_block)
        beside.append(elsewhere(outbox.send_mails))
        if to == ["1@example.cn"]:
            raise Killed
        plain(subject, text, sender, to)

    post_mails(4)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "send_mail", send)
        with pytest.raises(Killed):
            outbox.relay()
    assert (open_transactions, beside, left()) == ([False] * 2, [0] * 2, ["0@example.cn"])
    assert outbox.relay() == 0
    later(outbox.MAIL_LEASE)
    assert (outbox.relay(), outbox.relay()) == (3, 0)
    assert sorted(left()) == [f"{n}@example.cn" for n in range(4)]


def test_a_mail_that_cannot_be_made_holds_up_no_other(db: None) -> None:
    """A line break in a header; what its error says may be what somebody wrote, so only its kind is kept."""
    mails = post_mails(3)
    OutboxMessage.objects.filter(pk=mails[1].pk).update(payload={"subject": "x\ny", "text": "y"})
    assert (outbox.relay(), outbox.relay(), left()) == (2, 0, ["0@example.cn", "2@example.cn"])
    mails[1].refresh_from_db()
    assert (mails[1].attempts, mails[1].last_error) == (1, "ValueError")
    assert mails[1].not_before > clock.security_now() + timedelta(minutes=59)


def test_a_pass_over_the_mails_ends_in_time(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 1000, 12))
    monkeypatch.setattr(outbox, "monotonic", lambda: next(seconds))  # twelve for each mail
    post_mails(9)
    assert [tasks.send_mails() for _pass in range(5)] == [2, 2, 2, 2, 1]


def test_whatever_the_timetable_sends_is_not_run_when_others_have_followed_it() -> None:
    """Nothing piles up without end while no worker takes it."""
    expiring = {name for name, entry in app.conf.beat_schedule.items() if entry["options"]["expires"] > 0}
    assert expiring == set(app.conf.beat_schedule)
    sweeps = [app.conf.beat_schedule[name] for name in ("outbox", "mails")]
    assert [(entry["task"], entry["options"]["expires"]) for entry in sweeps] == [
        (tasks.sweep_outbox.name, 600),
        (tasks.send_mails.name, 600),
    ]


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


def test_a_task_whose_repetition_the_broker_does_not_take_stays_with_the_broker(
    db: None, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for good, as Celery does it, it would be away until the outbox takes it for lost."""

    def away() -> None:
        raise DatabaseAway

    def retry(**_told: Any) -> None:
        raise Reject("away", requeue=False)

    monkeypatch.setattr(task, "run", away)
    monkeypatch.setattr(task, "retry", retry)
    with pytest.raises(Reject) as caught:
        run(task, sent(task))
    assert caught.value.requeue is True


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
