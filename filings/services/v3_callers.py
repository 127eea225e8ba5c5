"""Who calls the V3.0 service: a unit's system that knows its password. Every call goes on record with its code."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from filings.models import V3Access
from filings.selectors import v3 as selector
from filings.services import v3_access
from filings.v3.codes import CallRefused, MsgCode
from filings.v3.package import RANDOM_CHARACTERS, Secret, password_digest
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import AuditEntry
from pilot.services import api_keys, audit

MOST_DENIALS: Final = 60
"""Refused calls of a unit that go on record in a minute; a flood of them must not fill the log."""

# One statement counts the call and says which of the minute it is.
_COUNT: Final = """
UPDATE filings_v3access SET
    {count} = CASE WHEN {started} > %(since)s THEN {count} + 1 ELSE 1 END,
    {started} = CASE WHEN {started} > %(since)s THEN {started} ELSE %(now)s END
WHERE id = %(access)s RETURNING {count}
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A unit's system that has shown who it is."""

    access: V3Access
    secret: Secret
    actor: Actor
    at: datetime  # business time of arrival


def identify(
    *, operation: str, arguments: Mapping[str, str], address: str | None, arrived_at: datetime
) -> Caller:
    """Who calls. ``arrived_at`` is business time.

    Raises :class:`CallRefused`: 16, 13, 12 (not switched on, foreign address, too many calls), 4, 5, 20.
    """
    unit = selector.unit_called(arguments.get("ispId", ""))
    access = selector.access_of(unit) if unit is not None else None
    if len(arguments.get("randVal", "")) < RANDOM_CHARACTERS:
        refusal = CallRefused(MsgCode.RANDOM_TOO_SHORT)
    elif unit is None:
        raise CallRefused(MsgCode.OTHER_PROVINCE)
    elif access is None:
        raise CallRefused(MsgCode.REFUSED)
    else:
        secret = v3_access.secret_of(access)
        judged = _judge_caller(access, secret, arguments, address, arrived_at)
        if judged is None:
            return Caller(access, secret, _actor(access, address), arrived_at)
        refusal = judged
    if access is not None and _count(access, "denials", "denials_started") <= MOST_DENIALS:
        record(access, _actor(access, address), operation, refusal.code)
    raise refusal


def _judge_caller(
    access: V3Access, secret: Secret, arguments: Mapping[str, str], address: str | None, at: datetime
) -> CallRefused | None:
    if not access.enabled or not api_keys.allows(access, address):
        return CallRefused(MsgCode.REFUSED)
    if arguments.get("userName") != user_name(access):
        return CallRefused(MsgCode.USER_UNKNOWN)
    expected = password_digest(secret.password, arguments["randVal"])
    if not hmac.compare_digest(expected.encode(), arguments.get("pwdHash", "").strip().encode()):
        return CallRefused(MsgCode.PASSWORD_WRONG)
    if _count(access, "calls", "calls_started") > settings.PILOT_API_RATE:
        return CallRefused(MsgCode.REFUSED, _("调用过于频繁，请稍后重试"))
    if not _within_hours(access, at):
        return CallRefused(MsgCode.OUTSIDE_HOURS)
    return None


def user_name(access: V3Access) -> str:
    """The ``userName`` of a unit's system: the code of the unit."""
    return str(access.unit.code)


def _within_hours(access: V3Access, at: datetime) -> bool:
    start, end = access.hours_from, access.hours_until
    if start is None or end is None:
        return True
    now = localtime(at).time()
    return start <= now < end if start < end else not end <= now < start


def _count(access: V3Access, count: str, started: str) -> int:
    now = clock.security_now()
    statement = _COUNT.format(count=count, started=started)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"now": now, "since": now - timedelta(minutes=1), "access": access.pk})
        return int(cursor.fetchone()[0])


def _actor(access: V3Access, address: str | None) -> Actor:
    organisation = access.unit.organisation
    return Actor(
        role=Role.PROVIDER_OPERATOR,
        name=f"V3.0 {access.unit.code}",
        organisation_id=organisation.pk,
        organisation_name=organisation.name,
        province=organisation.province,
        channel="v3",
        address=address,
    )


def record(access: V3Access, actor: Actor, operation: str, code: MsgCode, **detail: Any) -> None:
    """Write the audit row of a call, in the current transaction; ``detail`` holds numbers only."""
    denied = code > MsgCode.MORE_WAITING
    audit.record(
        action=f"v3.{operation}"[:64],
        actor=actor,
        outcome=AuditEntry.Outcome.DENIED if denied else AuditEntry.Outcome.DONE,
        subject=access,
        detail={"code": code.value, **detail},
    )
