"""What leaves the database leaves through here: rows written with their cause, sent after commit, swept until sent.

Tasks go to the broker, and mails to the mail server, in passes of their own: neither waits for the other's server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from smtplib import SMTPDataError, SMTPNotSupportedError, SMTPRecipientsRefused
from time import monotonic
from typing import Any, Final, NamedTuple, cast

from celery import current_app
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from pilot import clock
from pilot.database import AWAY
from pilot.models import Notice, OutboxMessage

logger = logging.getLogger(__name__)
RETRY_AFTER = timedelta(seconds=10)
SOON = timedelta(seconds=2)
MOST_TRIES = 3
LOST_AFTER = timedelta(hours=1)
"""A task that was sent and is not done after this time is sent again: the broker may have lost it."""
HEADER = "outbox"  # of a task's message: which row here it is for
MARK = "pilot-outbox"  # key in the broker; where it is missing, the broker has lost what it held
MAIL_LOCK: Final = 879  # advisory lock: one mail is claimed at a time
MAIL_LEASE: Final = timedelta(minutes=2)  # longer than any attempt: a server has ten seconds for each answer
MAIL_PASS_SECONDS: Final = 30.0  # of one task; whatever is left, the next one sends
REFUSED_AGAIN: Final = timedelta(hours=1)  # a mail that the server does not take, though it takes others
SERVER_AGAIN: Final = timedelta(minutes=1)  # a mail server that is away
MOST_COUNTED: Final = 2**15 - 1  # attempts; the column holds no more (a server that is away for three weeks)
SERVER_AWAY: Final = "server away: "
"""How the last error of a mail begins that met no mail server. While one is tried, it has no last error."""
type Check = Callable[[str], bool]
_checks: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it leaves."""

    to: str
    subject: str
    text: str


type Compose = Callable[[dict[str, Any]], Mail | None]
type Forget = Callable[[dict[str, Any]], None]


class _Composer(NamedTuple):
    compose: Compose
    forget: Forget


_composers: dict[str, _Composer] = {}


def compose_when_sent(name: str, compose: Compose, *, forget: Forget) -> None:
    """Mails whose payload says ``compose: name`` get their words only when they leave, or do not leave (None).

    For what must never lie in the database, such as the secret of a link. What ``compose`` makes for the mail is
    committed before it leaves; ``compose`` notes it in the payload, and ``forget`` takes back what is noted there, if
    anything, where an attempt failed and before the next one.
    """
    _composers[name] = _Composer(compose, forget)


def only_while(machine: str, check: Check) -> None:
    """Messages about cases of a machine (their source is ``machine:pk:step``) leave only while ``check(source)`` holds.

    The check is made right before sending: a message about a state that has passed meanwhile is withheld for good.
    """
    _checks[machine] = check


def _stands(source: str) -> bool:
    check = _checks.get(source.partition(":")[0])
    return check is None or check(source)


def post(
    *, kind: str, target: str, payload: dict[str, Any], not_before: datetime | None = None, source: str = ""
) -> OutboxMessage:
    """Write a message in the current transaction; a task leaves right after commit, or is swept if that fails.

    Mails are always swept: whoever acts never waits for a mail server.
    """
    message = OutboxMessage.objects.create(
        kind=kind,
        target=target,
        payload=payload,
        not_before=not_before or clock.security_now(),
        source=source,
    )
    if not_before is None and kind == OutboxMessage.Kind.TASK:
        transaction.on_commit(lambda: relay_tasks(only=[message.pk]), robust=True)
    return message


def post_task(name: str, *, source: str = "", **ids: int | str) -> OutboxMessage:
    """Have a Celery task run after commit. Only ids travel (house rule 12)."""
    return post(kind=OutboxMessage.Kind.TASK, target=name, payload=ids, source=source)


def post_task_once(name: str) -> None:
    """Have a task that needs no ids run after commit, unless a message for it is waiting already."""
    if not _waiting().filter(kind=OutboxMessage.Kind.TASK, target=name).exists():
        post_task(name)


@transaction.atomic(savepoint=False)  # within somebody's act it costs nothing
def post_task_soon(name: str, *, after: timedelta | None = None, **ids: int | str) -> None:
    """Have a task run with one of the next sweeps, or the first ``after`` some time, once for all who ask until then.

    Whoever shares a waiting message holds it until its own commit, so that the task never runs before that.
    """
    kind = OutboxMessage.Kind.TASK
    same = _waiting().filter(kind=kind, target=name, payload=ids).order_by("pk")
    if same.select_for_update(skip_locked=True).first() is None:
        post(kind=kind, target=name, payload=ids, not_before=clock.security_now() + (after or SOON))


def cancel(*, source: str) -> int:
    """Withhold what an act posted, as long as it has not left (an act taken back within its 30 seconds)."""
    Notice.objects.filter(source=source, visible_from__gt=clock.security_now()).delete()
    return _waiting().filter(source=source).update(cancelled_at=clock.security_now())


def withdraw(*, source: str) -> None:
    """Take back what was told of a state that has passed: what has not left stays here, what nobody read yet goes."""
    Notice.objects.filter(source=source, read_at__isnull=True).delete()
    _waiting().filter(source=source).update(cancelled_at=clock.security_now())


def _waiting() -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(sent_at__isnull=True, cancelled_at__isnull=True)


def relay(*, only: Iterable[int] | None = None) -> int:
    """Send all that is due, tasks before mails, where no worker does (demo, tests); returns how many left."""
    keys = None if only is None else list(only)
    return relay_tasks(only=keys) + send_mails(only=keys)


def _due(kind: str, only: Iterable[int] | None) -> QuerySet[OutboxMessage]:
    due = _waiting().filter(kind=kind, not_before__lte=clock.security_now())
    return due if only is None else due.filter(pk__in=list(only))


# --- tasks ----------------------------------------------------------------------------------------
def relay_tasks(*, only: Iterable[int] | None = None, limit: int = 500) -> int:
    """Send the tasks that are due to the broker; returns how many left. One that fails stays and is tried again later.

    Rows are claimed with ``SKIP LOCKED`` so that two sweepers never send one task twice. All of a pass are sent again
    where it dies before its commit; a task sent twice is done once.
    """
    sent = 0
    with transaction.atomic():
        due = _due(OutboxMessage.Kind.TASK, only).order_by("pk")
        stands = cache(_stands)
        for message in due.select_for_update(skip_locked=True)[:limit]:
            if not stands(message.source):
                _withhold(message)
                continue
            headers, away = {HEADER: message.pk}, False
            try:
                current_app.send_task(message.target, kwargs=message.payload, headers=headers, retry=False)
            except (OperationalError, OSError) as error:
                message.last_error = str(error)[:255]
                message.not_before = clock.security_now() + RETRY_AFTER
                away = True
            else:
                message.sent_at = clock.security_now()
                sent += 1
            message.save(update_fields=["last_error", "not_before", "sent_at"])
            if away:
                break  # the rest would only wait for the same time-out
    return sent


def _withhold(message: OutboxMessage) -> None:
    message.cancelled_at = clock.security_now()
    message.save(update_fields=["cancelled_at"])


# --- mails ----------------------------------------------------------------------------------------
def send_mails(*, only: Iterable[int] | None = None, seconds: float = MAIL_PASS_SECONDS) -> int:
    """Send mails that are due, for about ``seconds``; returns how many left. Safe beside other workers.

    One is tried at a time, the least tried first, and no transaction is open meanwhile: it is claimed by moving its
    ``not_before``. A server that is away is asked again after a minute, so that it holds one worker for one time-out
    in that time; a mail that fails by itself is put off alone.

    At least once: a mail leaves a second time, ``MAIL_LEASE`` or ``SERVER_AGAIN`` later, when the worker or the
    database dies or the line breaks after the server took it and before that is noted, or when it takes longer than the
    lease. The link in the second one then is a new one, and ends the first. What is withdrawn meanwhile may leave.
    """
    sent, until = 0, monotonic() + seconds
    stands = cache(_stands)  # one answer for all readers of one message
    while monotonic() < until and (message := _claim_mail(only, stands)) is not None:
        try:
            if (mail := _compose(message)) is not None:
                send_mail(mail.subject, mail.text, None, [mail.to])
        except AWAY:
            raise
        except (SMTPRecipientsRefused, SMTPDataError, SMTPNotSupportedError) as error:
            _put_off(message, f"{type(error).__name__}: {error}", REFUSED_AGAIN)
        except OSError as error:
            _put_off(message, f"{SERVER_AWAY}{error}", SERVER_AGAIN)
        except Exception as error:  # its words may hold what somebody wrote
            logger.error("a mail (outbox %s) does not leave: %s", message.pk, type(error).__name__)
            _put_off(message, type(error).__name__, REFUSED_AGAIN)
        else:
            OutboxMessage.objects.filter(pk=message.pk).update(sent_at=clock.security_now())
            sent += 1
    return sent


@transaction.atomic
def _claim_mail(only: Iterable[int] | None, stands: Check) -> OutboxMessage | None:
    """The next mail, for the length of the lease; None while another is tried or the server is let alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAIL_LOCK])
    now, kind = clock.security_now(), OutboxMessage.Kind.MAIL
    busy = Q(last_error="") | Q(last_error__startswith=SERVER_AWAY)
    if _waiting().filter(busy, kind=kind, attempts__gt=0, not_before__gt=now).exists():
        return None
    due = _due(kind, only).order_by("attempts", "pk").select_for_update(skip_locked=True)
    while (message := due.first()) is not None:
        if stands(message.source):
            message.attempts = min(message.attempts + 1, MOST_COUNTED)
            message.not_before, message.last_error = now + MAIL_LEASE, ""
            message.save(update_fields=["attempts", "not_before", "last_error"])
            return message
        _withhold(message)
    return None


@transaction.atomic
def _compose(message: OutboxMessage) -> Mail | None:
    words = message.payload
    if (composer := _composer_of(message)) is None:
        return Mail(message.target, words["subject"], words["text"])
    composer.forget(words)
    mail = composer.compose(words)
    message.save(update_fields=["payload"])
    return mail


def _composer_of(message: OutboxMessage) -> _Composer | None:
    return _composers.get(message.payload.get("compose", ""))


@transaction.atomic
def _put_off(message: OutboxMessage, error: str, delay: timedelta) -> None:
    """Have a mail tried again after a while, unless the lease ran out and somebody else is at it."""
    if composer := _composer_of(message):
        composer.forget(message.payload)
    mine = OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts, sent_at=None)
    mine.update(last_error=error[:255], not_before=clock.security_now() + delay)


# --- what becomes of a task that was sent -----------------------------------------------------------
def sweep() -> int:
    """Send tasks that did not leave right after their commit, and again what the broker lost; returns how many left."""
    resend_lost()
    return relay_tasks()


@transaction.atomic
def begin(message: int, *, repeated: int) -> bool:
    """A worker begins the task of a message; False when it must not, being done or given up.

    Beginnings are counted, not failures, so that a task that kills its process ends as well. Of one message from the
    broker only the first counts, not those ``repeated`` after it: only the database kept that one from an end.
    """
    row = OutboxMessage.objects.select_for_update().filter(pk=message, cancelled_at=None).first()
    if row is None:
        return False
    if repeated:
        return True
    if row.attempts >= MOST_TRIES:
        _give_up(row, "WorkerLost")
        return False
    OutboxMessage.objects.filter(pk=message).update(attempts=F("attempts") + 1)
    return True


def done(message: int) -> None:
    """The task of a message is done: what is left in the table is what is not."""
    OutboxMessage.objects.filter(pk=message).delete()


@transaction.atomic
def failed(message: int, error: Exception) -> None:
    """The task of a message failed: it is sent again after a while, or given up after three tries.

    Only the kind of error is kept; its words may hold what somebody wrote.
    """
    row = OutboxMessage.objects.select_for_update().filter(pk=message, cancelled_at=None).first()
    if row is None:
        return
    if row.attempts >= MOST_TRIES:
        _give_up(row, type(error).__name__)
        return
    row.sent_at, row.not_before = None, clock.security_now() + RETRY_AFTER
    row.last_error = type(error).__name__
    row.save(update_fields=["sent_at", "not_before", "last_error"])


def _give_up(row: OutboxMessage, error: str) -> None:
    row.cancelled_at, row.last_error = clock.security_now(), error
    row.sent_at = row.sent_at or row.cancelled_at  # an older copy gives up: the row waits to be sent again
    row.save(update_fields=["cancelled_at", "last_error", "sent_at"])
    logger.error("gave up %s (outbox %s): %s", row.target, row.pk, error)


def given_up() -> QuerySet[OutboxMessage]:
    """Tasks that were tried three times in vain and wait for somebody to look into it."""
    return OutboxMessage.objects.filter(
        kind=OutboxMessage.Kind.TASK, sent_at__isnull=False, cancelled_at__isnull=False
    ).order_by("pk")


def try_again() -> int:
    """Have every task that was given up tried again, from its first try on; returns how many."""
    return given_up().update(
        sent_at=None, cancelled_at=None, attempts=0, last_error="", not_before=clock.security_now()
    )


def resend_lost() -> int:
    """Have tasks sent again that the broker has lost; returns how many. A task sent twice is done once.

    All that are not done, where the broker's mark is gone with everything else it held; otherwise those that should
    have been done long ago.
    """
    now = clock.security_now()
    with current_app.connection_for_write() as connection:
        away: Any = (*connection.connection_errors, *connection.channel_errors, OSError)
        try:
            client = cast(Any, connection.channel()).client
            lost = Q() if client.get(MARK) is None else Q(sent_at__lt=now - LOST_AFTER)
            sent = OutboxMessage.objects.filter(
                lost, kind=OutboxMessage.Kind.TASK, sent_at__isnull=False, cancelled_at=None
            )
            count = sent.update(sent_at=None, not_before=now)
            client.set(MARK, "1")
        except away:
            return 0  # it is away: nothing leaves now, and the next sweep looks again
    if count:
        logger.warning("%s tasks are sent again: the broker lost them", count)
    return count
