"""Backups of a whole portal: its database, its files and a signed list of both. Keys are named, never kept.

A backup is a folder: ``database.dump``, the folders of :data:`FOLDERS`, ``manifest.json`` and ``manifest.sig``, the
signature of the audit log's key over it. ``docs/operations.md`` has the whole of it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder

from pilot import clock, keyring, sealing
from pilot.actors import Actor
from pilot.services import audit, audit_heads, dumps

FORMAT: Final = "pilot-backup-v1"
DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
FOLDERS: Final = (
    "files",
    "uploads",
    "spool",
)  # under PILOT_VAR; what is refilled or belongs to one machine stays out
FLEETING: Final = ("spool", "uploads")  # emptied as work goes on
BLOCK: Final = 1024 * 1024
TROUBLE: Final = (OSError, dumps.DumpError, Error, psycopg.Error)
"""What disk and database raise; a copy of rows speaks to psycopg itself."""


class BackupError(RuntimeError):
    """A backup cannot be made or put back; the text (Chinese / English) says why."""


def make(*, target: Path, actor: Actor) -> dict[str, Any]:
    """Make a backup while the portal runs: the state of one moment, and every file its rows refer to.

    ``target`` is new or empty, and there whole or not at all. Returns ``{directory, made_at, tables, rows, files,
    bytes, manifest_sha256, seconds}``. Raises :class:`BackupError`.
    """
    began = time.monotonic()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(f"{target} 已存在且不为空 / {target} exists and is not empty")
    fresh = target.with_name(f"{target.name}.new")
    if not _is_leftover(fresh):
        raise BackupError(
            f"{fresh} 不是备份的残留，请移开 / {fresh} is no leftover of a backup: move it away"
        )
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True, mode=0o700)
        manifest = _fill(fresh)
        seal = _sign(fresh, manifest)
        os.sync()
        if target.exists():
            target.rmdir()
        fresh.rename(target)
    except TROUBLE as error:
        raise BackupError(f"备份失败：{error} / the backup failed: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    counts = {
        "tables": len(manifest["tables"]),
        "rows": sum(table["rows"] for table in manifest["tables"].values()),
        "files": len(manifest["files"]),
        "bytes": sum(file["bytes"] for file in manifest["files"].values()),
    }
    audit.record(action="portal.backup", actor=actor, detail={"manifest": seal, **counts})
    return {
        "directory": str(target),
        "made_at": manifest["made_at"],
        **counts,
        "manifest_sha256": seal,
        "seconds": round(time.monotonic() - began, 1),
    }


def _is_leftover(fresh: Path) -> bool:
    """Whether a folder is missing, or what a backup that was killed left there: nothing else is ever removed."""
    ours = {DUMP, MANIFEST, SIGNATURE, *FOLDERS}
    return not fresh.exists() or (fresh.is_dir() and {path.name for path in fresh.iterdir()} <= ours)


def _fill(fresh: Path) -> dict[str, Any]:
    """Everything but the list, which is returned.

    Files are written before the rows that name them, so copying them after the snapshot misses none. Those that work
    takes away again are copied before it as well: what was taken away meanwhile may be named by a row of the snapshot.
    """
    files: dict[str, dict[str, Any]] = {}
    _copy(FLEETING, fresh, files)
    with dumps.snapshot() as (cursor, name):
        made_at = clock.security_now().isoformat()
        _copy(FLEETING, fresh, files)
        dumps.save(fresh / DUMP, name)
        tables = dumps.tables(cursor)
    _copy(FOLDERS, fresh, files)
    files[DUMP] = described(fresh / DUMP)
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "format": FORMAT,
        "made_at": made_at,
        "postgresql": _server_version(),
        "migrations": sorted(f"{app}.{name}" for app, name in applied),
        "keys": fingerprints(),
        "tables": tables,
        "files": dict(sorted(files.items())),
    }


def _server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _copy(folders: tuple[str, ...], fresh: Path, files: dict[str, dict[str, Any]]) -> None:
    """Copy what lies in these folders now; what vanishes under way was no longer needed, or is there from before."""
    base = Path(settings.VAR)
    for path in (path for folder in folders for path in files_in(base / folder)):
        name = str(path.relative_to(base))
        with suppress(FileNotFoundError):
            files[name] = copied(path, fresh / name)


def files_in(folder: Path) -> Iterator[Path]:
    """Every file in a folder, in no order; links lead elsewhere and are left out."""
    for parent, _folders, names in os.walk(folder):
        yield from (path for path in (Path(parent, name) for name in names) if not path.is_symlink())


def copied(source: Path, target: Path) -> dict[str, Any]:
    """Copy a file; returns it as the list has it: ``{bytes, sha256}`` of what was written."""
    with source.open("rb") as read:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as write:
            size, digest = 0, sha256()
            while block := read.read(BLOCK):
                size += write.write(block)
                digest.update(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def described(path: Path) -> dict[str, Any]:
    """A file as the list has it."""
    with path.open("rb") as file:
        size, digest = 0, sha256()
        while block := file.read(BLOCK):
            size += len(block)
            digest.update(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


# --- keys and signature -------------------------------------------------------------------------------
def fingerprints() -> dict[str, dict[str, str]]:
    """Variable → version → fingerprint of every key without which a backup is of no use; none tells the key."""
    return {
        secret.variable: {
            str(version): sealing.derive(text, "fingerprint").hex()[:16]
            for version, text in sorted(keyring.versions(getattr(settings, secret.variable)).items())
        }
        for secret in keyring.MADE.values()
        if secret.variable != "PILOT_SECRET_KEY"  # people sign in again
    }


def statement(manifest: bytes) -> bytes:
    """The bytes that the signature of a list covers."""
    return f"backup-v1\n{sha256(manifest).hexdigest()}\n".encode("ascii")


def _sign(fresh: Path, manifest: dict[str, Any]) -> str:
    """Write the list and its signature; returns the list's SHA-256."""
    content = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (fresh / MANIFEST).write_bytes(content)
    signed = f"{audit_heads.public_key()} {audit_heads.signature(statement(content))}\n"
    (fresh / SIGNATURE).write_text(signed, encoding="ascii")
    return sha256(content).hexdigest()
