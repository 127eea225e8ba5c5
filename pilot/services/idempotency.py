"""Retries that change nothing: a request with an ``Idempotency-Key`` is done once, its answer given as often as asked.

The answer is written in the transaction of what it answers, so either both are there or neither. A request that is
refused as a whole leaves no answer: it may be corrected and sent under the same key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from pilot import clock, inventory
from pilot.errors import PilotError
from pilot.models import ApiKey, IdempotentAnswer

LOCK: Final = 876  # advisory lock class: one request per key at a time
KEPT_FOR: Final = inventory.period("answer")
LONGEST_KEY: Final = 255
_CLAIM: Final = """
SELECT revoked_at IS NULL AND expires_at > %s, pg_try_advisory_xact_lock(%s, %s) FROM pilot_apikey WHERE id = %s
"""


class KeyUnusable(PilotError):
    """The header is missing, empty, too long or not printable ASCII."""

    status = 400
    code = "idempotency.key"


class KeyInFlight(PilotError):
    """The first request with this key is still being answered."""

    status = 409
    code = "idempotency.in_flight"


class CallerGone(PilotError):
    """The API key that opened the request is good no more: revoked or expired while its content arrived."""

    status = 401
    code = "auth.key"


class KeyReused(PilotError):
    """The key was used for a request with another content."""

    status = 422
    code = "idempotency.reused"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as bytes, and whether it was given before."""

    status: int
    body: bytes
    content_type: str
    location: str = ""
    replayed: bool = False


@transaction.atomic
def once(
    *, key: ApiKey, endpoint: str, header: str, request_digest: str, act: Callable[[], Answer]
) -> Answer:
    """Do ``act`` unless this unit has done it under the same header; returns its answer, or the one it gave then.

    ``request_digest`` stands for everything that makes the request what it is. Raises :class:`KeyUnusable`,
    :class:`CallerGone`, :class:`KeyInFlight` or :class:`KeyReused`, or whatever ``act`` raises; then nothing is kept.
    """
    judge(header)
    account = {"unit": key.unit, "mode": key.mode, "endpoint": endpoint, "key": header}
    stands, mine = _claim(key, f"{key.unit_id}:{key.mode}:{endpoint}:{header}")
    if not stands:
        raise CallerGone("")
    if not mine:
        raise KeyInFlight(_("同一 Idempotency-Key 的请求正在处理，请稍后再试"))
    if kept := IdempotentAnswer.objects.filter(**account).first():
        if kept.request_digest != request_digest:
            raise KeyReused(_("该 Idempotency-Key 已用于内容不同的请求，请换用新的键"))
        return Answer(kept.status, bytes(kept.body), kept.content_type, kept.location, replayed=True)
    answer = replace(act(), replayed=False)
    IdempotentAnswer.objects.create(
        **account,
        request_digest=request_digest,
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        location=answer.location,
        created_at=clock.security_now(),
    )
    return answer


def judge(header: str) -> None:
    """Raise :class:`KeyUnusable` for a header that cannot serve as a key."""
    if not header:
        raise KeyUnusable(_("请求缺少 Idempotency-Key"))
    if len(header) > LONGEST_KEY or not (header.isascii() and header.isprintable()):
        raise KeyUnusable(_("Idempotency-Key 应为不超过 %(n)s 个可打印 ASCII 字符") % {"n": LONGEST_KEY})


def tidy() -> int:
    """Forget answers older than 48 hours; returns how many."""
    old = IdempotentAnswer.objects.filter(created_at__lt=clock.security_now() - KEPT_FOR)
    return old.delete()[0]


def _claim(key: ApiKey, name: str) -> tuple[bool, bool]:
    """Whether the API key still stands, and whether no other transaction answers this name now.

    The lock ends with the transaction.
    """
    number = zlib.crc32(name.encode()) - 2**31  # a collision only makes somebody wait
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [clock.security_now(), LOCK, number, key.pk])
        row = cursor.fetchone()
    return (False, False) if row is None else (bool(row[0]), bool(row[1]))
