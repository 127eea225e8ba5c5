"""Files that are whole under their name or not there, whatever breaks off in between."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PAPERS, FORMS, FONTS = KEPT = ("papers", "forms", "fonts")  # folders of ``VAR`` with what is made once


def keep_whole(path: Path, content: bytes) -> None:
    """Written aside, synced and renamed: after a power cut, too, whoever sees the name reads all of it.

    Raises ``OSError`` where it cannot be written; nothing half written then takes up what is left of a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def is_kept(path: Path) -> bool:
    """Whether it is there and not empty, as a power cut left what an earlier release had not synced."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
