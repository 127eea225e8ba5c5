"""A provider's system of 2013, written from the interface's description alone; it imports nothing of the portal."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
RANDOM = "a1B2c3D4e5F6g7H8i9J0"


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def zipped(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"{number}.xml", content)
    return out.getvalue()


@dataclass
class Reply:
    """An answer: ``code`` and the parsed ``return`` document."""

    code: int
    document: Any
    text: str
    status: int

    def value(self, path: str) -> str | None:
        found = self.document.findtext(path)
        return found if found is None else found.strip()


class Fault(Exception):
    """A SOAP fault with its code."""


@dataclass
class System:
    """The provider's own system: its account, and how it posts (body, content type) → (status, body)."""

    post: Callable[[bytes, str], tuple[int, bytes]]
    isp_id: int
    user: str
    password: str
    key: str = ""
    vector: str = ""
    namespace: str = "http://upload.isp.example/"
    charset: str = "utf-8"
    cipher: int = 1
    encoded: bool = False  # as Axis 1 writes: numbers stand apart, shared where they are equal
    changed: dict[str, str] = field(default_factory=dict)  # arguments sent otherwise than they should be

    def but(self, **changed: str) -> System:
        return System(**{**self.__dict__, "changed": {**self.changed, **changed}})

    # --- the calls ----------------------------------------------------------------------------------
    def upload(self, sequence: int, *documents: bytes, packed: bytes | None = None) -> Reply:
        content = zipped(*documents) if packed is None else packed
        return self.call(
            "isp_upload",
            beianInfo=base64.b64encode(self.encrypt(content) if self.cipher else content).decode(),
            beianInfoHash=md5(content),
            dataSequence=str(sequence),
            encryptAlgorithm=str(self.cipher),
            hashAlgorithm="0",
            compressionFormat="0",
        )

    def previous(self) -> Reply:
        return self.call("isp_querypreviousupload", hashAlgorithm="0")

    def download(self) -> Reply:
        return self.call("isp_download", hashAlgorithm="0")

    def acknowledge(self, name: str) -> Reply:
        return self.call("isp_downloadack", hashAlgorithm="0", fileName=name)

    # --- how they travel ----------------------------------------------------------------------------
    def envelope(self, operation: str, **arguments: str) -> bytes:
        stated = {
            "ispId": str(self.isp_id),
            "userName": self.user,
            "randVal": RANDOM,
            "pwdHash": md5((self.password + RANDOM).encode("gbk")),
            **arguments,
            **{name: text for name, text in self.changed.items() if name in arguments or name in _COMMON},
        }
        if self.encoded:
            return self._encoded(operation, stated)
        listed = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in stated.items())
        return (
            f'<?xml version="1.0" encoding="{self.charset}"?><e:Envelope xmlns:e="{ENVELOPE}"><e:Body>'
            f'<n:{operation} xmlns:n="{self.namespace}">{listed}</n:{operation}></e:Body></e:Envelope>'
        ).encode(self.charset)

    def _encoded(self, operation: str, stated: dict[str, str]) -> bytes:
        style = f'e:encodingStyle="{ENCODING}"'
        apart = {
            text: f"id{number}" for number, text in enumerate(map(stated.get, _NUMBERS)) if text is not None
        }
        listed = "".join(
            f'<{name} href="#{apart[text]}"/>'
            if name in _NUMBERS
            else f'<{name} xsi:type="soapenc:string" xmlns:soapenc="{ENCODING}">{escape(text)}</{name}>'
            for name, text in stated.items()
        )
        values = "".join(
            f'<multiRef id="{place}" soapenc:root="0" {style} xsi:type="xsd:long" xmlns:soapenc="{ENCODING}">'
            f"{text}</multiRef>"
            for text, place in apart.items()
        )
        return (
            f'<?xml version="1.0" encoding="{self.charset}"?><e:Envelope xmlns:e="{ENVELOPE}" '
            'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f'<e:Body><n:{operation} {style} xmlns:n="{self.namespace}">{listed}</n:{operation}>{values}'
            "</e:Body></e:Envelope>"
        ).encode(self.charset)

    def call(self, operation: str, **arguments: str) -> Reply:
        body = self.envelope(operation, **arguments)
        status, answer = self.post(body, f"text/xml; charset={self.charset}")
        return self.read(operation, status, answer)

    def read(self, operation: str, status: int, answer: bytes) -> Reply:
        (body,) = etree.fromstring(answer)
        (content,) = body
        if content.tag == f"{{{ENVELOPE}}}Fault":
            raise Fault(f"{status} {content.findtext('faultcode')} {content.findtext('faultstring')}")
        assert content.tag == f"{{{self.namespace}}}{operation}Response"
        text = content.findtext("return")
        document = etree.fromstring(text.encode("gbk"))
        return Reply(int(document.findtext("msg_code")), document, text, status)

    def encrypt(self, content: bytes) -> bytes:
        padding = 16 - len(content) % 16
        encryptor = self._cipher().encryptor()
        return encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()

    def open(self, reply: Reply) -> bytes:
        """The document inside ``fileInfos``, its digest checked."""
        assert (reply.value("fileInfos/hashAlgorithm"), reply.value("fileInfos/compressionFormat")) == (
            "0",
            "0",
        )
        content = base64.b64decode(reply.value("fileInfos/beianInfo"), validate=True)
        if reply.value("fileInfos/encryptAlgorithm") == "1":
            decryptor = self._cipher().decryptor()
            padded = decryptor.update(content) + decryptor.finalize()
            content = padded[: -padded[-1]]
        assert md5(content) == reply.value("fileInfos/beianInfoHash")
        archive = zipfile.ZipFile(io.BytesIO(content))
        (name,) = archive.namelist()
        return archive.read(name)

    def _cipher(self) -> Any:
        return Cipher(algorithms.AES(self.key.encode()), modes.CBC(self.vector.encode()))


_NUMBERS = ("ispId", "dataSequence", "encryptAlgorithm", "hashAlgorithm", "compressionFormat")
_COMMON = {"ispId", "userName", "randVal", "pwdHash"}
