"""The command line as an actor: what is run there is on record with the operating system's user (S18)."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import Final

from django.core.management import execute_from_command_line
from django.db import DatabaseError, transaction
from psycopg.errors import UndefinedTable

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
NO_TABLES: Final = (
    "数据库尚未建表，本次未记入审计日志，请先运行 migrate / no tables yet: not on record, migrate first"
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
        no_tables = isinstance(error.__cause__, UndefinedTable)
        sys.stderr.write(f"{NO_TABLES if no_tables else f'not on record: {error}'}\n")
