"""Poison for a real worker (``--include``): a task that fails, one that kills its process, a file that kills it.

And one that meets a broker that hangs together with a database that is away.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init
from django.db import OperationalError

NAME = "示例毒"  # who verified the forms of the file that kills


def _path(name: str) -> Path:
    return Path(os.environ["PILOT_VAR"]) / f"poison-{name}"


def _note(name: str) -> None:
    with _path(name).open("a") as file:
        file.write("x")


def tried(name: str) -> int:
    """How often it was tried so far."""
    return len(_path(name).read_text()) if _path(name).exists() else 0


def tries(name: str) -> int:
    """How often it was tried; forgets it."""
    found = tried(name)
    _path(name).unlink()
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


@shared_task
def hang(broker: int) -> None:
    """At its first try the broker (this process) hangs, and then the database is away."""
    _note("hang")
    if tried("hang") == 1:
        os.kill(broker, signal.SIGSTOP)
        raise OperationalError


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
