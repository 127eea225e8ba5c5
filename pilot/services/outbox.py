"""What leaves the database leaves through here: rows written with their cause, sent after commit, swept until sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from pilot import clock
from pilot.models import Notice, OutboxMessage

RETRY_AFTER = timedelta(seconds=10)


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


def cancel(*, source: str) -> int:
    """Withhold what an act posted, as long as it has not left (an act taken back within its 30 seconds)."""
    Notice.objects.filter(source=source, visible_from__gt=clock.security_now()).delete()
    return _waiting().filter(source=source).update(cancelled_at=clock.security_now())


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
        for message in due.select_for_update(skip_locked=True)[:limit]:
            message.attempts += 1
            try:
                _send(message)
            except (OperationalError, OSError) as error:
                message.last_error = str(error)[:255]
                message.not_before = clock.security_now() + RETRY_AFTER
            else:
                message.sent_at = clock.security_now()
                sent += 1
            message.save(update_fields=["attempts", "last_error", "not_before", "sent_at"])
            if not message.sent_at:
                break  # the broker or mail server is away: the rest would only wait for the same time-out
    return sent


def _send(message: OutboxMessage) -> None:
    if message.kind == OutboxMessage.Kind.TASK:
        current_app.send_task(message.target, kwargs=message.payload, retry=False)
    else:
        send_mail(message.payload["subject"], message.payload["text"], None, [message.target])
