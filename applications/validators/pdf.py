"""What a PDF may not hold: scripts, commands, other files, encryption, too many pages, a bomb. Pure.

ISO 32000-1: actions 12.6.4, annotations 12.5.6, file specifications 7.11, XFA 12.7.8, filters 7.4.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

from applications.validators.limits import (
    MAX_OBJECTS,
    MAX_PAGES,
    MAX_STREAM,
    MAX_STREAMS,
    MEBIBYTE,
    BrokenRule,
    Rule,
)

ACTIONS: Final = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/Rendition", "/Movie", "/Sound", "/GoToE"}
)
ANNOTATIONS: Final = frozenset({"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"})
ACTIVE_KEYS: Final = {"/JS": "JavaScript", "/JavaScript": "JavaScript", "/RichMediaContent": "RichMedia"}
FILE_KEYS: Final = frozenset({"/EF", "/EmbeddedFiles"})
# One search over the text of an object tells whether a closer look is due. qpdf writes names without needless escapes.
SUSPICIOUS: Final = re.compile(
    rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|Rendition|Movie|Sound|GoToE|RichMedia|RichMediaContent"
    rb"|Screen|3D|EF|EmbeddedFiles?|FileAttachment|XFA)(?![\w#])"
)
FLATE: Final = ("/FlateDecode", "/Fl")
RUNS: Final = ("/LZWDecode", "/LZW", "/RunLengthDecode", "/RL")
DEFLATE_RATIO: Final = 1032  # the most that deflate can pack
TAIL: Final = 2048
MAX_FILTERS: Final = 2
MAX_NODES: Final = 10_000  # of the page tree
BLANK: Final = b"\x00\t\n\x0c\r \x1a"


def inspect(content: bytes) -> int:
    """The number of pages. Raises :class:`BrokenRule`; ``MemoryError`` for a file beyond what one may need."""
    last = content.rfind(b"%%EOF", -TAIL)
    if last < 0:
        raise BrokenRule(Rule.PDF_DAMAGED)
    if content[last + 5 :].strip(BLANK):
        raise BrokenRule(Rule.TWO_KINDS)
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=False, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                raise BrokenRule(Rule.PDF_ENCRYPTED)
            pages = _count_pages(pdf)
            _check_objects(pdf)
    except pikepdf.PasswordError as error:
        raise BrokenRule(Rule.PDF_ENCRYPTED) from error
    except (pikepdf.PdfError, zlib.error, ValueError, TypeError, AttributeError, KeyError) as error:
        raise BrokenRule(Rule.PDF_DAMAGED) from error
    return pages


def _count_pages(pdf: pikepdf.Pdf) -> int:
    """Walk the page tree ourselves: it may be endless, or name one page a billion times."""
    pages = nodes = 0
    waiting: list[Any] = [pdf.Root.Pages]
    while waiting:
        node = waiting.pop()
        nodes += 1
        kids = node.get("/Kids")
        pages += kids is None
        if pages > MAX_PAGES or nodes > MAX_NODES:
            raise BrokenRule(Rule.PDF_PAGES)
        waiting.extend(kids or ())
    if not pages:
        raise BrokenRule(Rule.PDF_DAMAGED)
    return pages


def _check_objects(pdf: pikepdf.Pdf) -> None:
    """Look at every object, those in object streams and those nothing refers to as well."""
    if len(pdf.objects) > MAX_OBJECTS:
        raise BrokenRule(Rule.PDF_UNPACKED)
    unpacked = 0
    for thing in pdf.objects:
        stream = thing if isinstance(thing, pikepdf.Stream) else None
        told: Any = thing.stream_dict if stream is not None else thing
        if isinstance(told, pikepdf.Object) and SUSPICIOUS.search(told.unparse(resolved=True)):
            for found in _dictionaries(told):
                _check_dictionary(found)
        if stream is not None:
            unpacked += _unpacked(stream)
            if unpacked > MAX_STREAMS:
                raise BrokenRule(Rule.PDF_UNPACKED)


def _dictionaries(thing: Any) -> Iterator[pikepdf.Dictionary]:
    """The dictionaries written inside an object; what it only refers to is an object of its own."""
    waiting = [thing]
    while waiting:
        found = waiting.pop()
        if isinstance(found, pikepdf.Dictionary):
            yield found
            waiting += [value for _key, value in found.items() if _is_inside(value)]
        elif isinstance(found, pikepdf.Array):
            waiting += [value for value in found if _is_inside(value)]


def _is_inside(value: Any) -> bool:
    return isinstance(value, pikepdf.Object) and not value.is_indirect


def _check_dictionary(found: pikepdf.Dictionary) -> None:
    keys = set(found.keys())
    subtype = str(found.get("/Subtype", ""))
    if "/XFA" in keys:
        raise BrokenRule(Rule.PDF_XFA)
    if keys & FILE_KEYS or subtype == "/FileAttachment" or found.get("/Type") == "/EmbeddedFile":
        raise BrokenRule(Rule.PDF_EMBEDDED)
    if (action := str(found.get("/S", ""))) in ACTIONS:
        raise BrokenRule(Rule.PDF_ACTIVE, action[1:])
    if subtype in ANNOTATIONS:
        raise BrokenRule(Rule.PDF_ACTIVE, subtype[1:])
    for key in sorted(keys & ACTIVE_KEYS.keys()):
        raise BrokenRule(Rule.PDF_ACTIVE, ACTIVE_KEYS[key])


def _unpacked(stream: pikepdf.Stream) -> int:
    """How many bytes a stream makes when it is unpacked; raises :class:`BrokenRule` for too many."""
    filters = _filters(stream)
    packing = [name for name in filters if name in FLATE + RUNS]
    if not packing:
        return 0
    if len(packing) > MAX_FILTERS:
        raise BrokenRule(Rule.PDF_UNPACKED)
    raw = stream.read_raw_bytes()
    if len(raw) * DEFLATE_RATIO ** len(packing) <= MEBIBYTE:
        return 0
    if all(name in FLATE for name in filters):
        return _inflated(raw, depth=len(packing))
    if filters[0] in FLATE:
        return _inflated(raw, depth=1)
    return len(stream.read_bytes()) if filters == packing else 0


def _filters(stream: pikepdf.Stream) -> list[str]:
    named = stream.stream_dict.get("/Filter", ())
    return [str(named)] if isinstance(named, pikepdf.Name) else [str(name) for name in named]


def _inflated(raw: bytes, *, depth: int) -> int:
    """Count what comes out without keeping it."""
    stages = [zlib.decompressobj() for _stage in range(depth)]
    count = 0

    def run(data: bytes, stage: int) -> None:
        nonlocal count
        if stage == depth:
            count += len(data)
            if count > MAX_STREAM:
                raise BrokenRule(Rule.PDF_UNPACKED)
            return
        while data and not stages[stage].eof:
            run(stages[stage].decompress(data, MEBIBYTE), stage + 1)
            data = stages[stage].unconsumed_tail

    try:
        run(raw, 0)
    except zlib.error as error:
        raise BrokenRule(Rule.PDF_DAMAGED) from error
    return count
