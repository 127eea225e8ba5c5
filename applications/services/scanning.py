"""The virus scanner: clamd's INSTREAM command over TCP or a unix socket, where one is configured."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from applications.enums import ScanState
from pilot.errors import Refused

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 30
CHUNK: Final = 256 * 1024
MAX_ANSWER: Final = 4096
FOUND: Final = "FOUND"
logger = logging.getLogger(__name__)


class Infected(Refused):
    """The scanner found something; the message names it."""


class _NoAnswerError(Exception):
    """The scanner said something else than clean or found."""


def scan(content: bytes) -> str:
    """What is known of ``content``: a :class:`ScanState`. Raises :class:`Infected`.

    A scanner that is configured and does not answer leaves the file pending; nobody reads it until it was scanned.
    """
    if not settings.PILOT_CLAMD:
        return ScanState.NOT_SCANNED
    try:
        found = _ask(content)
    except (OSError, _NoAnswerError) as error:
        logger.warning("virus scanner: %s", error)
        return ScanState.PENDING
    if found:
        raise Infected(_("文件被查出病毒（%(name)s），不予接收") % {"name": found})
    return ScanState.CLEAN


def _ask(content: bytes) -> str:
    """The name of what was found; empty when the file is clean."""
    with _connection() as line:
        line.sendall(b"zINSTREAM\x00")
        for at in range(0, len(content), CHUNK):
            piece = content[at : at + CHUNK]
            line.sendall(struct.pack(">I", len(piece)) + piece)
        line.sendall(struct.pack(">I", 0))
        answer = _read(line)
    said = answer.removeprefix("stream:").strip()
    if said == "OK":
        return ""
    if said.endswith(FOUND):
        return said.removesuffix(FOUND).strip()
    raise _NoAnswerError(said or "closed the connection")


@contextmanager
def _connection() -> Iterator[socket.socket]:
    where: str = settings.PILOT_CLAMD
    if where.startswith("/"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address: str | tuple[str, int] = where
    else:
        host, _colon, port = where.rpartition(":")
        address = (host.strip("[]"), int(port))
        line = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    with line:
        line.settimeout(CONNECT_SECONDS)
        line.connect(address)
        line.settimeout(ANSWER_SECONDS)
        yield line


def _read(line: socket.socket) -> str:
    """The answer up to its NUL (or the end of the connection)."""
    said = b""
    while not said.endswith(b"\x00") and len(said) < MAX_ANSWER:
        piece = line.recv(MAX_ANSWER)
        if not piece:
            break
        said += piece
    return said.rstrip(b"\x00").decode("utf-8", errors="replace").strip()
