"""What the tests of the embedded servers ask of a ``PILOT_VAR``."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from pilot import embedded


def state(var: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((var / "run" / "embedded.json").read_text(encoding="utf-8"))
    return found


def is_ready(var: Path, server: str, *, other_than: int | None = None) -> bool:
    """Whether ``server`` is up, in a process other than the given one."""
    entry = state(var)[server]
    return entry["state"] == "ready" and entry["pid"] != other_than


def is_down(var: Path) -> bool:
    """Whether no keeper and so no server of ``var`` is left."""
    return embedded.FileLock(embedded.Layout.of(var).lock("keeper")).is_free()


@contextlib.contextmanager
def connect(var: Path) -> Iterator["psycopg.Connection[Any]"]:
    place = embedded.postgres_settings(var)
    with psycopg.connect(
        host=place["HOST"], port=place["PORT"], user=place["USER"], dbname=place["NAME"], autocommit=True
    ) as connection:
        yield connection


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
