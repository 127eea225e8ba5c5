"""Log lines that nobody can forge: one record is one line, whatever a request put into its message."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

# Ends of lines as readers of logs know them, other control characters, and what turns the direction of text.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class OneLineFormatter(logging.Formatter):
    """As the standard one, but the message is written with its control characters escaped (``\\x0a``).

    A traceback keeps its lines: each begins with a blank or follows ``Traceback``, and none can look like a record.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the standard library's name)
        """The line of a record, before a traceback is put behind it."""
        return inert(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the same)
        """The traceback with its lines moved in, so that words of an exception cannot begin a line."""
        text = super().formatException(ei)
        return "\n".join(f"  {inert(line)}" for line in text.split("\n"))


def inert(text: str) -> str:
    """``text`` with every control character written as its number."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
