"""The command line as an actor: what is run there is on record with the operating system's user (S18)."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import Final

from django.core.management import execute_from_command_line
from django.db import DatabaseError, transaction

from pilot.actors import Actor
from pilot.enums import Role

# What leaves no trace in the data: starting and stopping, tools of development, readings without personal data, and
# the demonstration, which begins with an empty log of its own.
UNRECORDED: Final = frozenset(
    {
        *("serve", "stop", "demo", "test", "bench", "machine_docs", "make_forms", "draw_sample"),
        *("register", "accuracy", "verify_audit", "check", "help", "version", "--help", "--version", ""),
        *(
            "makemigrations",
            "makemessages",
            "compilemessages",
            "showmigrations",
            "sqlmigrate",
            "diffsettings",
        ),
        *("collectstatic", "findstatic", "runserver", "spectacular"),
    }
)


def operator() -> Actor:
    """Whoever runs a command: the name the operating system knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(role=Role.SYSTEM, name=f"{name}@console"[:128], channel="console")


def run(words: Sequence[str]) -> None:
    """Run ``manage.py`` with these words. The command's name is recorded, never what it was given."""
    command = words[1] if len(words) > 1 else ""
    if command in UNRECORDED or {"-h", "--help"} & set(words):
        execute_from_command_line(list(words))
        return
    done = False
    try:
        execute_from_command_line(list(words))
        done = True
    finally:
        _record(command, done)


def _record(command: str, done: bool) -> None:
    """One row after the command: before it, the tables may not even be there."""
    from pilot.models import AuditEntry
    from pilot.services import audit

    outcome = AuditEntry.Outcome.DONE if done else AuditEntry.Outcome.FAILED
    try:
        with transaction.atomic():
            audit.record(
                action="command.run",
                actor=operator(),
                outcome=outcome,
                object_type="command",
                object_id=command,
            )
    except DatabaseError as error:
        sys.stderr.write(f"not on record: {error}\n")
