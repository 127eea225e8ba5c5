"""Sending webhooks by Standard Webhooks 1.0: signed, tried again, at least once, never to a private address.

A message is claimed for the length of one attempt by moving its ``next_at``; a worker that dies leaves nothing behind
but an attempt that is made up for a minute later. No transaction is open while the network is waited for. An address
gets one attempt at a time, so that a slow one holds one worker.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from cryptography.exceptions import InvalidTag
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from pilot import clock, outward
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import WebhookDelivery, WebhookEndpoint, WebhookOutcome
from pilot.outward import Resolver, Unreachable, system_resolver
from pilot.selectors import people
from pilot.services import audit, notices
from pilot.services.webhooks import PREFIX, secrets_of

RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 8 * 3600)
)  # after the first attempt, the second, …; after the last nothing is tried any more
LEASE: Final = timedelta(seconds=60)  # longer than any attempt takes
LONGEST_REST: Final = timedelta(minutes=5)
FAILING: Final = timedelta(days=3)  # without one success, then the address is paused
PASS_SECONDS: Final = 30.0  # of one task; whatever is left, the next one sends
_SENDER: Final = Actor.system("webhooks")


def send_due(*, resolve: Resolver = system_resolver, seconds: float = PASS_SECONDS) -> int:
    """Send what is due, for about ``seconds``; returns how many attempts were made. Safe beside other workers."""
    attempts, until = 0, monotonic() + seconds
    while monotonic() < until and (delivery := _claim()) is not None:
        code, reason = _attempt(delivery, resolve)
        _end(delivery, code, reason)
        attempts += 1
    return attempts


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA-256 over ``id.timestamp.body``."""
    key = b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + b64encode(digest).decode()


@transaction.atomic
def _claim() -> WebhookDelivery | None:
    """The next message to an address at which nobody is, as this worker's for the length of the lease (house rule 12).

    Of two workers at one moment the second finds the address locked, or what the first has committed.
    """
    now = clock.security_now()
    under_way = WebhookDelivery.unscoped.filter(
        outcome=WebhookOutcome.WAITING, next_at__gt=now, next_at=F("last_at") + LEASE
    )
    awake = Q(endpoint__rests_until__isnull=True) | Q(endpoint__rests_until__lte=now)
    due = WebhookDelivery.unscoped.filter(
        ~Exists(under_way.filter(endpoint=OuterRef("endpoint"))),
        awake,
        outcome=WebhookOutcome.WAITING,
        next_at__lte=now,
        endpoint__paused="",
    )
    claimed: WebhookDelivery | None = (
        due.select_related("endpoint")
        .order_by("next_at", "pk")
        .select_for_update(skip_locked=True, no_key=True, of=("self", "endpoint"))
        .first()
    )
    if claimed is None or under_way.filter(endpoint=claimed.endpoint_id).exists():
        return None
    claimed.attempts += 1
    claimed.next_at, claimed.last_at = now + LEASE, now
    claimed.save(update_fields=["attempts", "next_at", "last_at"])
    return claimed


def _attempt(delivery: WebhookDelivery, resolve: Resolver) -> tuple[int | None, str]:
    """The status of the answer, or None and why there was none."""
    now, body = clock.security_now(), delivery.body.encode()
    timestamp = int(now.timestamp())
    try:
        signing = secrets_of(delivery.endpoint, at=now)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "pilot-portal-webhooks/1",
            "webhook-id": delivery.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                signature(secret, delivery.message_id, timestamp, body) for secret in signing
            ),
        }
        goal = outward.target(delivery.endpoint.url)
        return outward.post(goal, body=body, headers=headers, resolve=resolve), ""
    except Unreachable as fault:
        return None, fault.reason
    except Refused:
        return None, "address"
    except (InvalidTag, KeyError):
        return None, "secret"


@transaction.atomic
def _end(delivery: WebhookDelivery, code: int | None, reason: str) -> None:
    """Record how an attempt ended, unless the address is gone or the lease ran out and somebody else is at it."""
    endpoint: WebhookEndpoint | None = (
        WebhookEndpoint.unscoped.select_for_update(no_key=True).filter(pk=delivery.endpoint_id).first()
    )
    mine = WebhookDelivery.unscoped.filter(pk=delivery.pk, attempts=delivery.attempts)
    now, tried = clock.security_now(), delivery.endpoint.url  # which may have been changed meanwhile
    if endpoint is None:
        return
    if code is not None and 200 <= code < 300:
        if mine.update(outcome=WebhookOutcome.DELIVERED, last_code=code, note=""):
            endpoint.failing_since = endpoint.rests_until = None
            endpoint.save(update_fields=["failing_since", "rests_until"])
    elif mine.update(last_code=code, note=reason, **_next(delivery, now)) and endpoint.url == tried:
        _count_failure(endpoint, now)


def _next(delivery: WebhookDelivery, now: datetime) -> dict[str, object]:
    if delivery.attempts > len(RETRIES):
        return {"outcome": WebhookOutcome.GIVEN_UP}
    return {"next_at": now + RETRIES[delivery.attempts - 1]}


def _count_failure(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Let the address rest as long as it has been failing, at most five minutes; after three days pause it."""
    endpoint.failing_since = endpoint.failing_since or now
    failing = now - endpoint.failing_since
    endpoint.rests_until = now + min(max(failing, RETRIES[0]), LONGEST_REST)
    if failing >= FAILING and not endpoint.paused:
        endpoint.paused = WebhookEndpoint.Paused.FAILING
        _tell(endpoint)
    endpoint.save(update_fields=["failing_since", "rests_until", "paused"])


def _tell(endpoint: WebhookEndpoint) -> None:
    host = outward.host_of(endpoint.url)
    audit.record(action="webhook.pause", actor=_SENDER, subject=endpoint, detail={"host": host})
    with on_record():
        subject = _("事件推送已自动暂停：%(host)s 连续 %(days)s 天未能送达") % {
            "host": host,
            "days": FAILING.days,
        }
    notices.send(
        members=people.providers(endpoint.unit.organisation_id).filter(role=Role.PROVIDER_ADMIN),
        subject=subject,
        machine="webhook",
        object_id=endpoint.pk,
        source=f"webhook:{endpoint.pk}",
        url=f"/webhooks/{endpoint.pk}/",
    )
