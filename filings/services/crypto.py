"""Keys and ciphers of stored forms (design.md, "Storage of forms"); nothing here touches the database.

Three secrets, each expanded by HKDF-SHA-256 into one key per purpose:

* ``PILOT_MASTER_KEY`` wraps the data keys (one per unit and month). It rotates: ``2:new,1:old`` wraps with version 2
  and still opens version 1. A secret without a number is version 1.
* ``PILOT_INDEX_KEY`` makes blind indexes, which find equal certificates without telling them. It rotates likewise;
  every index begins with the version it was made with.
* ``PILOT_DIGEST_KEY`` makes the digests that recognise identical repeats. It never rotates.
"""

from __future__ import annotations

import hmac
import os
import re
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from filings.validators.names import comparable_name

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_NUMBERED: Final = re.compile(r"[1-9][0-9]?:[^,]+(,[1-9][0-9]?:[^,]+)*").fullmatch


def new_key() -> bytes:
    """A fresh random data key."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, bound_to: bytes, content: bytes) -> bytes:
    """Encrypt with AES-256-GCM; the result opens only together with ``bound_to`` (the row's own identity)."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, content, bound_to)


def unseal(key: bytes, bound_to: bytes, sealed: bytes) -> bytes:
    """Decrypt what :func:`seal` made; raises ``cryptography.exceptions.InvalidTag`` if anything was changed."""
    return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    """Setting up a key costs as much as sealing a form with it."""
    return AESGCM(key)


def master_version() -> int:
    """The version of the master key that wraps new data keys."""
    return max(_versions(settings.PILOT_MASTER_KEY))


def wrap(key: bytes, bound_to: bytes) -> bytes:
    """Encrypt a data key with the current master key."""
    return seal(_master(master_version()), bound_to, key)


def unwrap(wrapped: bytes, bound_to: bytes, version: int) -> bytes:
    """Decrypt a data key that master key ``version`` wrapped; KeyError when that version is no longer configured."""
    return unseal(_master(version), bound_to, wrapped)


def spool_key(job: UUID, version: int) -> bytes:
    """The key of the spooled files of one upload job under master key ``version``; made from it, so never stored."""
    return _derive(_versions(settings.PILOT_MASTER_KEY)[version], f"spool:{job}")


def repeat_digest(content: bytes) -> bytes:
    """The keyed digest of a form's canonical content: equal for an identical repeat, for good."""
    return hmac.digest(_derive(settings.PILOT_DIGEST_KEY, "repeat"), content, "sha256")


def certificate_index(cert_type: int, cert_no: str) -> bytes:
    """The blind index of a certificate, made with the current version of the index key."""
    return _index(max(_versions(settings.PILOT_INDEX_KEY)), f"certificate\0{cert_type}\0{cert_no}")


def certificate_indexes(cert_type: int, cert_no: str) -> list[bytes]:
    """The blind indexes of a certificate under every configured version, for searching."""
    return [
        _index(version, f"certificate\0{cert_type}\0{cert_no}")
        for version in _versions(settings.PILOT_INDEX_KEY)
    ]


def authority_keys(cert_type: int, cert_no: str, name: str) -> tuple[bytes, bytes]:
    """The keyed digests of a person or organisation: of its certificate, and of its name under that certificate.

    The second is bound to the first, so that equal names of different people do not show as equal.
    """
    identity = certificate_index(cert_type, cert_no)
    return identity, _index(identity[0], f"name\0{identity.hex()}\0{comparable_name(name)}")


def _index(version: int, text: str) -> bytes:
    key = _derive(_versions(settings.PILOT_INDEX_KEY)[version], "index")
    return bytes([version]) + hmac.digest(key, text.encode(), "sha256")


def _master(version: int) -> bytes:
    return _derive(_versions(settings.PILOT_MASTER_KEY)[version], "master")


@cache
def _versions(secrets: str) -> dict[int, str]:
    """``"2:new,1:old"`` as version (1 to 99) → secret; any other text is one secret, version 1."""
    if _NUMBERED(secrets) is None:
        return {1: secrets}
    numbered = (part.split(":", 1) for part in secrets.split(","))
    return {int(number): secret for number, secret in numbered}


@cache
def _derive(secret: str, purpose: str) -> bytes:
    """One key for one purpose (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(
        secret.encode()
    )
