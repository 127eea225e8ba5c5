"""The secrets of second factors at rest: sealed under the master key, so that a dump of the database signs nobody in.

A sealed text reads ``sealed:<version of the key>:<base64>``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from typing import Any, Final

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import transaction

from pilot import clock, sealing

MARK: Final = "sealed"
BOUND: Final = b"second-factor"


def _masters() -> dict[int, str]:
    return sealing.versions(settings.PILOT_MASTER_KEY)


def _key(version: int) -> bytes:
    return sealing.derive(_masters()[version], "second-factor")


def seal(text: str) -> str:
    """Seal with the newest key."""
    version = max(_masters())
    return f"{MARK}:{version}:{b64encode(sealing.seal(_key(version), BOUND, text.encode())).decode()}"


def unseal(text: str) -> str:
    """Open what :func:`seal` made. Raises ``cryptography.exceptions.InvalidTag``, or KeyError for a lost key."""
    _mark, version, sealed = text.split(":")
    return sealing.unseal(_key(int(version)), BOUND, b64decode(sealed)).decode()


@transaction.atomic
def use_once(authenticator: Authenticator, code: str) -> bool:
    """Take a right code out of use, for all processes: whether it, or a later one, was not used before.

    Recovery codes look after themselves.
    """
    if authenticator.type != Authenticator.Type.TOTP:
        return True
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    data: dict[str, Any] = row.data
    secret, given, now = (
        unseal(data["secret"]),
        code.replace(" ", ""),
        int(clock.security_now().timestamp()) // app_settings.TOTP_PERIOD,
    )
    step = next(
        (step for step in (now, now - 1) if format_hotp_value(hotp_value(secret, step)) == given), None
    )
    if step is None or step <= data.get("used_step", -1):
        return False
    row.data = {**data, "used_step": step}
    row.save(update_fields=["data"])
    return True


@transaction.atomic
def reseal() -> int:
    """Bring all secrets under the newest key after a rotation; returns how many were brought.

    One that cannot be read is left as it is: the others are not held up.
    """
    newest, brought = f"{MARK}:{max(_masters())}:", 0
    for row in (
        Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).select_for_update().order_by("pk")
    ):
        data: dict[str, Any] = row.data
        old = {
            key: text
            for key, text in data.items()
            if key in {"secret", "seed"} and not text.startswith(newest)
        }
        if not old:
            continue
        try:
            row.data = {**data, **{key: seal(unseal(text)) for key, text in old.items()}}
        except (InvalidTag, KeyError, ValueError):
            continue
        row.save(update_fields=["data"])
        brought += 1
    return brought


def versions_in_use() -> Counter[int]:
    """How many secrets are sealed under each version of the master key."""
    rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("data", flat=True)
    texts = (data[key] for data in rows for key in ("secret", "seed") if key in data)
    return Counter(int(text.split(":")[1]) for text in texts)
