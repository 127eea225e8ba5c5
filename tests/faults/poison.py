"""Poison for a real worker (``--include``): a task that fails, one that kills its process, a file that kills it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init

NAME = "示例毒"  # who verified the forms of the file that kills


def _note(name: str) -> None:
    with (Path(os.environ["PILOT_VAR"]) / f"poison-{name}").open("a") as file:
        file.write("x")


def tries(name: str) -> int:
    """How often it was tried; forgets it."""
    path = Path(os.environ["PILOT_VAR"]) / f"poison-{name}"
    found = len(path.read_text())
    path.unlink()
    return found


@shared_task
def fail() -> None:
    """Fails every time."""
    _note("fail")
    raise ValueError("poison")


@shared_task
def kill() -> None:
    """Takes its process with it, as one that needs too much memory does."""
    _note("kill")
    os.kill(os.getpid(), signal.SIGKILL)


@worker_process_init.connect
def poison_files(**_told: Any) -> None:
    """From now on a file whose forms were verified by :data:`NAME` kills whoever loads it."""
    from filings.services import loading

    plain = loading.load_chunk

    def load(**arguments: Any) -> bool:
        if any(NAME.encode() in row.raw for row in arguments["rows"]):
            _note("file")
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(**arguments)

    loading.load_chunk = load
