"""The web server's worker: it stamps a request when its first bytes are there, before the request waits for a thread.

What counts in time is the arrival, not when the portal gets round to it (docs/intake.md). Behind a proxy that stamps
arrivals itself (``PILOT_ARRIVAL_HEADER``) nothing is added.
"""

from __future__ import annotations

import os
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

HEADER = "X-PILOT-ARRIVED"


class ArrivalWorker(ThreadWorker):
    """Threads as gunicorn has them, with the time of arrival as a header that no client can set."""

    def enqueue_req(self, conn: Any) -> None:
        """The connection has data and begins to wait for a thread."""
        conn.arrived = time.time()
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """A thread is there: tell the portal since when the request waited."""
        if os.environ.get("PILOT_ARRIVAL_HEADER") == HEADER:
            others = [(name, value) for name, value in req.headers if name != HEADER]
            req.headers = [*others, (HEADER, f"t={conn.arrived:.3f}")]
        return super().handle_request(req, conn)
