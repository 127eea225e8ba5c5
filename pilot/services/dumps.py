"""The whole database as a file and back, by PostgreSQL's own programs; what its tables hold, as counts and digests."""

# ruff: noqa: S603  (it starts programs it names itself)

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pilot import embedded

_OURS: Final = ("host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
# Text of values, whatever the server's defaults are.
_PLAIN: Final = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; "
    "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1"
)
# Every table that holds rows itself, with its primary key in an order that no locale changes.
_TABLES: Final = """
    SELECT c.relname, coalesce(
        (SELECT string_agg(
                quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END,
                ', ' ORDER BY k.place)
           FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
          WHERE i.indrelid = c.oid AND i.indisprimary),
        'whole::text COLLATE "C"')
      FROM pg_class c
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
     ORDER BY c.relname COLLATE "C"
"""
# The schema as a new database has it.
_EMPTIED: Final = (
    "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner; "
    "GRANT USAGE ON SCHEMA public TO PUBLIC;\n"
)


class DumpError(RuntimeError):
    """A program of PostgreSQL did not do its work; the text is what it said."""


@contextmanager
def snapshot() -> Iterator[tuple[Any, str]]:
    """A cursor that sees the database as it is now until the end of the block, and the name under which others do."""
    line = connection.copy()
    try:
        with line.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(_PLAIN)
            cursor.execute("SELECT pg_export_snapshot()")
            yield cursor, cursor.fetchone()[0]
    finally:
        line.close()


def tables(cursor: Any) -> dict[str, dict[str, Any]]:
    """Every table as ``{rows, sha256}``: the digest of its rows as text, in the order of its primary key."""
    cursor.execute(_TABLES)
    return {name: _table(cursor, name, order) for name, order in cursor.fetchall()}


def _table(cursor: Any, name: str, order: str) -> dict[str, Any]:
    query = sql.SQL("COPY (SELECT * FROM {} AS whole ORDER BY {}) TO STDOUT")
    rows, digest = 0, sha256()
    with cursor.copy(query.format(sql.Identifier(name), sql.SQL(order))) as copy:
        for block in copy:
            rows += bytes(block).count(b"\n")  # those inside a value are written as \n
            digest.update(block)
    return {"rows": rows, "sha256": digest.hexdigest()}


def is_empty() -> bool:
    """Whether the database holds no table at all."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return cursor.fetchone() is None


def save(target: Path, name: str) -> None:
    """Dump the database as the snapshot ``name`` sees it. Raises :class:`DumpError`."""
    words = ["-Fc", "--compress=1", "--no-owner", "--no-privileges", f"--snapshot={name}", f"--file={target}"]
    with _started("pg_dump", *words, *_server()) as process:
        process.wait()


def load(source: Path, *, empty_first: bool) -> None:
    """Put a dump into the database, in one transaction: whole or not at all. Raises :class:`DumpError`.

    ``empty_first``: what was there goes in the same transaction.
    """
    # As a script, so that emptying belongs to the transaction; COMMIT comes only when the script came whole.
    quiet = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-")
    script = ("--no-owner", "--no-privileges", "--file=-", str(source))
    with (
        _started("psql", *quiet, *_server(), stdin=subprocess.PIPE) as psql,
        suppress(BrokenPipeError),  # it has said why
        psql.stdin as into,
    ):
        into.write(b"BEGIN;\n" + (_EMPTIED.encode() if empty_first else b""))
        with _started("pg_restore", *script, stdout=subprocess.PIPE) as restore:
            shutil.copyfileobj(restore.stdout, into, 1024 * 1024)
        into.write(b"COMMIT;\n")
    connection.close()


@contextmanager
def _started(program: str, *words: str, **popen: Any) -> Iterator[Any]:
    """A program, waited for at the end of the block. Raises :class:`DumpError` with its last words when it failed."""
    password = connection.get_connection_params().get("password") or ""
    environment = embedded.environment() | ({"PGPASSWORD": password} if password else {})
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [embedded.installed(program), *words],
            env=environment,
            stderr=said,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **popen},
        )
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-4:]
            raise DumpError(f"{program}: " + " ".join(last))


def _server() -> tuple[str, str]:
    """How PostgreSQL's programs reach the portal's database; the password goes by the environment."""
    given = connection.get_connection_params()
    return "--dbname", make_conninfo(**{name: given[name] for name in _OURS if given.get(name)})
