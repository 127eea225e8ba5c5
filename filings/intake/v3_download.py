"""Reading what the national system sends back (``DownloadData``, V3.0): results, the bureaus' reviews, and checks.

As with uploads the parser resolves no entities, loads no DTD, fetches nothing, and keeps libxml2's own limits. The
file is held (50 MB at most) and read once; a record that cannot be read is a row of its own and blocks no other.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final

from lxml import etree

from filings.intake.lines import CHUNK, Readable
from filings.intake.records import SHANGHAI, FileRefused
from filings.intake.unpack import unpack
from filings.intake.v3 import MAX_ELEMENTS, MAX_FILE, VERSION, canonical_digest, events
from filings.intake.v3_map import text_of

MAX_ANSWERS: Final = 100_000
RESULT: Final = "result"
REVIEW: Final = "review"
SUBJECT: Final = "subject"
ACCESS: Final = "access"
SHELL: Final = "shell"
ALIVE: Final = "alive"
CHECKS: Final = (SUBJECT, ACCESS, SHELL, ALIVE)
RECORDS: Final = {
    ("BAJG", "Jg_xx"): RESULT,
    ("BAJG", "GJSHS", "Gjsh"): REVIEW,
    ("HCJG", "Jgxx", "Zthc"): SUBJECT,
    ("HCJG", "Jgxx", "Jrhc"): ACCESS,
    ("HCJG", "Jgxx", "Kkwzhc"): SHELL,
    ("HCJG", "Jgxx", "Wzch"): ALIVE,
}
"""Where a record stands below ``ICP``, and what it is. Anything else there is not for the portal."""

_LONGEST: Final = 255
_YEARS: Final = range(1990, 3000)


@dataclass(frozen=True, slots=True)
class NationalAnswer:
    """One record. ``row`` counts the file's records from 1.

    ``operation`` is ``Czlx`` (0: not said), ``reference`` the id that is answered, ``at`` the time the record says
    itself, ``result`` ``Hcjg`` of a check, ``passed`` a review's outcome. ``words`` are its texts by element: they may
    name people. ``digest`` is equal for identical records.
    """

    row: int
    kind: str
    digest: bytes
    operation: int = 0
    reference: str = ""
    codes: tuple[int, ...] = ()
    passed: bool | None = None
    result: int | None = None
    at: datetime | None = None
    words: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be taken: which of its elements is ``missing``, or not a proper one (``format``)."""

    row: int
    element: str
    problem: str


@dataclass(frozen=True, slots=True)
class Download:
    """What a file holds: records in its order, its SHA-256 (hex), and the parts that are not for the portal."""

    answers: list[NationalAnswer]
    unreadable: list[Unreadable]
    ignored: list[str]
    sha256: str


class _Fault(Exception):
    def __init__(self, element: str, problem: str) -> None:
        self.element = element
        self.problem = problem
        super().__init__(element)


def read_download(stream: BinaryIO) -> Download:
    """Read a file of answers, plain, gzip or zip with one file; ``stream`` must be seekable.

    Raises ``FileRefused`` for a file that is empty, no XML or not well formed, over the limits, carries a DOCTYPE, has
    another root or version, another business than ICP, or neither results nor checks.
    """
    content = _bounded(unpack(stream))
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("file.wrong_type")
    reader = _Reader()
    try:
        for event, depth, element in events(io.BytesIO(content)):
            reader.see(event, depth, element)
    except (etree.XMLSyntaxError, LookupError) as error:
        raise FileRefused("file.damaged") from error
    if reader.businesses != ["ICP"]:
        raise FileRefused("file.business")
    if not {"BAJG", "HCJG"} & set(reader.parts):
        raise FileRefused("file.no_answers")
    ignored = [part for part in reader.parts if part not in {"BAJG", "HCJG"}]
    return Download(reader.answers, reader.unreadable, ignored, hashlib.sha256(content).hexdigest())


def _bounded(stream: Readable) -> bytes:
    content = bytearray()
    while piece := stream.read(CHUNK):
        content += piece
        if len(content) > MAX_FILE:
            raise FileRefused("file.too_large")
    if not content.strip():
        raise FileRefused("file.empty")
    return bytes(content)


class _Reader:
    """Takes the parser's events in; a record is read and freed at its end."""

    def __init__(self) -> None:
        self.businesses: list[str] = []
        self.parts: list[str] = []
        self.answers: list[NationalAnswer] = []
        self.unreadable: list[Unreadable] = []
        self._path: list[str] = []
        self._elements = 0
        self._row = 0

    def see(self, event: str, depth: int, element: Any) -> None:
        """Take in one event."""
        if event == "end":
            self._end(depth, element)
            return
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise FileRefused("file.too_large")
        self._path[depth:] = [element.tag]
        if depth == 0:
            _judge_root(element)
        elif depth == 1:
            self.businesses.append(element.tag)
        elif depth == 2 and element.tag not in self.parts:
            self.parts.append(element.tag)

    def _end(self, depth: int, element: Any) -> None:
        kind = RECORDS.get(tuple(self._path[2 : depth + 1]))
        if kind is not None and self._path[1] == "ICP":
            self._take(kind, element)
        elif depth > 3 or self._path[2:3] in (["BAJG"], ["HCJG"]):
            return
        self._elements = 0
        if depth > 2:  # freed with its place in the parent, so that a long file is never a large tree
            element.getparent().remove(element)

    def _take(self, kind: str, element: Any) -> None:
        self._row += 1
        if self._row > MAX_ANSWERS:
            raise FileRefused("file.too_many_rows", limit=MAX_ANSWERS)
        digest = bytes.fromhex(canonical_digest(element))
        try:
            self.answers.append(NationalAnswer(self._row, kind, digest, **_READERS[kind](element)))
        except _Fault as fault:
            self.unreadable.append(Unreadable(self._row, fault.element, fault.problem))


def _judge_root(root: Any) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise FileRefused("file.doctype")
    if root.tag != "DownloadData":
        raise FileRefused("file.wrong_root_download")
    if root.get("version") != VERSION:
        raise FileRefused("file.version")


# --- records ----------------------------------------------------------------------------------------
def _result(element: Any) -> dict[str, Any]:
    said = [(_number(one, "Jgdm"), text_of(one, "Dmms") or "") for one in element.findall("Jgxx")]
    if not said:
        raise _Fault("Jgxx", "missing")
    return {
        "operation": _number(element, "Czlx"),
        "reference": _short(element, "Bs", required=False),
        "codes": tuple(code for code, _words in said),
        "words": {"Dmms": [words for _code, words in said], **_texts(element, "Bz")},
    }


def _review(element: Any) -> dict[str, Any]:
    return {
        "operation": _number(element, "Czlx", required=False),
        "reference": _short(element, "Jlid", required=False),
        "passed": _number(element, "Shjg", among=(0, 1)) == 1,
        "at": _time(element, "Shsj"),
        "words": _texts(element, "Shrxm", "Shyj"),
    }


def _subject(element: Any) -> dict[str, Any]:
    _number(element, "Zjlx")
    for name in ("Dwmc", "Zjhm"):
        _short(element, name)
    return {
        "reference": _short(element, "Ztid"),
        "words": _texts(element, "Dwmc", "Zjlx", "Zjhm", "Cwyy", "Bz"),
    }


def _website(*results: int) -> Callable[[Any], dict[str, Any]]:
    """A check of a website; ``results``: the values that ``Hcjg`` may have, none where the check has no such."""

    def read(element: Any) -> dict[str, Any]:
        _short(element, "Wz_Baxh")
        return {
            "reference": _short(element, "Wzid"),
            "result": _number(element, "Hcjg", among=results) if results else None,
            "at": _time(element, "Hcsj"),
            "words": _texts(element, "Wz_Baxh", "Ym", "Jxip", "Bbisp", "Jrid", "Syurl", "Bz"),
        }

    return read


_READERS: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    RESULT: _result,
    REVIEW: _review,
    SUBJECT: _subject,
    ACCESS: _website(1, 2),
    SHELL: _website(0, 1),
    ALIVE: _website(),
}


def _texts(element: Any, *names: str) -> dict[str, str]:
    return {name: text for name in names if (text := text_of(element, name)) is not None}


def _short(element: Any, name: str, *, required: bool = True) -> str:
    text = text_of(element, name)
    if text is None:
        if required:
            raise _Fault(name, "missing")
        return ""
    if len(text) > _LONGEST:
        raise _Fault(name, "format")
    return text


def _number(element: Any, name: str, *, among: tuple[int, ...] = (), required: bool = True) -> int:
    text = text_of(element, name)
    if text is None:
        if required:
            raise _Fault(name, "missing")
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 5) or (among and int(text) not in among):
        raise _Fault(name, "format")
    if int(text) > 32_767:
        raise _Fault(name, "format")
    return int(text)


def _time(element: Any, name: str) -> datetime:
    """A time as the system writes it, a day or a day and a time of Shanghai's clock."""
    text = text_of(element, name)
    if text is None:
        raise _Fault(name, "missing")
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
        at = at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
        if at.year not in _YEARS:
            raise ValueError
    except ValueError:
        raise _Fault(name, "format") from None
    return at
