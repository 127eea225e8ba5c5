"""The wrapping of V3.0 files: zip, then AES, then base64; and the digests that go with it.

MD5, the fixed initialisation vector and the shared password are what the standard of 2013 prescribes. They guard
little, so the service is off unless a unit asks for it, and may be bound to addresses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import zipfile
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from filings.intake.lines import Readable
from filings.intake.records import FileRefused
from filings.intake.unpack import Unpacked, only_member
from filings.intake.v3 import MAX_FILE
from filings.v3.codes import CallRefused, MsgCode
from filings.v3.in_flight import Reservation

NO_CIPHER: Final = 0
AES: Final = 1
CIPHERS: Final = {"0": NO_CIPHER, "1": AES}
MD5: Final = "0"
ZIP: Final = "0"
RANDOM_CHARACTERS: Final = 20

_BLOCK_BITS: Final = 128


class Secret(msgspec.Struct, frozen=True):
    """What a unit's system and the portal share: the password, and key and vector of AES (16 characters each)."""

    password: str
    key: str
    vector: str


def password_digest(password: str, random: str) -> str:
    """``pwdHash``: base64 of the MD5 of password and ``randVal`` together, in GBK."""
    return content_digest((password + random).encode("gbk", errors="replace"))


def content_digest(content: bytes) -> str:
    """``beianInfoHash``: base64 of the MD5 of the zip, before it is encrypted."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def encrypt(content: bytes, cipher: int, secret: Secret) -> bytes:
    """Encrypt a zip as ``cipher`` says (AES-CBC, PKCS5 padding, or not at all)."""
    if cipher == NO_CIPHER:
        return content
    padder, encryptor = PKCS7(_BLOCK_BITS).padder(), _cipher(secret).encryptor()
    return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()


def decrypt(content: bytes, cipher: int, secret: Secret) -> bytes:
    """The zip behind ``beianInfo``. Raises :class:`CallRefused` (6) where it cannot be decrypted."""
    if cipher == NO_CIPHER:
        return content
    decryptor, unpadder = _cipher(secret).decryptor(), PKCS7(_BLOCK_BITS).unpadder()
    try:
        return unpadder.update(decryptor.update(content) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise CallRefused(MsgCode.NOT_DECRYPTED) from error


def _cipher(secret: Secret) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(secret.key.encode()), modes.CBC(secret.vector.encode()))


def zip_up(name: str, content: bytes) -> bytes:
    """A zip of one file, equal for equal content: it carries no time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


class Unzipped:
    """The one file of a zip as a bounded stream, which remembers the digest (SHA-256, hex) of what was read.

    Making and reading it raise :class:`CallRefused`: 8 damaged, 17 not exactly one file, 18 too large.
    """

    def __init__(self, content: bytes) -> None:
        self._stream = Unpacked(_only_member(content), len(content))
        self._hash = hashlib.sha256()
        self._left = MAX_FILE

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""
        try:
            piece = self._stream.read(size)
        except FileRefused as fault:
            large = fault.code == "file.too_large"
            raise CallRefused(MsgCode.TOO_LARGE if large else MsgCode.NOT_UNZIPPED) from fault
        self._left -= len(piece)
        if self._left < 0:
            raise CallRefused(MsgCode.TOO_LARGE)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """Read what is left and return the digest of the whole file."""
        while self.read(256 * 1024):
            pass
        return self._hash.hexdigest()


def _only_member(content: bytes) -> Readable:
    try:
        return only_member(io.BytesIO(content))
    except FileRefused as fault:
        damaged = fault.code == "file.damaged"
        raise CallRefused(MsgCode.NOT_UNZIPPED if damaged else MsgCode.NOT_ONE_FILE) from fault


class Base64Sink:
    """Decodes base64 as it arrives, so that the text of a large file is never held; at most ``MAX_FILE`` bytes.

    What it holds it has from the reservation of its call.
    """

    def __init__(self, reservation: Reservation) -> None:
        self._reservation = reservation
        self._content = bytearray()
        self._rest = ""
        self._fault: MsgCode | None = None

    def feed(self, text: str) -> None:
        """Take in the next piece of text; after a fault the rest is let pass."""
        if self._fault is not None:
            return
        waiting = self._rest + "".join(text.split())
        whole = len(waiting) // 4 * 4
        try:
            piece = base64.b64decode(waiting[:whole], validate=True)
            self._reservation.take(len(piece))
            self._content += piece
        except (binascii.Error, ValueError):
            self._fail(MsgCode.NOT_DECRYPTED)
        except CallRefused as busy:
            self._fail(busy.code)
        self._rest = waiting[whole:]
        if len(self._content) > MAX_FILE:
            self._fail(MsgCode.TOO_LARGE)

    def vouch(self) -> None:
        """It is known who calls."""
        try:
            self._reservation.vouch()
        except CallRefused as busy:
            self._fail(busy.code)

    def _fail(self, fault: MsgCode) -> None:
        self._fault = fault
        self._content.clear()
        self._reservation.release()

    def content(self) -> bytes:
        """Hand over what was sent, once.

        Raises :class:`CallRefused`: 18 too large, 6 no base64 or nothing at all, 15 too much in flight.
        """
        if self._fault is None and (self._rest or not self._content):
            self._fault = MsgCode.NOT_DECRYPTED
        if self._fault is not None:
            raise CallRefused(self._fault)
        content = bytes(self._content)
        self._content.clear()
        return content
