"""What a process that died between disk and database left behind: cleared up within the hour.

Content waits under a name of its own until its row has committed (:func:`pilot.services.documents.put_bytes`). Found
waiting too long, it gets its final name if a row names it after all, and goes if none does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from pilot import clock, disk
from pilot.services import documents

ABANDONED_AFTER: Final = timedelta(minutes=25)
"""Far longer than any transaction; with the timetable (every half-hour) still less than an hour."""
logger = logging.getLogger(__name__)


def clear() -> dict[str, int]:
    """Settle or remove what waits since long ago; returns how many files were ``settled`` and how many ``removed``.

    Safe beside another worker and beside writers of the same content.
    """
    done = {"settled": 0, "removed": 0}
    for path in _left():
        with documents.shelf(path):
            if not is_abandoned(path):
                continue
            if path.suffix == documents.WAITING and documents.needed({path.stem}):
                documents.settle(path.stem)
                done["settled"] += 1
            else:
                path.unlink(missing_ok=True)
                done["removed"] += 1
    if any(done.values()):
        logger.warning("leftovers: %(settled)d settled, %(removed)d removed", done)
    return done


def is_abandoned(path: Path) -> bool:
    """Whether a file was last touched so long ago that nobody works on it any more; False for one that is gone."""
    with suppress(FileNotFoundError):
        touched = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return touched < clock.security_now() - ABANDONED_AFTER
    return False


def _left() -> Iterator[Path]:
    """What waits, and what was still being written."""
    root = Path(settings.MEDIA_ROOT)
    yield from root.glob(f"*/*{documents.WAITING}")
    yield from root.glob("*/tmp*")
    for folder in disk.KEPT:
        yield from (Path(settings.VAR) / folder).glob("tmp*")
