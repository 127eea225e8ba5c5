"""How large and how deep an uploaded file may be, and the names of the rules it can break. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

MEBIBYTE: Final = 1024 * 1024

MAX_BYTES: Final = 20 * MEBIBYTE
MAX_PAGES: Final = 300
MAX_PIXELS: Final = 40_000_000  # A4 at 600 dpi has 35 million
MAX_COEFFICIENTS: Final = 90_000_000  # of a progressive JPEG, which is held whole: two bytes each
MAX_OBJECTS: Final = 200_000  # of a PDF
MAX_STREAM: Final = 200 * MEBIBYTE  # of a PDF, unpacked
MAX_STREAMS: Final = 600 * MEBIBYTE  # of a PDF together, unpacked
MAX_UNPACKED: Final = 100 * MEBIBYTE  # of a workbook
MAX_ENTRIES: Final = 2_000  # of a workbook

# What the inspecting process may use. Beside its data stand some 40 MiB of program code.
MAX_DATA: Final = 240 * MEBIBYTE
MAX_CPU: Final = 4  # seconds
MAX_WAIT: Final = 30  # seconds; more than MAX_CPU only because a busy machine lets the process wait its turn

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Rule(StrEnum):
    """The rules an uploaded file can break."""

    EMPTY = "empty"
    SIZE = "size"
    NAME_CHARACTERS = "name.characters"
    NAME_PATH = "name.path"
    NAME_DEVICE = "name.device"
    NAME_PROGRAM = "name.program"
    SUFFIX = "suffix"
    KIND = "kind"
    OLD_OFFICE = "kind.ole"
    TWO_KINDS = "kind.two"
    BEYOND = "beyond"
    PDF_DAMAGED = "pdf.damaged"
    PDF_ENCRYPTED = "pdf.encrypted"
    PDF_ACTIVE = "pdf.active"
    PDF_EMBEDDED = "pdf.embedded"
    PDF_XFA = "pdf.xfa"
    PDF_PAGES = "pdf.pages"
    PDF_UNPACKED = "pdf.unpacked"
    IMAGE_DAMAGED = "image.damaged"
    IMAGE_PIXELS = "image.pixels"
    XLSX_DAMAGED = "xlsx.damaged"
    XLSX_ENCRYPTED = "xlsx.encrypted"
    XLSX_UNPACKED = "xlsx.unpacked"
    XLSX_NESTED = "xlsx.nested"
    XLSX_PATH = "xlsx.path"
    XLSX_LINK = "xlsx.link"
    XLSX_OTHER = "xlsx.other"
    XLSX_MACRO = "xlsx.macro"
    XLSX_ENTITY = "xlsx.entity"
    XLSX_EMBEDDED = "xlsx.embedded"
    XLSX_EXTERNAL = "xlsx.external"


class BrokenRule(Exception):
    """A file breaks ``rule``; ``detail`` is what the rule's words name, never text from the file."""

    def __init__(self, rule: Rule, detail: str = "") -> None:
        self.rule = rule
        self.detail = detail
        super().__init__(rule, detail)
