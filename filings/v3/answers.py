"""The XML that calls are answered with: ``return``, and ``DownloadData`` inside result files."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from lxml import etree

from filings.intake.v3 import VERSION
from filings.v3.codes import MsgCode

MSG_CHARACTERS: Final = 256
"""The schemas want ``msg`` to have exactly this length, so words are filled up with blanks."""
LONGEST_WORDS: Final = 255


class Package(NamedTuple):
    """A file in an answer: its name, its (encrypted) content, digest of the zip, number of the cipher."""

    name: str
    content: bytes
    digest: str
    cipher: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call; ``sequence`` is the number of the file it is about, shown only where ``numbered``."""

    code: MsgCode
    words: str = ""
    missing: Sequence[int] = ()
    sequence: int | None = None
    numbered: bool = False
    package: Package | None = None

    def as_xml(self) -> str:
        """The ``return`` document.

        Pure ASCII without a declaration: callers parse the string as GBK, as UTF-8 or as characters alike.
        """
        root = etree.Element("return", version=VERSION)
        words = self.words or str(self.code.label)
        etree.SubElement(root, "msg_code").text = str(self.code.value)
        etree.SubElement(root, "msg").text = words[:MSG_CHARACTERS].ljust(MSG_CHARACTERS)
        if self.missing:
            listed = etree.SubElement(root, "dataSequences")
            for number in self.missing:
                etree.SubElement(listed, "dataSequence").text = str(number)
        if self.package is not None:
            _add_package(root, self.package, self.sequence if self.numbered else None)
        return etree.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")


def _add_package(root: Any, package: Package, sequence: int | None) -> None:
    members = {
        "hashAlgorithm": "0",
        "compressionFormat": "0",
        "encryptAlgorithm": str(package.cipher),
        "dataSequence": None if sequence is None else str(sequence),
        "return_FileName": package.name,
        "beianInfo": base64.b64encode(package.content).decode("ascii"),
        "beianInfoHash": package.digest,
    }
    info = etree.SubElement(root, "fileInfos")
    for name, text in members.items():
        if text is not None:
            etree.SubElement(info, name).text = text


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record: kind of operation, the id it answers, national codes with words, a remark."""

    kind: int
    record_id: str
    codes: Sequence[tuple[int, str]] = field(default=())
    remark: str = ""


def download_data(results: Iterable[RecordResult]) -> bytes:
    """A result file (``DownloadData``, GBK) with one ``Jg_xx`` per record."""
    root = etree.Element("DownloadData", version=VERSION)
    listed = etree.SubElement(etree.SubElement(root, "ICP"), "BAJG")
    for result in results:
        entry = etree.SubElement(listed, "Jg_xx")
        for code, words in result.codes:
            said = etree.SubElement(entry, "Jgxx")
            etree.SubElement(said, "Jgdm").text = str(code)
            if words:
                etree.SubElement(said, "Dmms").text = words[:LONGEST_WORDS]
        etree.SubElement(entry, "Czlx").text = str(result.kind)
        if result.record_id:
            etree.SubElement(entry, "Bs").text = result.record_id[:LONGEST_WORDS]
        if result.remark:
            etree.SubElement(entry, "Bz").text = result.remark
    content: bytes = etree.tostring(root, encoding="GBK", xml_declaration=True)
    return content
