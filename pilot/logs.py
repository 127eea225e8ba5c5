"""Log lines that nobody can forge, and that name no person and no secret, whatever a request put into a message.

One record is one line. Numbers of certificates and telephones, mailboxes and secrets are recognised by their form; what
a database or an exception quotes of the values it was given is left out, since a name has no form.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

# Ends of lines as readers of logs know them, other control characters, and what turns the direction of text.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


_HIDDEN: Final = "***"
_SECRETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<=/access/)[\w-]{16,}",  # the link by which a password is set
        r"(?i)(?<=bearer )[\w.~+/=-]+",
        r"\bwhsec_[\w+/=-]+",
        r"(?<=[0-9a-f]{8}_)[\w-]{40,}(?![\w-])",  # of an API key; which one it is stands before
        r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])",  # identity cards
        r"(?<![0-9A-Za-z])[0-9A-Z]{2}\d{6}[0-9A-Z]{10}(?![0-9A-Za-z])",  # organisations and sole traders
        r"(?<!\d)1[3-9]\d{9}(?!\d)",  # mobiles
        r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)",
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    )
)
# What PostgreSQL says about an error beside its kind: rows, keys and statements with their values.
_TOLD: Final = re.compile(
    r"\b(DETAIL|CONTEXT|LINE \d+):.*?(?=\n\n(?:The above exception|During handling)|\Z)", re.DOTALL
)
_QUOTED: Final = re.compile(r"""(['"]).*\1""")


class OneLineFormatter(logging.Formatter):
    """As the standard one, but the message is written with its control characters escaped (``\\x0a``).

    A traceback keeps its lines: each begins with a blank or follows ``Traceback``, and none can look like a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as this formatter writes it: what another one kept of its traceback is not taken over."""
        kept, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = kept

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the standard library's name)
        """The line of a record, before a traceback is put behind it."""
        return inert(discreet(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the same)
        """The traceback with its lines moved in, so that words of an exception cannot begin a line.

        Lines of the program are moved in already; those that are not are an exception's words, without what they quote.
        """
        text = _TOLD.sub(rf"\1: {_HIDDEN}", super().formatException(ei))
        lines = (line if line.startswith("  ") else _QUOTED.sub(_HIDDEN, line) for line in text.split("\n"))
        return "\n".join(f"  {inert(discreet(line))}" for line in lines)


def inert(text: str) -> str:
    """``text`` with every control character written as its number."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def discreet(text: str) -> str:
    """``text`` without what looks like a secret, a certificate number, a telephone or a mailbox."""
    text = _TOLD.sub(rf"\1: {_HIDDEN}", text)
    for pattern in _SECRETS:
        text = pattern.sub(_HIDDEN, text)
    return text
