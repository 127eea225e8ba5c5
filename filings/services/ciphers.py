"""What stored content is sealed with: AES-256-GCM or SM4-GCM (GB/T 32907, RFC 8998), as ``PILOT_CIPHER`` says.

Every unit-month keeps the cipher it began with, so months under either lie beside each other. The two are told apart
by the key alone: SM4 has 16 bytes, AES-256 has 32, and neither library takes the other's.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

from filings.enums import StoredCipher
from pilot import sealing

NONCE_BYTES: Final = sealing.NONCE_BYTES
TAG_BYTES: Final = 16
KEY_BYTES: Final = {StoredCipher.AES_256_GCM: sealing.KEY_BYTES, StoredCipher.SM4_GCM: 16}
_SM4_KEY: Final = KEY_BYTES[StoredCipher.SM4_GCM]


def chosen() -> StoredCipher:
    """The cipher of months that begin now; ``ValueError`` for a setting that names none (a system check says so)."""
    return StoredCipher(settings.PILOT_CIPHER)


def seal(key: bytes, bound_to: bytes, content: bytes) -> bytes:
    """Encrypt with the cipher the key is for; the result opens only together with ``bound_to``."""
    if len(key) != _SM4_KEY:
        return sealing.seal(key, bound_to, content)
    nonce = os.urandom(NONCE_BYTES)
    return nonce + sm4_encrypt(key, nonce, bound_to, content)


def unseal(key: bytes, bound_to: bytes, sealed: bytes) -> bytes:
    """Decrypt what :func:`seal` made; raises ``cryptography.exceptions.InvalidTag`` if anything was changed."""
    if len(key) != _SM4_KEY:
        return sealing.unseal(key, bound_to, sealed)
    nonce, content, tag = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:]
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise InvalidTag
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(bound_to)
    return decryptor.update(content) + decryptor.finalize()


def sm4_encrypt(key: bytes, nonce: bytes, bound_to: bytes, content: bytes) -> bytes:
    """SM4-GCM as RFC 8998 has it: ciphertext, then a tag of 16 bytes. A nonce serves once under a key."""
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound_to)
    return encryptor.update(content) + encryptor.finalize() + encryptor.tag


def is_available(cipher: StoredCipher) -> bool:
    """Whether the OpenSSL that is installed can do this cipher."""
    key = bytes(KEY_BYTES[cipher])
    try:
        return unseal(key, b"", seal(key, b"", b"-")) == b"-"
    except UnsupportedAlgorithm:
        return False
