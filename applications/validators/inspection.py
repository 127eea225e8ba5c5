"""Look into one untrusted file in a process of its own: ``python -m applications.validators.inspection < file``.

The answer is one line of JSON on standard output: ``{"kind": media type, "pages": number or null}``, or
``{"rule": name, "detail": text}``. The process gives itself little memory and time before it reads a byte, so a file
made to exhaust a parser costs no more than that; then it ends without an answer. No Django here: it starts in 0.1 s.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from typing import Any, Final

from applications.validators.limits import (
    JPEG,
    MAX_BYTES,
    MAX_CPU,
    MAX_DATA,
    PDF,
    PNG,
    XLSX,
    BrokenRule,
    Rule,
)

SIGNATURES: Final = {
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPEG,
    b"PK\x03\x04": XLSX,
}
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEAD: Final = 1024
ARCHIVE_END: Final = b"PK\x05\x06"
ARCHIVE_TAIL: Final = 65_557  # where the end of an archive can lie
MARKUP: Final = (b"<script", b"<html", b"<!doctype html", b"<?php", b"<svg")


def look(content: bytes) -> dict[str, Any]:
    """What a file is. Raises :class:`BrokenRule`, ``MemoryError``."""
    kind = next((kind for mark, kind in SIGNATURES.items() if content.startswith(mark)), None)
    if kind is None:
        raise BrokenRule(Rule.OLD_OFFICE if content.startswith(OLE) else Rule.KIND)
    _check_one_kind(content, kind)
    pages: int | None = None
    # Only the parser this file needs is loaded.
    if kind == PDF:
        pages = importlib.import_module("applications.validators.pdf").inspect(content)
    elif kind == XLSX:
        importlib.import_module("applications.validators.workbook").inspect(content)
    else:
        importlib.import_module("applications.validators.images").inspect(content, kind)
    return {"kind": kind, "pages": pages}


def _check_one_kind(content: bytes, kind: str) -> None:
    """A file that another program takes for another kind: a page of the web, an archive, a PDF."""
    head = content[:HEAD].lower()
    if any(mark in head for mark in MARKUP) or (kind != PDF and b"%pdf-" in head):
        raise BrokenRule(Rule.TWO_KINDS)
    if kind != XLSX and ARCHIVE_END in content[-ARCHIVE_TAIL:]:
        raise BrokenRule(Rule.TWO_KINDS)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA, MAX_DATA))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU, MAX_CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file


def main() -> int:
    """Exit status 0 with an answer; 1 without one, as the file is more than a file may be."""
    _confine()
    try:
        answer = look(sys.stdin.buffer.read(MAX_BYTES + 1))
    except BrokenRule as broken:
        answer = {"rule": broken.rule, "detail": broken.detail}
    except (MemoryError, RecursionError):
        return 1
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
