"""A unit's access by the V3.0 service: switched on and off by its administrator, with a secret that can be read again.

The national interface proves knowledge of the password itself, so a digest would not do. Password, AES key and vector
lie encrypted under the master key; nothing else of the portal opens with them.
"""

from __future__ import annotations

import secrets
import string
from collections import Counter
from collections.abc import Sequence
from datetime import time
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from django.db import transaction
from django.utils.translation import gettext as _

from filings.models import V3Access
from filings.selectors.v3 import access_of
from filings.services import crypto
from filings.v3.package import Secret
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import PilotUnit
from pilot.services import audit
from pilot.services.api_keys import network_of

PASSWORD_CHARACTERS: Final = 24
BLOCK_CHARACTERS: Final = 16
_ALPHABET: Final = string.ascii_letters + string.digits


@audit.denials_recorded("v3-access.on")
@transaction.atomic
def switch_on(*, actor: Actor, unit: PilotUnit) -> V3Access:
    """Open the service for a unit; its secret is made the first time and stays the same when it is opened again.

    Raises :class:`NotPermitted` for anybody but the unit's administrator, :class:`Refused` when it is open.
    """
    _require_own(actor, unit)
    PilotUnit.unscoped.select_for_update(of=("self",)).get(pk=unit.pk)  # of two at once one makes the secret
    access = access_of(unit)
    if access is None:
        access = V3Access(unit=unit)
        _renew(access)
    elif access.enabled:
        raise Refused(_("V3.0 接口已经启用"))
    access.enabled = True
    access.save()
    audit.record(action="v3-access.on", actor=actor, subject=access)
    return access


@audit.denials_recorded("v3-access.off")
@transaction.atomic
def switch_off(*, actor: Actor, unit: PilotUnit) -> V3Access:
    """Close the service at once. Raises as :func:`switch_on`, :class:`Refused` when it is closed."""
    access = _own(actor, unit)
    if not access.enabled:
        raise Refused(_("V3.0 接口尚未启用"))
    access.enabled = False
    access.save(update_fields=["enabled"])
    audit.record(action="v3-access.off", actor=actor, subject=access)
    return access


@audit.denials_recorded("v3-access.configure")
@transaction.atomic
def configure(
    *,
    actor: Actor,
    unit: PilotUnit,
    networks: Sequence[str],
    hours_from: time | None,
    hours_until: time | None,
) -> V3Access:
    """Say from where and when calls are taken; no networks: from anywhere, no hours: always.

    Raises as :func:`switch_on`, and :class:`Refused` for what is no network or half a period.
    """
    access = _own(actor, unit)
    if (hours_from is None) != (hours_until is None) or (
        hours_from is not None and hours_from == hours_until
    ):
        raise Refused(_("请同时填写不同的开始和结束时刻，或都不填"))
    access.networks = [network_of(text) for text in networks]
    access.hours_from, access.hours_until = hours_from, hours_until
    access.save(update_fields=["networks", "hours_from", "hours_until"])
    hours = [moment and moment.isoformat("minutes") for moment in (hours_from, hours_until)]
    audit.record(
        action="v3-access.configure",
        actor=actor,
        subject=access,
        detail={"networks": access.networks, "hours": hours},
    )
    return access


@audit.denials_recorded("v3-access.rotate")
@transaction.atomic
def rotate(*, actor: Actor, unit: PilotUnit) -> Secret:
    """Make a new secret; the old one is worthless at once. Raises as :func:`switch_on`."""
    access = _own(actor, unit)
    secret = _renew(access)
    access.save(update_fields=["sealed_secret", "master_version", "secret_at"])
    audit.record(action="v3-access.rotate", actor=actor, subject=access)
    return secret


@audit.denials_recorded("v3-access.reveal")
@transaction.atomic
def reveal(*, actor: Actor, unit: PilotUnit) -> Secret:
    """The secret, for the unit's administrator; reading it is on record. Raises as :func:`switch_on`."""
    access = _own(actor, unit)
    audit.record(action="v3-access.reveal", actor=actor, subject=access)
    return secret_of(access)


def secret_of(access: V3Access) -> Secret:
    """The secret of an access. Raises ``cryptography.exceptions.InvalidTag`` when the row was tampered with."""
    sealed = bytes(access.sealed_secret)
    return msgspec.json.decode(
        crypto.unwrap(sealed, _bound(access.unit_id), access.master_version), type=Secret
    )


@transaction.atomic
def rewrap_secrets() -> int:
    """Encrypt every secret anew that an older master key encrypted; returns how many.

    One that was tampered with is left as it is: the others are not held up.
    """
    old, brought = V3Access.unscoped.filter(master_version__lt=crypto.master_version()), 0
    for access in old.select_for_update():
        try:
            _seal(access, secret_of(access))
        except InvalidTag:
            continue
        access.save(update_fields=["sealed_secret", "master_version"])
        brought += 1
    return brought


def versions_in_use() -> Counter[int]:
    """How many secrets are sealed under each version of the master key."""
    return Counter(V3Access.unscoped.values_list("master_version", flat=True))


def may_manage(actor: Actor) -> bool:
    """Whether this actor manages its unit's access."""
    return policy.may_open("v3_access_secret", actor.role)


def _renew(access: V3Access) -> Secret:
    secret = Secret(_random(PASSWORD_CHARACTERS), _random(BLOCK_CHARACTERS), _random(BLOCK_CHARACTERS))
    _seal(access, secret)
    access.secret_at = clock.security_now()
    return secret


def _seal(access: V3Access, secret: Secret) -> None:
    access.sealed_secret = crypto.wrap(msgspec.json.encode(secret), _bound(access.unit_id))
    access.master_version = crypto.master_version()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _n in range(characters))


def _bound(unit_id: Any) -> bytes:
    return f"v3-access:{unit_id}".encode()


def _own(actor: Actor, unit: PilotUnit) -> V3Access:
    _require_own(actor, unit)
    access: V3Access | None = (
        V3Access.unscoped.select_for_update(of=("self",)).select_related("unit").filter(unit=unit).first()
    )
    if access is None:
        raise Refused(_("V3.0 接口尚未启用"))
    return access


def _require_own(actor: Actor, unit: PilotUnit) -> None:
    if not may_manage(actor) or actor.organisation_id != unit.organisation_id:
        raise NotPermitted(_("V3.0 接口由试点单位的企业管理员管理"))
