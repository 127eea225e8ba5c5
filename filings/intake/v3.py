"""Reading a V3.0 upload (``UploadData``): its head judged at once, its records one by one.

The parser resolves no entities, loads no DTD, fetches nothing, and keeps libxml2's own limits. The file is
bounded at 50 MB by the interface, so it is held and read twice: once for everything that refuses it as a
whole (``Qqdwid`` stands at its end), once for the records.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from filings.intake.lines import CHUNK, Readable
from filings.intake.records import FileRefused, RawRow

MAX_FILE: Final = 50 * 1024 * 1024
MAX_RECORDS: Final = 1000
MAX_ELEMENTS: Final = 50_000
"""Elements of one record; a real one has a few hundred."""
MAX_ATTRIBUTES: Final = 32
"""Of one element, and as many namespaces. The interface has one attribute; to sort many takes C14N quadratic time."""

VERSION: Final = "V.3.0"
RECORD_ELEMENTS: Final = {
    "XZBA": "Baxx",
    "XZWZ": "Xzxx",
    "XZJR": "Xzxx",
    "BGBA": "Bgxx",
    "ZXBA": "Zx_xx",
    "XZHYD": "Fjxx",
}
"""Operation → its record element."""

_XML_SPACE: Final = " \t\r\n"
_TOO_LARGE: Final = 18
_INVALID: Final = 5001
_OTHER_PROVIDER: Final = 5003
_OTHER_VERSION: Final = 5004
_OTHER_BUSINESS: Final = 5009


@dataclass(frozen=True, slots=True)
class V3Record:
    """One record of a V3.0 file.

    ``provider`` is the ``Qqdwid`` of the file, ``digest`` the SHA-256 of the record's canonical form.
    """

    operation: str
    provider: str
    element: Any
    digest: str


def read_v3(stream: Readable, national_id: str) -> Iterator[RawRow]:
    """Judge the file's head, then return its records lazily.

    Raises ``FileRefused`` at once, with the national code, for a file that is empty, no XML or not well
    formed, over the limits, carries a DOCTYPE, has another root, version or business, not exactly one
    operation, or a ``Qqdwid`` other than ``national_id``.
    """
    content = _bounded_content(stream)
    operation = _judge_file(content, national_id)
    return _records(content, operation, national_id)


def _bounded_content(stream: Readable) -> bytes:
    content = bytearray()
    while piece := stream.read(CHUNK):
        content += piece
        if len(content) > MAX_FILE:
            raise FileRefused("file.too_large", national=_TOO_LARGE)
    if not content.strip():
        raise FileRefused("file.empty", national=_INVALID)
    return bytes(content)


def events(stream: Readable) -> Iterator[tuple[str, int, Any]]:
    """Yield ``(event, depth, element)``; depth 0 is the root, 3 a record. No entity is resolved, nothing fetched.

    Comments and processing instructions are left out: they are no content, and would cut the text they stand in.
    """
    parsed = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = -1
    for event, element in parsed:
        depth += event == "start"
        yield event, depth, element
        depth -= event == "end"


def _detach(element: Any) -> None:
    """Take a record out of its file, so that it lives no longer than whoever holds it.

    Prefixes of namespaces may change by it, so whatever tells a record's text is done before.
    """
    element.getparent().remove(element)


def _judge_file(content: bytes, national_id: str) -> str:
    """Return the file's operation, or raise ``FileRefused``."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("file.wrong_type", national=_INVALID)
    head = Head()
    try:
        for event, depth, element in events(io.BytesIO(content)):
            head.see(event, depth, element)
    except etree.XMLSyntaxError as error:
        raise FileRefused("file.damaged", national=_INVALID) from error
    if head.businesses != ["ICP"]:
        raise FileRefused("file.business", national=_OTHER_BUSINESS)
    if len(head.operations) != 1 or head.operations[0] not in RECORD_ELEMENTS:
        raise FileRefused("file.operation", national=_INVALID)
    if head.provider != national_id:
        raise FileRefused("file.provider", national=_OTHER_PROVIDER)
    return head.operations[0]


class Head:
    """What a first reading learns of a file; refuses it as soon as a fault shows."""

    def __init__(self) -> None:
        self.businesses: list[str] = []
        self.operations: list[str] = []
        self.provider = ""
        self._records = 0
        self._elements = 0

    def see(self, event: str, depth: int, element: Any) -> None:
        """Take in one parser event."""
        if event == "start":
            self._elements += 1
            if (
                self._elements > MAX_ELEMENTS
                or len(element.attrib) > MAX_ATTRIBUTES
                or len(element.nsmap) > MAX_ATTRIBUTES
            ):
                raise FileRefused("file.too_large", national=_INVALID)
            if depth == 0:
                self._judge_root(element)
            elif depth == 1:
                self.businesses.append(element.tag)
            elif depth == 2 and element.tag != "Qqdwid":
                self.operations.append(element.tag)
        elif depth == 2 and element.tag == "Qqdwid":
            self.provider = (element.text or "").strip()
        elif depth == 3:
            self._elements = 0
            self._records += 1
            if self._records > MAX_RECORDS:
                raise FileRefused("file.too_many_rows", national=_INVALID, limit=MAX_RECORDS)
            _detach(element)

    @staticmethod
    def _judge_root(root: Any) -> None:
        if root.getroottree().docinfo.internalDTD is not None:
            raise FileRefused("file.doctype", national=_INVALID)
        if root.tag != "UploadData":
            raise FileRefused("file.wrong_root", national=_INVALID)
        if root.get("version") != VERSION:
            raise FileRefused("file.version", national=_OTHER_VERSION)


def _records(content: bytes, operation: str, provider: str) -> Iterator[RawRow]:
    number = 0
    for event, depth, element in events(io.BytesIO(content)):
        if event == "end" and depth == 3:
            number += 1
            digest = canonical_digest(element)
            _drop_passwords(element)
            raw = etree.tostring(element, encoding="utf-8", with_tail=False)
            _detach(element)
            yield RawRow(number, V3Record(operation, provider, element, digest), raw)


def canonical_digest(element: Any) -> str:
    """Return the SHA-256 (hex) of a record of :func:`events` in exclusive C14N, without white-space-only text.

    The white-space-only text is removed from ``element`` itself. Raises ``FileRefused`` for a namespace that C14N does
    not take: a relative one.
    """
    for node in element.iter():
        if node.text and not node.text.strip(_XML_SPACE):
            node.text = None
        if node.tail and not node.tail.strip(_XML_SPACE):
            node.tail = None
    try:
        canonical = etree.tostring(element, method="c14n", exclusive=True)
    except etree.C14NError as error:
        raise FileRefused("file.damaged", national=_INVALID) from error
    return hashlib.sha256(canonical).hexdigest()


def _drop_passwords(element: Any) -> None:
    """Take out ``ICPmm``, the digest of a filing password.

    The portal has no use for it and must not keep it.
    """
    for password in element.findall(".//ICPmm"):
        password.getparent().remove(password)
