"""Two acts at one moment, told apart to the statement: the second waits for what the first holds."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from django.db import connection, transaction


def while_held(first: Callable[[], object], second: Callable[[], object]) -> type[Exception] | None:
    """Do ``first``, and ``second`` on a connection of its own until it waits for the first or is over; then commit.

    How the second ended: None, or the kind of exception.
    """
    ended: list[type[Exception] | None] = []
    server: SimpleQueue[int] = SimpleQueue()

    def run() -> None:
        try:
            connection.ensure_connection()
            server.put(connection.connection.info.backend_pid)
            second()
            ended.append(None)
        except Exception as error:
            ended.append(type(error))
        finally:
            connection.close()

    thread = Thread(target=run, daemon=True)
    with transaction.atomic():
        first()
        thread.start()
        _until_blocked(server.get(timeout=60), thread)
    thread.join(timeout=60)
    return ended[0]


def _until_blocked(pid: int, thread: Thread) -> None:
    """Return once a server process waits for somebody's lock, or its thread has nothing more to do."""
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid])
            if cursor.fetchone()[0]:
                return
            thread.join(timeout=0.01)
