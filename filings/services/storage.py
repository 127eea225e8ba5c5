"""Data keys of unit-months, and what lies in a stored form's ciphertext."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from django.db import transaction
from django.utils.translation import gettext as _
from isal import isal_zlib

from filings.enums import StoredCipher
from filings.models import UnitMonthKey, VerificationForm
from filings.services import ciphers, crypto
from pilot.errors import ContentDestroyed

COMPRESSION: Final = 0
LENGTH_BYTES: Final = 4


def month_key(*, unit_id: int, month: date) -> UnitMonthKey:
    """The data key row of a unit's month (``month``: its first day), made when there is none yet.

    A new one is for the cipher that ``PILOT_CIPHER`` names, and keeps it.
    """
    key = UnitMonthKey.objects.filter(unit=unit_id, month=month).first()
    if key is None:
        cipher = ciphers.chosen()
        key, _made = UnitMonthKey.objects.get_or_create(
            unit_id=unit_id,
            month=month,
            defaults={
                "wrapped": crypto.wrap(crypto.new_key(cipher), _bound(unit_id, month, cipher), cipher),
                "master_version": crypto.master_version(),
                "cipher": cipher,
            },
        )
    return key


def is_destroyed(*, unit_id: int, month: date) -> bool:
    """Whether the content of a unit's month (its first day) was destroyed."""
    return UnitMonthKey.objects.filter(unit=unit_id, month=month, destroyed_at__isnull=False).exists()


def data_key(key: UnitMonthKey) -> bytes:
    """The data key itself; raises :class:`ContentDestroyed`, or ``MasterKeyMissing`` after a hasty rotation."""
    if key.destroyed_at is not None:
        raise ContentDestroyed(_("内容已销毁"))
    cipher = StoredCipher(key.cipher)
    bound_to = _bound(key.unit_id, key.month, cipher)
    return crypto.unwrap(bytes(key.wrapped), bound_to, key.master_version, cipher)


@transaction.atomic
def rewrap_keys() -> int:
    """Wrap every data key anew that an older master key wrapped; returns how many. No form is rewritten.

    One that was tampered with is left as it is: the others are not held up.
    """
    old = UnitMonthKey.objects.filter(
        master_version__lt=crypto.master_version(), destroyed_at__isnull=True
    ).select_for_update()
    brought = 0
    for key in old:
        cipher = StoredCipher(key.cipher)
        try:
            key.wrapped = crypto.wrap(data_key(key), _bound(key.unit_id, key.month, cipher), cipher)
        except InvalidTag:
            continue
        key.master_version = crypto.master_version()
        key.save(update_fields=["wrapped", "master_version"])
        brought += 1
    return brought


def versions_in_use() -> Counter[int]:
    """How many data keys are wrapped under each version of the master key."""
    rows = UnitMonthKey.objects.filter(destroyed_at__isnull=True)
    return Counter(rows.values_list("master_version", flat=True))


def close_content(key: bytes, uuid: UUID, *, canonical: bytes, raw: bytes) -> bytes:
    """The ciphertext of a form: its normalised record (canonical JSON) and the row as it was sent.

    The two are nearly the same text, so they are compressed together before they are sealed; in zlib's format, by a
    library that takes a third of zlib's time. A row that was sent in its normal form is kept once.
    """
    sent = b"" if raw == canonical else raw
    content = len(canonical).to_bytes(LENGTH_BYTES, "big") + canonical + sent
    return crypto.seal(key, uuid.bytes, isal_zlib.compress(content, COMPRESSION))


def open_form(form: VerificationForm) -> dict[str, Any]:
    """The normalised record of a stored form (JSON types only).

    Raises ``cryptography.exceptions.InvalidTag`` when the row or its key was tampered with, and as :func:`data_key`.
    Callers of many forms use ``select_related("key")``.
    """
    record: dict[str, Any] = msgspec.json.decode(_parts(form)[0])
    return record


def raw_row(form: VerificationForm) -> bytes:
    """The row as the unit sent it; in V3.0 without the pictures, which are kept as attachments."""
    return _parts(form)[1]


def _parts(form: VerificationForm) -> tuple[bytes, bytes]:
    content = zlib.decompress(crypto.unseal(data_key(form.key), form.uuid.bytes, bytes(form.ciphertext)))
    end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "big")
    canonical, sent = content[LENGTH_BYTES:end], content[end:]
    return canonical, sent or canonical


def _bound(unit_id: int, month: date, cipher: StoredCipher) -> bytes:
    named = "" if cipher == StoredCipher.AES_256_GCM else f":{cipher}"
    return f"{unit_id}:{month:%Y-%m}{named}".encode()
