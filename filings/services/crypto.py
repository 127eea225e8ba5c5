"""Keys and ciphers of stored forms (design.md, "Storage of forms"); nothing here touches the database.

Three secrets, each expanded by HKDF-SHA-256 into one key per purpose:

* ``PILOT_MASTER_KEY`` wraps the data keys (one per unit and month), each with the cipher it is for. It rotates:
  ``2:new,1:old`` wraps with version 2 and still opens version 1. A secret without a number is version 1.
* ``PILOT_INDEX_KEY`` makes blind indexes, which find equal certificates without telling them. It rotates likewise;
  every index begins with the version it was made with.
* ``PILOT_DIGEST_KEY`` makes the digests that recognise identical repeats. It never rotates.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from filings.enums import StoredCipher
from filings.services.ciphers import KEY_BYTES
from filings.services.ciphers import NONCE_BYTES as NONCE_BYTES
from filings.services.ciphers import seal as seal
from filings.services.ciphers import unseal as unseal
from filings.validators.names import comparable_name
from pilot.errors import NotReady
from pilot.sealing import derive, mac, versions


class MasterKeyMissing(NotReady):
    """A master key that still protects something is no longer configured; put back, it opens everything again."""

    def __init__(self, version: int) -> None:
        super().__init__(
            _("主密钥第 %(version)s 版仍在使用，但已从配置中移除；请恢复后再轮换") % {"version": version}
        )


def new_key(cipher: StoredCipher = StoredCipher.AES_256_GCM) -> bytes:
    """A fresh random data key for a cipher."""
    return os.urandom(KEY_BYTES[cipher])


def master_version() -> int:
    """The version of the master key that wraps new data keys."""
    return max(versions(settings.PILOT_MASTER_KEY))


def wrap(key: bytes, bound_to: bytes, cipher: StoredCipher = StoredCipher.AES_256_GCM) -> bytes:
    """Encrypt a key (or another short secret) with the current master key, by the given cipher."""
    return seal(_master(master_version(), cipher), bound_to, key)


def unwrap(
    wrapped: bytes, bound_to: bytes, version: int, cipher: StoredCipher = StoredCipher.AES_256_GCM
) -> bytes:
    """Decrypt what :func:`wrap` made under master key ``version``; raises :class:`MasterKeyMissing`."""
    return unseal(_master(version, cipher), bound_to, wrapped)


def spool_key(job: UUID, version: int) -> bytes:
    """The key of the spooled files of one upload job under master key ``version``; made from it, so never stored.

    Raises :class:`MasterKeyMissing`.
    """
    return derive(_secret(version), f"spool:{job}")


def repeat_digest(content: bytes) -> bytes:
    """The keyed digest of a form's canonical content: equal for an identical repeat, for good."""
    return mac(derive(settings.PILOT_DIGEST_KEY, "repeat"), content)


def certificate_index(cert_type: int, cert_no: str) -> bytes:
    """The blind index of a certificate, made with the current version of the index key."""
    return _index(max(versions(settings.PILOT_INDEX_KEY)), f"certificate\0{cert_type}\0{cert_no}")


def certificate_indexes(cert_type: int, cert_no: str) -> list[bytes]:
    """The blind indexes of a certificate under every configured version, for searching."""
    return [_index(version, f"certificate\0{cert_type}\0{cert_no}") for version in _index_versions()]


def reference_index(kind: str, value: str) -> bytes:
    """The blind index of a 备案号 or of an id in the provincial system, made with the current version."""
    return reference_indexes(kind, value)[0]


def reference_indexes(kind: str, value: str) -> list[bytes]:
    """The same under every configured version, the newest first: for searching."""
    return [_index(version, f"reference\0{kind}\0{value}") for version in _index_versions()]


def authority_keys(cert_type: int, cert_no: str, name: str) -> tuple[bytes, bytes]:
    """The keyed digests of a person or organisation: of its certificate, and of its name under that certificate.

    The second is bound to the first, so that equal names of different people do not show as equal.
    """
    return next(authority_keys_everywhere(cert_type, cert_no, name))


def authority_keys_everywhere(cert_type: int, cert_no: str, name: str) -> Iterator[tuple[bytes, bytes]]:
    """As :func:`authority_keys` under every configured version of the index key, the newest first: for comparing."""
    for identity in certificate_indexes(cert_type, cert_no):
        yield identity, _index(identity[0], f"name\0{identity.hex()}\0{comparable_name(name)}")


def _index_versions() -> list[int]:
    return sorted(versions(settings.PILOT_INDEX_KEY), reverse=True)


def _index(version: int, text: str) -> bytes:
    key = derive(versions(settings.PILOT_INDEX_KEY)[version], "index")
    return bytes([version]) + mac(key, text.encode())


def _master(version: int, cipher: StoredCipher) -> bytes:
    """The key that wraps, one per cipher: RFC 5869 cut to the length the cipher needs."""
    purpose = "master" if cipher == StoredCipher.AES_256_GCM else f"master:{cipher}"
    return derive(_secret(version), purpose)[: KEY_BYTES[cipher]]


def _secret(version: int) -> str:
    try:
        return versions(settings.PILOT_MASTER_KEY)[version]
    except KeyError:
        raise MasterKeyMissing(version) from None
