"""A worker of its own process for the crash tests: ``python worker.py DATABASE JOB CHUNK_ROWS [KILL_AT WHERE]``.

Processes one job of the test's database; kills itself with SIGKILL while chunk number ``KILL_AT`` is being loaded,
``before`` its transaction commits or ``after``.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def main(database: str, job_id: int, chunk_rows: int, kill_at: int, where: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from filings.services import loading, uploads

    uploads.CHUNK_ROWS = chunk_rows  # type: ignore[misc]
    name = {"before": "_advance", "after": "load_chunk"}[where]
    original, calls = getattr(loading, name), 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*args, **kwargs)
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(loading, name, counted)
    uploads.process(job_id=job_id)


if __name__ == "__main__":
    stop_at = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), stop_at, sys.argv[5] if stop_at else "after")
