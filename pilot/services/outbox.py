"""What leaves the database leaves through here: rows written with their cause, sent after commit, swept until sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any, cast

from celery import current_app
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from pilot import clock
from pilot.models import Notice, OutboxMessage

logger = logging.getLogger(__name__)
RETRY_AFTER = timedelta(seconds=10)
REFUSED_AGAIN = timedelta(hours=1)  # a mail that the server does not take, though it takes others
SOON = timedelta(seconds=2)
MOST_TRIES = 3
LOST_AFTER = timedelta(hours=1)
"""A task that was sent and is not done after this time is sent again: the broker may have lost it."""
HEADER = "outbox"  # of a task's message: which row here it is for
MARK = "pilot-outbox"  # key in the broker; where it is missing, the broker has lost what it held
type Check = Callable[[str], bool]
_checks: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it leaves."""

    to: str
    subject: str
    text: str


type Compose = Callable[[dict[str, Any]], Mail | None]
_composers: dict[str, Compose] = {}


def compose_when_sent(name: str, compose: Compose) -> None:
    """Mails whose payload says ``compose: name`` get their words only when they leave, or do not leave (None).

    For what must never lie in the database, such as the secret of a link.
    """
    _composers[name] = compose


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
        transaction.on_commit(lambda: relay(only=[message.pk]), robust=True)
    return message


def post_task(name: str, *, source: str = "", **ids: int | str) -> OutboxMessage:
    """Have a Celery task run after commit. Only ids travel (house rule 12)."""
    return post(kind=OutboxMessage.Kind.TASK, target=name, payload=ids, source=source)


def post_task_once(name: str) -> None:
    """Have a task that needs no ids run after commit, unless a message for it is waiting already."""
    if not _waiting().filter(kind=OutboxMessage.Kind.TASK, target=name).exists():
        post_task(name)


def post_task_soon(name: str, **ids: int | str) -> None:
    """Have a task run with one of the next sweeps, once for all who ask until then.

    Whoever shares a waiting message holds it until its own commit, so that the task never runs before that.
    """
    kind = OutboxMessage.Kind.TASK
    same = _waiting().filter(kind=kind, target=name, payload=ids).order_by("pk")
    if same.select_for_update(skip_locked=True).first() is None:
        post(kind=kind, target=name, payload=ids, not_before=clock.security_now() + SOON)


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


def relay(*, only: Iterable[int] | None = None, limit: int = 500) -> int:
    """Send what is due; returns how many left. A message that fails stays and is tried again later.

    Rows are claimed with ``SKIP LOCKED`` so that two sweepers never send one message twice.
    """
    sent = 0
    with transaction.atomic():
        due = _waiting().filter(not_before__lte=clock.security_now()).order_by("pk")
        if only is not None:
            due = due.filter(pk__in=list(only))
        stands = cache(_stands)  # one answer for all readers of one message
        for message in due.select_for_update(skip_locked=True)[:limit]:
            if not stands(message.source):
                message.cancelled_at = clock.security_now()
                message.save(update_fields=["cancelled_at"])
                continue
            if message.kind == OutboxMessage.Kind.MAIL:
                message.attempts += 1  # those of a task are counted where it is run
            away = False
            try:
                _send(message)
            except (SMTPRecipientsRefused, SMTPDataError) as error:
                _put_off(message, error, REFUSED_AGAIN)
            except (OperationalError, OSError) as error:
                _put_off(message, error, RETRY_AFTER)
                away = True
            else:
                message.sent_at = clock.security_now()
                sent += 1
            message.save(update_fields=["attempts", "last_error", "not_before", "sent_at"])
            if away:
                break  # the broker or mail server is away: the rest would only wait for the same time-out
    return sent


def _put_off(message: OutboxMessage, error: Exception, delay: timedelta) -> None:
    message.last_error = str(error)[:255]
    message.not_before = clock.security_now() + delay


def _send(message: OutboxMessage) -> None:
    if message.kind == OutboxMessage.Kind.TASK:
        headers = {HEADER: message.pk}
        current_app.send_task(message.target, kwargs=message.payload, headers=headers, retry=False)
        return
    words = message.payload
    compose = _composers.get(words.get("compose", ""))
    mail = compose(words) if compose else Mail(message.target, words["subject"], words["text"])
    if mail is not None:
        send_mail(mail.subject, mail.text, None, [mail.to])


# --- what becomes of a task that was sent -----------------------------------------------------------
def sweep() -> int:
    """Send what did not leave right after its commit, and again what the broker lost; returns how many left."""
    resend_lost()
    return relay()


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
