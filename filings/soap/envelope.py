"""SOAP 1.1 envelopes: a call read as it arrives, an answer or a fault written.

The call is parsed by expat piece by piece. A DOCTYPE is refused before anything in it is looked at, so there are no
entities; nothing is ever fetched. ``beianInfo`` is decoded on the way, everything else is short. Arguments may stand
apart from the call, as the encoding of SOAP 1.1 (section 5) has them: ``href="#id0"`` and an element with that ``id``.
"""

from __future__ import annotations

import codecs
import re
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr  # nosec B406 # it writes only

from filings.v3.in_flight import Reservation
from filings.v3.package import Base64Sink

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
CONTENT: Final = "beianInfo"
NAMESPACE: Final = "urn:ISPWebService:upDownLoad"
"""Of our description. A call may come under any other, and is answered under its own."""

CALLER: Final = frozenset({"ispId", "userName", "randVal", "pwdHash"})
"""The arguments that say who calls."""

LONGEST_ARGUMENT: Final = 4_096
LONGEST_REFERENCE: Final = 256
MOST_ARGUMENTS: Final = 32
MOST_ELEMENTS: Final = 1_000
MOST_ATTRIBUTES: Final = 32
DEEPEST: Final = 32
LONGEST_TAG: Final = 256 * 1024
"""Bytes from one thing the parser tells of to the next; it holds a tag or a comment until it is whole."""
_SEPARATOR: Final = "\n"
_ENCODING_STYLE: Final = f"{SOAP}{_SEPARATOR}encodingStyle"
_ROOT: Final = f"{ENCODING}{_SEPARATOR}root"
_TYPED: Final = (
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xsi:type="xsd:string"'
)
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_HEAD: Final = 256
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CODECS: Final = {
    "": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "utf-16": "utf-16",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
}


class EnvelopeFault(Exception):
    """A message that is no call at all; ``code`` is the local name of the SOAP 1.1 fault code."""

    def __init__(self, words: str, code: str = "Client") -> None:
        self.code = code
        super().__init__(words)


class Envelope:
    """One call as far as it has been read. ``charset`` is what the transport states, "" when nothing."""

    def __init__(self, charset: str = "") -> None:
        self.operation = ""
        self.namespace = ""
        self.encoded = False  # by section 5, with types in the message
        self.arguments: dict[str, str] = {}
        self.reservation = Reservation()
        self.content = Base64Sink(self.reservation)
        self._charset = charset
        self._decoder: codecs.IncrementalDecoder | None = None
        self._path: list[str] = []
        self._references: dict[str, list[str]] = {}  # id → arguments that stand there
        self._apart: dict[str, str] = {}  # id → text of an element that stands apart
        self._reading: str | None = None  # the argument whose text this is
        self._apart_now: str | None = None  # the id of the element apart whose text this is
        self._text: list[str] = []
        self._length = 0
        self._elements = 0
        self._quiet = 0
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR, None)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    @property
    def at_content(self) -> bool:
        """Whether the file has begun: who calls should have been said before it."""
        return self._reading == CONTENT

    @property
    def says_who(self) -> bool:
        """Whether everything that says who calls is known, or can no longer be told apart from the call."""
        named = {name for names in self._references.values() for name in names}
        return not (CALLER & named - self.arguments.keys())

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Take in the next bytes. Raises :class:`EnvelopeFault`."""
        self._quiet += len(piece)
        if self._decoder is None:
            self._decoder = self._choose_decoder(piece)
        try:
            self._parser.Parse(self._decoder.decode(piece, last), last)
        except (expat.ExpatError, UnicodeError) as error:
            raise EnvelopeFault("The message is not well-formed XML") from error
        if self._quiet > LONGEST_TAG:
            raise EnvelopeFault("A tag of the message is too long")
        if last and not self.operation:
            raise EnvelopeFault("The message holds no call")
        if last and not self._references.keys() <= self._apart.keys():
            raise EnvelopeFault("A reference of the message leads nowhere")

    def _choose_decoder(self, head: bytes) -> codecs.IncrementalDecoder:
        declared = _DECLARED.search(head[:_HEAD])
        marked = [name for mark, name in _MARKS if head.startswith(mark)]
        name = next(iter(marked), "") or self._charset or (declared[1].decode() if declared else "")
        codec = _CODECS.get(name.lower())
        if codec is None:
            raise EnvelopeFault("The character encoding of the message is not known")
        return codecs.getincrementaldecoder(codec)("strict")

    def _doctype(self, *_declaration: object) -> None:
        raise EnvelopeFault("The message must not contain a DOCTYPE")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _separator, local = name.rpartition(_SEPARATOR)
        depth = len(self._path)
        self._quiet = 0
        self._elements += 1
        if depth > DEEPEST or self._elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise EnvelopeFault("The message has too many parts")
        if depth == 0:
            _judge_root(namespace, local)
        elif depth == 1 and (namespace != SOAP or local not in {"Header", "Body"}):
            raise EnvelopeFault("An envelope holds a Header and a Body")
        elif depth == 2 and self._path[1] == "Header":
            if attributes.get(f"{SOAP}{_SEPARATOR}mustUnderstand") in {"1", "true"}:
                raise EnvelopeFault("No header is understood", "MustUnderstand")
        elif depth == 2:
            self._start_in_body(namespace, local, attributes)
        elif depth == 3 and self._path[1] == "Body":
            self._start_argument(local, attributes)
        elif depth > 3 and self._path[1] == "Body":
            raise EnvelopeFault("Arguments hold text only")
        self.encoded |= ENCODING in attributes.get(_ENCODING_STYLE, "")
        self._path.append(local)
        self._text.clear()
        self._length = 0

    def _start_in_body(self, namespace: str, local: str, attributes: dict[str, str]) -> None:
        identifier = attributes.get("id", "")
        if not self.operation and attributes.get(_ROOT) != "0":
            self.operation, self.namespace = local, namespace
        elif not identifier:
            raise EnvelopeFault("The Body holds more than one call")
        elif len(identifier) > LONGEST_REFERENCE or len(self._apart) >= MOST_ARGUMENTS:
            raise EnvelopeFault("The call has too many arguments")
        else:
            self._apart_now = identifier
            self._reading = next(iter(self._references.get(identifier, ())), "")

    def _start_argument(self, local: str, attributes: dict[str, str]) -> None:
        if self._apart_now is not None:
            raise EnvelopeFault("Arguments hold text only")
        reference = attributes.get("href")
        if reference is None:
            self._reading = local
            return
        if not reference.startswith("#") or len(reference) > LONGEST_REFERENCE:
            raise EnvelopeFault("A reference of the message leads elsewhere")
        self._references.setdefault(reference[1:], []).append(local)
        if reference[1:] in self._apart:
            self._set(local, self._apart[reference[1:]])

    def _set(self, name: str, text: str) -> None:
        self.arguments[name] = text
        if len(self.arguments) > MOST_ARGUMENTS:
            raise EnvelopeFault("The call has too many arguments")

    def _end(self, _name: str) -> None:
        self._path.pop()
        text = "".join(self._text).strip()
        if self._apart_now is not None and len(self._path) == 2:
            self._apart[self._apart_now] = text
            for name in self._references.get(self._apart_now, ()):
                if name != CONTENT:
                    self._set(name, text)
            self._apart_now = self._reading = None
        elif self._reading is not None and len(self._path) == 3:
            if self._reading != CONTENT:
                self._set(self._reading, text)
            self._reading = None

    def _characters(self, text: str) -> None:
        self._quiet = 0
        if self._reading is None:
            return
        if self._reading == CONTENT:
            self.content.feed(text)
            return
        self._length += len(text)
        if self._length > LONGEST_ARGUMENT:
            raise EnvelopeFault("An argument is too long")
        self._text.append(text)


def _judge_root(namespace: str, local: str) -> None:
    if local != "Envelope":
        raise EnvelopeFault("The message is no SOAP envelope")
    if namespace != SOAP:
        raise EnvelopeFault("Only SOAP 1.1 is understood", "VersionMismatch")


def answer(operation: str, namespace: str, text: str, *, encoded: bool = False) -> bytes:
    """The envelope of an answer: its one value is ``text``, with its type where the call was ``encoded``."""
    name = f"{operation}Response"
    declared = f" xmlns:ns1={quoteattr(namespace)}" if namespace else ""
    prefix = "ns1:" if namespace else ""
    style = f' soap:encodingStyle="{ENCODING}"' if encoded else ""
    value = f"<return{_TYPED if encoded else ''}>{escape(text)}</return>"
    return _wrap(f"<{prefix}{name}{declared}{style}>{value}</{prefix}{name}>")


def fault(error: EnvelopeFault) -> bytes:
    """The envelope of a fault."""
    code = f"<faultcode>soap:{error.code}</faultcode>"
    return _wrap(f"<soap:Fault>{code}<faultstring>{escape(str(error))}</faultstring></soap:Fault>")


def _wrap(body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{body}</soap:Body></soap:Envelope>'.encode()
