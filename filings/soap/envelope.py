"""SOAP 1.1 envelopes: a call read as it arrives, an answer or a fault written.

The call is parsed by expat piece by piece. A DOCTYPE is refused before anything in it is looked at, so there are no
entities; nothing is ever fetched. ``beianInfo`` is decoded on the way, everything else is short.
"""

from __future__ import annotations

import codecs
import re
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from filings.v3.package import Base64Sink

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
CONTENT: Final = "beianInfo"
NAMESPACE: Final = "urn:ISPWebService:upDownLoad"
"""Of our description. A call may come under any other, and is answered under its own."""

LONGEST_ARGUMENT: Final = 4_096
MOST_ARGUMENTS: Final = 32
MOST_ELEMENTS: Final = 1_000
MOST_ATTRIBUTES: Final = 32
DEEPEST: Final = 32
LONGEST_TAG: Final = 256 * 1024
"""Bytes from one thing the parser tells of to the next; it holds a tag or a comment until it is whole."""
_SEPARATOR: Final = "\n"
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
        self.arguments: dict[str, str] = {}
        self.content = Base64Sink()
        self._charset = charset
        self._decoder: codecs.IncrementalDecoder | None = None
        self._path: list[str] = []
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
        """Whether the file has begun: who calls must have been said before it."""
        return len(self._path) == 4 and self._path[3] == CONTENT

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
            if self.operation:
                raise EnvelopeFault("The Body holds more than one call")
            self.operation, self.namespace = local, namespace
        elif depth > 3 and self._path[1] == "Body":
            raise EnvelopeFault("Arguments hold text only")
        self._path.append(local)
        self._text.clear()
        self._length = 0

    def _end(self, _name: str) -> None:
        if len(self._path) == 4 and self._path[1] == "Body" and self._path[3] != CONTENT:
            self.arguments[self._path[3]] = "".join(self._text).strip()
            if len(self.arguments) > MOST_ARGUMENTS:
                raise EnvelopeFault("The call has too many arguments")
        self._path.pop()

    def _characters(self, text: str) -> None:
        self._quiet = 0
        if len(self._path) != 4 or self._path[1] != "Body":
            return
        if self._path[3] == CONTENT:
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


def answer(operation: str, namespace: str, text: str) -> bytes:
    """The envelope of an answer: its one value is ``text``."""
    name = f"{operation}Response"
    declared = f" xmlns:ns1={quoteattr(namespace)}" if namespace else ""
    prefix = "ns1:" if namespace else ""
    body = f"<{prefix}{name}{declared}><return>{escape(text)}</return></{prefix}{name}>"
    return _wrap(body)


def fault(error: EnvelopeFault) -> bytes:
    """The envelope of a fault."""
    code = f"<faultcode>soap:{error.code}</faultcode>"
    return _wrap(f"<soap:Fault>{code}<faultstring>{escape(str(error))}</faultstring></soap:Fault>")


def _wrap(body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{body}</soap:Body></soap:Envelope>'.encode()
