"""Encryption at rest: AES-256-GCM under keys that are expanded from a secret of the settings, one per purpose.

A secret rotates: ``2:new,1:old`` seals with version 2 and still opens version 1. One without a number is version 1.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pilot.keyring import versions as versions

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


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


def mac(key: bytes, content: bytes) -> bytes:
    """The keyed code of a content: HMAC-SHA-256 (RFC 2104)."""
    code = _mac(key).copy()
    code.update(content)
    return code.finalize()


@lru_cache(maxsize=64)
def _mac(key: bytes) -> HMAC:
    """Setting up a key costs as much as the code of a short text."""
    return HMAC(key, SHA256())


@cache
def derive(secret: str, purpose: str) -> bytes:
    """One key for one purpose (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(
        secret.encode()
    )
