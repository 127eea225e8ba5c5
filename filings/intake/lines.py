"""Splitting a byte stream into lines of bounded length, whatever the length of the lines in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

MAX_LINE: Final = 1024 * 1024
"""A longer line is never held: it is skipped up to its end and reported."""

CHUNK: Final = 256 * 1024
BOM: Final = b"\xef\xbb\xbf"


class Readable(Protocol):
    """The only thing asked of an input: ``read(n)`` returning at most ``n`` bytes, ``b""`` at the end."""

    def read(self, size: int, /) -> bytes: ...


class Replay:
    """A stream whose first bytes have been looked at already and come again."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes: first those of the head, then the stream's."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._stream.read(size)


def read_head(stream: Readable, size: int) -> bytes:
    """Return the first ``size`` bytes, fewer only where the stream ends."""
    head = bytearray()
    while len(head) < size:
        piece = stream.read(size - len(head))
        if not piece:
            break
        head += piece
    return bytes(head)


def split_lines(stream: Readable, limit: int = MAX_LINE) -> Iterator[bytes | None]:
    """Yield the lines without their LF or CRLF; ``None`` stands for a line longer than ``limit`` bytes.

    Holds at most ``limit`` bytes and one chunk.
    """
    rest = b""
    skipping = False
    while chunk := stream.read(CHUNK):
        first, *others = chunk.split(b"\n")
        if skipping:
            if not others:
                continue
            skipping = False
            yield None
        elif not others:
            rest += first
            if len(rest) > limit + 1:  # one more, since the last byte may be the CR of a CRLF
                skipping, rest = True, b""
            continue
        else:
            yield _bounded(rest + first, limit)
        for line in others[:-1]:
            yield _bounded(line, limit)
        rest = others[-1]
    if skipping:
        yield None
    elif rest:
        yield _bounded(rest, limit)


def _bounded(line: bytes, limit: int) -> bytes | None:
    if line.endswith(b"\r"):
        line = line[:-1]
    return line if len(line) <= limit else None
