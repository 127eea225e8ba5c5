"""Webhooks: a unit's administrator names addresses that are told of events; events are written with their cause.

What is written here leaves through :mod:`pilot.services.webhook_delivery`. Which events there are, whoever raises them
declares (:func:`declare`), so the kernel knows no app above it.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot import clock, inventory, outward, policy, sealing
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import PilotUnit, WebhookDelivery, WebhookEndpoint, WebhookOutcome
from pilot.services import audit, outbox

MOST: Final = 5  # addresses of one unit
OVERLAP: Final = timedelta(hours=24)  # that an old secret signs along after a rotation
KEPT: Final = inventory.period("delivery")  # the log
MOST_BEFORE: Final = 3
"""Secrets that may sign along: whoever rotates again, since the new secret never came, cuts nobody off."""
PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
TEST_EVENT: Final = "webhook.test"
SEND: Final = "pilot.tasks.send_webhooks"

_events: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Secret:
    """An endpoint with its new secret, which is shown only now."""

    endpoint: WebhookEndpoint
    secret: str


# --- events -----------------------------------------------------------------------------------------
def declare(name: str, label: Any) -> str:
    """Make an event known, so that addresses can be told of it; returns its name."""
    _events[name] = label
    return name


def events() -> list[tuple[str, Any]]:
    """Every event there is to choose, with its words."""
    return list(_events.items())


def label_of(event: str) -> Any:
    """The words for an event."""
    return gettext_lazy("测试消息") if event == TEST_EVENT else _events.get(event, event)


def announce(*, event: str, to: Q, at: datetime, data: dict[str, Any]) -> int:
    """Write a message for every address told of ``event`` among ``to``; returns how many. Call it within the act.

    ``to`` filters :class:`WebhookEndpoint`, ``at`` is business time. ``data`` holds ids, numbers, counts and states,
    never personal data.
    """
    told = WebhookEndpoint.unscoped.filter(to, events__contains=[event]).values_list("pk", flat=True)
    endpoints = _held(list(told))
    if endpoints:
        _write(endpoints, event, at, data)
    return len(endpoints)


def _held(keys: list[int]) -> list[int]:
    """Those of the addresses that are still there, and stay until the act commits.

    Else one removed at this moment would leave the message without its address, and the act could not be committed.
    Nothing but removing waits for this lock, which the ORM does not know.
    """
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM pilot_webhookendpoint WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [keys]
        )
        return [key for (key,) in cursor.fetchall()]


def _write(endpoints: Sequence[int], event: str, at: datetime, data: dict[str, Any]) -> None:
    now = clock.security_now()
    content = {"type": event, "timestamp": localtime(at).isoformat(timespec="seconds"), "data": data}
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    message_id = f"msg_{secrets.token_urlsafe(18)}"
    WebhookDelivery.unscoped.bulk_create(
        WebhookDelivery(
            endpoint_id=endpoint, message_id=message_id, event=event, body=body, created_at=now, next_at=now
        )
        for endpoint in endpoints
    )
    outbox.post_task_soon(SEND)


# --- addresses --------------------------------------------------------------------------------------
@audit.denials_recorded("webhook.register")
@transaction.atomic
def register(
    *, actor: Actor, unit: PilotUnit, url: str, events: Sequence[str], seen: int | None = None
) -> Secret:
    """Name an address of the actor's own unit and the events it is told of.

    ``seen`` is what :func:`newest` told whoever asks for it: a form sent twice is told from a second address. Raises
    :class:`NotPermitted` for anybody but the unit's administrator, :class:`Refused` for an address that may not be
    called or is already named, for no or unknown events, or above ``MOST`` addresses, :class:`StateChanged` when an
    address was named since ``seen``.
    """
    _require_own(actor, unit)
    _alone(unit.pk)  # of two at once one is the sixth
    if seen is not None and seen != newest(unit):
        raise StateChanged(_("打开登记页面之后本单位已登记接收地址，本次提交没有再登记"))
    if WebhookEndpoint.unscoped.filter(unit=unit).count() >= MOST:
        raise Refused(_("最多可以登记 %(n)s 个接收地址") % {"n": MOST})
    endpoint = WebhookEndpoint(unit=unit, created_at=clock.security_now(), created_by_id=actor.acting_person)
    _describe(endpoint, url, events)
    secret = _renew(endpoint)
    endpoint.save()
    _on_record("register", actor, endpoint)
    return Secret(endpoint, secret)


def newest(unit: PilotUnit) -> int:
    """The number of the address of a unit that was named last; 0 where there is none."""
    rows = WebhookEndpoint.unscoped.filter(unit=unit).order_by("-pk")
    found: int | None = rows.values_list("pk", flat=True).first()
    return found or 0


@audit.denials_recorded("webhook.change")
@transaction.atomic
def change(*, actor: Actor, endpoint: WebhookEndpoint, url: str, events: Sequence[str]) -> WebhookEndpoint:
    """Another address or other events; the secret stays. Raises as :func:`register`."""
    _alone(endpoint.unit_id)  # of two changed at once to the same address one is
    locked = _locked(actor, endpoint)
    before = locked.url
    _describe(locked, url, events)
    if locked.url != before:  # the failures were those of the address before
        locked.failing_since = locked.rests_until = None
    locked.save(update_fields=["url", "events", "failing_since", "rests_until"])
    _on_record("change", actor, locked)
    return locked


@audit.denials_recorded("webhook.rotate")
@transaction.atomic
def rotate(*, actor: Actor, endpoint: WebhookEndpoint, seen: datetime | None = None) -> Secret:
    """Make a new secret; those before sign along for 24 hours, unless they cannot be read.

    ``seen`` is the time of the secret that is to be replaced. Raises :class:`NotPermitted`, or :class:`StateChanged`
    when that has been done.
    """
    locked = _locked(actor, endpoint)
    if seen is not None and seen != locked.secret_at:
        raise StateChanged(_("打开轮换页面之后密钥已经轮换，本次提交没有再轮换"))
    now, before = clock.security_now(), []
    with suppress(InvalidTag, KeyError):
        before = secrets_of(locked, at=now)[:MOST_BEFORE]
    _keep_before(locked, before)
    locked.previous_until = now + OVERLAP if before else None
    secret = _renew(locked)
    locked.save()
    _on_record("rotate", actor, locked)
    return Secret(locked, secret)


@audit.denials_recorded("webhook.pause")
@transaction.atomic
def pause(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send nothing until it is resumed; events are kept. Raises :class:`Refused` when it is paused."""
    locked = _locked(actor, endpoint)
    if locked.paused:
        raise Refused(_("该地址已暂停"))
    locked.paused = WebhookEndpoint.Paused.BY_PERSON
    locked.save(update_fields=["paused"])
    _on_record("pause", actor, locked)
    return locked


@audit.denials_recorded("webhook.resume")
@transaction.atomic
def resume(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send again, beginning with what was kept. Raises :class:`Refused` when it is not paused."""
    locked = _locked(actor, endpoint)
    if not locked.paused:
        raise Refused(_("该地址没有暂停"))
    locked.paused = ""
    locked.failing_since = None
    _at_once(locked)
    _on_record("resume", actor, locked)
    return locked


@audit.denials_recorded("webhook.remove")
@transaction.atomic
def remove(*, actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Forget an address with its log and everything that still waits. Raises :class:`NotPermitted`."""
    locked = _locked(actor, endpoint, to_remove=True)
    _on_record("remove", actor, locked)
    locked.delete()


@audit.denials_recorded("webhook.test")
@transaction.atomic
def send_test(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send a message that means nothing. Raises :class:`Refused` while the address is paused."""
    locked = _locked(actor, endpoint)
    if locked.paused:
        raise Refused(_("该地址已暂停，请先恢复"))
    _at_once(locked)
    _write([locked.pk], TEST_EVENT, clock.now(), {"unit": locked.unit.code})
    _on_record("test", actor, locked)
    return locked


@audit.denials_recorded("webhook.replay")
@transaction.atomic
def replay(*, actor: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a message once more, under its own id, with a series of attempts of its own.

    Raises :class:`Refused` while a series of it is not over.
    """
    locked = _locked(actor, delivery.endpoint)
    series = WebhookDelivery.unscoped.filter(endpoint=locked, message_id=delivery.message_id)
    if series.filter(outcome=WebhookOutcome.WAITING).exists():
        raise Refused(_("该消息仍在发送中"))
    _at_once(locked)
    now = clock.security_now()
    again: WebhookDelivery = WebhookDelivery.unscoped.create(
        endpoint=locked,
        message_id=delivery.message_id,
        event=delivery.event,
        body=delivery.body,
        replay=True,
        created_at=now,
        next_at=now,
    )
    _on_record("replay", actor, locked, message=delivery.message_id)
    return again


def _describe(endpoint: WebhookEndpoint, url: str, chosen: Sequence[str]) -> None:
    outward.target(url)
    if not chosen or not set(chosen) <= set(_events):
        raise Refused(_("请至少选择一种事件"), field="events")
    if WebhookEndpoint.unscoped.filter(unit=endpoint.unit_id, url=url).exclude(pk=endpoint.pk).exists():
        raise Refused(_("该地址已登记"), field="url")
    endpoint.url, endpoint.events = url, [name for name in _events if name in chosen]


def _at_once(endpoint: WebhookEndpoint) -> None:
    endpoint.rests_until = None
    endpoint.save()
    outbox.post_task_soon(SEND)


def _alone(unit_id: int) -> None:
    """Wait until nobody else names or changes an address of the unit. Acts that tell of events do not wait for it."""
    PilotUnit.unscoped.select_for_update(of=("self",), no_key=True).get(pk=unit_id)


def _locked(actor: Actor, endpoint: WebhookEndpoint, *, to_remove: bool = False) -> WebhookEndpoint:
    """The address, for this act alone; ``to_remove``: also when no act is about to tell it something."""
    _require_own(actor, endpoint.unit)
    rows = WebhookEndpoint.unscoped.select_related("unit").select_for_update(
        of=("self",), no_key=not to_remove
    )
    locked: WebhookEndpoint | None = rows.filter(pk=endpoint.pk).first()
    if locked is None:
        raise Refused(_("该地址已删除"))
    return locked


def _require_own(actor: Actor, unit: PilotUnit) -> None:
    if not policy.may_open("webhook_create", actor.role) or actor.organisation_id != unit.organisation_id:
        raise NotPermitted(_("事件推送由试点单位的企业管理员管理"))


def _on_record(act: str, actor: Actor, endpoint: WebhookEndpoint, **detail: str) -> None:
    """The host alone: what follows it may hold a secret of the unit's own."""
    host = outward.host_of(endpoint.url)
    detail = {"host": host, **detail}
    audit.record(action=f"webhook.{act}", actor=actor, subject=endpoint, detail=detail)


# --- secrets ----------------------------------------------------------------------------------------
def secrets_of(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """The secrets that sign now, the newest first.

    Raises ``InvalidTag`` when a row was tampered with, ``KeyError`` when its master key is no longer configured.
    """
    found = [_open(endpoint, endpoint.sealed_secret, endpoint.master_version)]
    if endpoint.previous_until is not None and endpoint.previous_until > at:
        found += _open(endpoint, endpoint.previous_secret, endpoint.previous_version).split()
    return found


@transaction.atomic
def tidy() -> int:
    """Forget old entries of the log and secrets that sign no more; follow a rotated master key. Returns how many.

    An address whose secret cannot be read is left as it is: sending says so in its log, the others are not held up.
    """
    now = clock.security_now()
    WebhookEndpoint.unscoped.filter(previous_until__lte=now).update(
        previous_secret=None, previous_version=None, previous_until=None
    )
    newest = max(_masters())
    old = Q(master_version__lt=newest) | Q(previous_version__lt=newest)
    for endpoint in WebhookEndpoint.unscoped.filter(old).order_by("pk").select_for_update(no_key=True):
        try:
            current, *before = secrets_of(endpoint, at=now)
        except (InvalidTag, KeyError):
            continue
        endpoint.sealed_secret, endpoint.master_version = _seal(endpoint, current)
        _keep_before(endpoint, before)
        endpoint.save()
    forgotten, _each = WebhookDelivery.unscoped.filter(created_at__lt=now - KEPT).delete()
    return forgotten


def versions_in_use() -> Counter[int]:
    """How many secrets are sealed under each version of the master key."""
    rows = WebhookEndpoint.unscoped.values_list("master_version", "previous_version")
    return Counter(version for row in rows for version in row if version is not None)


def _renew(endpoint: WebhookEndpoint) -> str:
    secret = PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    endpoint.sealed_secret, endpoint.master_version = _seal(endpoint, secret)
    endpoint.secret_at = clock.security_now()
    return secret


def _keep_before(endpoint: WebhookEndpoint, secrets: Sequence[str]) -> None:
    """Seal the secrets before the newest, which hold no space, as one."""
    sealed = _seal(endpoint, " ".join(secrets)) if secrets else (None, None)
    endpoint.previous_secret, endpoint.previous_version = sealed


def _seal(endpoint: WebhookEndpoint, secret: str) -> tuple[bytes, int]:
    version = max(_masters())
    return sealing.seal(_key(version), _bound(endpoint), secret.encode()), version


def _open(endpoint: WebhookEndpoint, sealed: Any, version: Any) -> str:
    return sealing.unseal(_key(version), _bound(endpoint), bytes(sealed)).decode()


def _masters() -> dict[int, str]:
    return sealing.versions(settings.PILOT_MASTER_KEY)


def _key(version: int) -> bytes:
    return sealing.derive(_masters()[version], "webhook")


def _bound(endpoint: WebhookEndpoint) -> bytes:
    return f"webhook:{endpoint.unit_id}".encode()
