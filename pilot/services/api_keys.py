"""API keys: issued and revoked by the unit's administrator, shown once, recognised by digest, counted per minute."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import ApiMode, ApiScope, Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import ApiKey, PilotUnit
from pilot.services import audit

MOST_ACTIVE: Final = 2  # one in use and one to change over to
LONGEST_LIFE: Final = timedelta(days=366)
PREFIX_CHARACTERS: Final = 8
SECRET_BYTES: Final = 32
WINDOW: Final = timedelta(seconds=60)

# One statement counts the call and says which of the minute it is; the row is locked for its length only.
_COUNT: Final = """
UPDATE pilot_apikey SET
    window_calls = CASE WHEN window_started > %(since)s THEN window_calls + 1 ELSE 1 END,
    window_started = CASE WHEN window_started > %(since)s THEN window_started ELSE %(now)s END,
    last_used_at = %(now)s
WHERE id = %(key)s RETURNING window_calls, window_started
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and its secret, which is not kept anywhere and shown only now."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class Usage:
    """How many calls a key has made in its current minute, and in how many seconds that ends."""

    calls: int
    reset: int


@audit.denials_recorded("api-key.issue")
@transaction.atomic
def issue(
    *,
    actor: Actor,
    unit: PilotUnit,
    name: str,
    mode: str,
    scopes: list[str],
    expires_at: datetime,
    networks: list[str] | None = None,
    seen: int | None = None,
) -> Issued:
    """Make a key for the actor's own unit. ``expires_at`` is security time, at most 366 days ahead.

    ``seen`` is what :func:`newest` told whoever asks for it: a form sent twice makes one key. Raises
    :class:`NotPermitted` for anybody but the unit's administrator, :class:`Refused` with two active keys of this mode,
    for a network that is none, an unknown scope, or a time of expiry that is past or too far off,
    :class:`StateChanged` when a key was made since ``seen``.
    """
    _require_own(actor, unit)
    now = clock.security_now()
    if not name.strip():
        raise Refused(_("请填写密钥名称"), field="name")
    if not scopes or not set(scopes) <= set(ApiScope.values):
        raise Refused(_("请至少选择一项权限"), field="scopes")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Refused(_("到期时间应在今后 %(days)s 天之内") % {"days": LONGEST_LIFE.days}, field="expires_at")
    PilotUnit.unscoped.select_for_update(of=("self",)).get(pk=unit.pk)  # of two at once one is the third key
    if seen is not None and seen != newest(unit):
        raise StateChanged(_("打开创建页面之后本单位已创建密钥，本次提交没有再创建"))
    if active(unit, mode=mode, at=now).count() >= MOST_ACTIVE:
        raise Refused(_("同一用途最多有 %(n)s 个有效密钥，请先停用一个") % {"n": MOST_ACTIVE}, field="mode")
    prefix = f"{ApiMode(mode)}_{secrets.token_hex(PREFIX_CHARACTERS // 2)}"
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key: ApiKey = ApiKey.unscoped.create(
        unit=unit,
        name=name.strip(),
        mode=mode,
        prefix=prefix,
        digest=digest_of(secret),
        scopes=sorted(scopes),
        networks=[network_of(text) for text in networks or []],
        created_at=now,
        created_by_id=actor.acting_person,
        expires_at=expires_at,
    )
    detail = {"prefix": prefix, "scopes": key.scopes, "networks": key.networks}
    audit.record(action="api-key.issue", actor=actor, subject=key, detail=detail)
    return Issued(key, secret)


@audit.denials_recorded("api-key.revoke")
@transaction.atomic
def revoke(*, actor: Actor, key: ApiKey) -> ApiKey:
    """Make a key worthless at once. Raises :class:`NotPermitted`, or :class:`Refused` when it already is."""
    _require_own(actor, key.unit)
    locked: ApiKey = ApiKey.unscoped.select_for_update().get(pk=key.pk)
    if locked.revoked_at is not None:
        raise Refused(_("该密钥已停用"))
    locked.revoked_at, locked.revoked_by_id = clock.security_now(), actor.acting_person
    locked.save(update_fields=["revoked_at", "revoked_by"])
    audit.record(action="api-key.revoke", actor=actor, subject=locked, detail={"prefix": locked.prefix})
    return locked


def newest(unit: PilotUnit) -> int:
    """The number of the key of a unit that was made last; 0 where there is none."""
    found: int | None = ApiKey.unscoped.filter(unit=unit).order_by("-pk").values_list("pk", flat=True).first()
    return found or 0


def active(unit: PilotUnit, *, mode: str, at: datetime) -> QuerySet[ApiKey]:
    """The keys of a unit and mode that open something at ``at`` (security time)."""
    keys: QuerySet[ApiKey] = ApiKey.unscoped.filter(unit=unit, mode=mode)
    return keys.filter(revoked_at__isnull=True, expires_at__gt=at)


def digest_of(secret: str) -> str:
    """SHA-256 of a whole key; a slow hash guards no better where the secret itself is random."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find(secret: str, *, address: str | None) -> ApiKey | None:
    """The key this secret stands for, or None: unknown, revoked, expired, or used from outside its networks."""
    if not (secret.isascii() and secret.isprintable()):  # the database takes no NUL
        return None
    mode, _first, rest = secret.partition("_")
    prefix = f"{mode}_{rest.partition('_')[0]}"
    key: ApiKey | None = (
        ApiKey.unscoped.select_related("unit__organisation", "unit__programme").filter(prefix=prefix).first()
    )
    if key is None or not secrets.compare_digest(key.digest, digest_of(secret)):
        return None
    usable = key.revoked_at is None and clock.security_now() < key.expires_at
    return key if usable and allows(key, address) else None


def allows(key: Any, address: str | None) -> bool:
    """Whether a key (or whatever else has ``networks``) may be used from an address.

    IPv4 counts as such also where a socket shows it as IPv6.
    """
    if not key.networks:
        return True
    if address is None:
        return False
    caller = ip_address(address)
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in ip_network(network) for network in key.networks)


def count_call(key: ApiKey) -> Usage:
    """Count one call of a key against its minute."""
    now = clock.security_now()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": now, "since": now - WINDOW, "key": key.pk})
        calls, started = cursor.fetchone()
    return Usage(calls, max(1, -((now - started - WINDOW) // timedelta(seconds=1))))


def actor_of(key: ApiKey, *, address: str | None) -> Actor:
    """Who acts when a key does: the unit's own systems, which are no person."""
    organisation = key.unit.organisation
    return Actor(
        role=Role.PROVIDER_OPERATOR,
        name=key.prefix,
        organisation_id=organisation.pk,
        organisation_name=organisation.name,
        province=organisation.province,
        channel="api",
        address=address,
    )


def _require_own(actor: Actor, unit: PilotUnit) -> None:
    if not policy.may_open("api_key_create", actor.role) or actor.organisation_id != unit.organisation_id:
        raise NotPermitted(_("接口密钥由试点单位的企业管理员管理"))


def network_of(text: str) -> str:
    """An address or network in its usual spelling; raises :class:`Refused` for anything else."""
    try:
        if "%" in text:  # a zone: it means something on one machine only
            raise ValueError
        return str(ip_network(text.strip()))
    except ValueError:
        raise Refused(_("“%(text)s”不是 IP 地址或网段") % {"text": text.strip()}, field="networks") from None
