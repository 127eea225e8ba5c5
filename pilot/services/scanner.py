"""The virus scanner: clamd's INSTREAM command over TCP or a unix socket, where one is configured."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from pilot.errors import Refused

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 30
CHUNK: Final = 256 * 1024
MAX_ANSWER: Final = 4096
FOUND: Final = "FOUND"


class Infected(Refused):
    """The scanner found something; the message names it."""


class NoAnswerError(Exception):
    """The scanner cannot be reached, or said something else than clean or found."""


def is_configured() -> bool:
    """Whether there is a scanner at all."""
    return bool(settings.PILOT_CLAMD)


def check(content: bytes) -> None:
    """Have ``content`` scanned. Raises :class:`Infected`, or :class:`NoAnswerError` where nothing can be said."""
    try:
        found = _ask(content)
    except OSError as error:
        raise NoAnswerError(str(error)) from error
    if found:
        raise Infected(_("文件被查出病毒（%(name)s），不予接收") % {"name": found})


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
    raise NoAnswerError(said or "closed the connection")


@contextmanager
def _connection() -> Iterator[socket.socket]:
    where: str = settings.PILOT_CLAMD
    if where.startswith("/"):
        # nosemgrep: line-past-outward  (the operator's own scanner, by its settings)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address: str | tuple[str, int] = where
    else:
        host, _colon, port = where.rpartition(":")
        address = (host.strip("[]"), int(port))
        # nosemgrep: line-past-outward  (the operator's own scanner, by its settings)
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
