"""The web server's worker: it stamps a request when its first bytes are there, and cuts one that hardly comes in.

What counts in time is the arrival, not when the portal gets round to it (docs/intake.md). Behind a proxy that stamps
arrivals itself (``PILOT_ARRIVAL_HEADER``) nothing is added.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

HEADER = "X-PILOT-ARRIVED"
SLOW_SECONDS: Final = float(os.environ.get("PILOT_SLOW_SECONDS", "60"))
LEAST_PER_SECOND: Final = 1024  # bytes; whoever sends less would hold a thread for hours


class PacedSocket:
    """A socket that is read from at some pace: after each 60 s of waiting for bytes, 60 KiB of them must have come.

    Only the waiting counts, not what the portal does between two reads.
    """

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self._cut = False
        self.begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def begin(self) -> None:
        """A request begins."""
        self._waited, self._got = 0.0, 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Bytes, or nothing at the end. Raises ``ConnectionResetError`` once too few came in too long a time."""
        if self._cut:
            return b""
        asked, begun = self._plain.gettimeout(), time.monotonic()
        left = max(0.001, SLOW_SECONDS - self._waited)
        self._plain.settimeout(left if asked is None else min(asked, left))
        try:
            piece = self._plain.recv(size, flags)
        except TimeoutError:
            if asked is not None and asked <= left:
                raise
            piece = b""
            self._waited = SLOW_SECONDS
        finally:
            self._plain.settimeout(asked)
        self._waited += time.monotonic() - begun
        self._got += len(piece)
        if self._waited >= SLOW_SECONDS:
            self._judge()
        return piece

    def _judge(self) -> None:
        self._cut = self._got < SLOW_SECONDS * LEAST_PER_SECOND
        self.begin()
        if self._cut:
            raise ConnectionResetError(errno.ECONNRESET, "the request came too slowly")


class ArrivalWorker(ThreadWorker):
    """Threads as gunicorn has them, with the time of arrival as a header that no client can set."""

    def enqueue_req(self, conn: Any) -> None:
        """The connection has data and begins to wait for a thread."""
        conn.arrived = time.time()  # nosemgrep: clock-of-its-own  (the server knows nothing of Django yet)
        if isinstance(conn.sock, PacedSocket):
            conn.sock.begin()
        else:
            conn.sock = PacedSocket(conn.sock)
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """A thread is there: tell the portal since when the request waited."""
        if os.environ.get("PILOT_ARRIVAL_HEADER") == HEADER:
            others = [(name, value) for name, value in req.headers if name != HEADER]
            req.headers = [*others, (HEADER, f"t={conn.arrived:.3f}")]
        return super().handle_request(req, conn)
