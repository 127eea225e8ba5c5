"""Workbooks: every entry unpacked within limits; no macros, embedded objects, outside links or entities. Pure.

ECMA-376 part 2 (packages); xml.etree and lxml are not used: expat alone tells whether a document type is declared.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final
from xml.parsers import expat

from applications.validators.limits import MAX_ENTRIES, MAX_UNPACKED, MEBIBYTE, BrokenRule, Rule

CONTENT_TYPES: Final = "[Content_Types].xml"
WORKBOOK: Final = "xl/workbook.xml"
SHEET_TYPE: Final = b"spreadsheetml.sheet.main+xml"
MACRO_TYPE: Final = b"macroenabled"
ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MACROS: Final = ("vbaproject.bin", "xl/macrosheets/", "xl/intlmacrosheets/")
EMBEDDED: Final = ("xl/embeddings/", "xl/activex/")
ENCRYPTED: Final = 0x1
XML: Final = (".xml", ".rels", ".vml")


def inspect(content: bytes) -> None:
    """Raises :class:`BrokenRule`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_directory(archive, entries)
            _check_kind(archive)
            budget = MAX_UNPACKED
            for entry in entries:
                budget -= _check_entry(archive, entry, budget)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, EOFError, OSError) as error:
        raise BrokenRule(Rule.XLSX_DAMAGED) from error
    except (zlib.error, expat.ExpatError, UnicodeError, ValueError) as error:
        raise BrokenRule(Rule.XLSX_DAMAGED) from error


def _check_directory(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Before anything is unpacked."""
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise BrokenRule(Rule.XLSX_UNPACKED)
    if archive.comment:
        raise BrokenRule(Rule.TWO_KINDS)
    for entry in entries:
        if _leads_out(entry.orig_filename):
            raise BrokenRule(Rule.XLSX_PATH)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise BrokenRule(Rule.XLSX_LINK)
        if entry.flag_bits & ENCRYPTED:
            raise BrokenRule(Rule.XLSX_ENCRYPTED)
    names = [entry.filename.lower() for entry in entries]
    if len(set(names)) != len(names):
        raise BrokenRule(Rule.XLSX_DAMAGED)


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return ".." in parts or name.startswith(("/", "\\")) or ":" in name or "\x00" in name


def _check_kind(archive: zipfile.ZipFile) -> None:
    names = {entry.filename.lower() for entry in archive.infolist()}
    if CONTENT_TYPES not in archive.namelist():
        raise BrokenRule(Rule.XLSX_OTHER)
    types = archive.read(CONTENT_TYPES)
    if MACRO_TYPE in types.lower() or any(mark in name for mark in MACROS for name in names):
        raise BrokenRule(Rule.XLSX_MACRO)
    if WORKBOOK not in names or SHEET_TYPE not in types:
        raise BrokenRule(Rule.XLSX_OTHER)
    if any(name.startswith(EMBEDDED) for name in names):
        raise BrokenRule(Rule.XLSX_EMBEDDED)


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: int) -> int:
    """Unpack one entry piece by piece, whatever its header says of its size; returns how many bytes it made."""
    made = 0
    reader = _Reader(entry.filename) if entry.filename.lower().endswith(XML) else None
    for piece in _pieces(archive, entry):
        if made == 0:
            _check_signature(piece)
        made += len(piece)
        if made > budget:
            raise BrokenRule(Rule.XLSX_UNPACKED)
        if reader is not None:
            reader.feed(piece)
    if reader is not None and made:
        reader.close()
    return made


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as source:
        while piece := source.read(MEBIBYTE):
            yield piece


def _check_signature(piece: bytes) -> None:
    if piece.startswith(OLE):
        raise BrokenRule(Rule.XLSX_EMBEDDED)
    if piece.startswith(ARCHIVES):
        raise BrokenRule(Rule.XLSX_NESTED)


class _Reader:
    """One XML part as it is read: no document type, and in a list of relations nothing outside but hyperlinks."""

    def __init__(self, name: str) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        if name.lower().endswith(".rels"):
            self._parser.StartElementHandler = self._relation

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece, False)

    def close(self) -> None:
        self._parser.Parse(b"", True)

    def _doctype(self, *_declared: object) -> None:
        raise BrokenRule(Rule.XLSX_ENTITY)

    def _relation(self, _element: str, attributes: dict[str, str]) -> None:
        outside = attributes.get("TargetMode", "").lower() == "external"
        if outside and not attributes.get("Type", "").endswith("/hyperlink"):
            raise BrokenRule(Rule.XLSX_EXTERNAL)
