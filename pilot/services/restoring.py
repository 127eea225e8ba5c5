"""Putting a backup back: everything is checked before anything is touched, and again afterwards."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from pilot import supervisor
from pilot.actors import Actor
from pilot.embedded import Layout
from pilot.models import AuditEntry
from pilot.services import audit, audit_checks, audit_heads, backups, dumps
from pilot.services.backups import FOLDERS, BackupError


def restore(*, source: Path, actor: Actor, force: bool = False, reason: str = "") -> dict[str, Any]:
    """Put a backup into an empty portal; with ``force`` and a ``reason`` in place of what the portal holds.

    Returns ``{directory, made_at, tables, rows, files, audit, seconds: {check, database, files, verify, all}}``.
    Raises :class:`BackupError`; whatever it refuses before the database took the dump leaves the portal as it was.
    """
    took: dict[str, float] = {}
    began = time.monotonic()
    manifest, seal = check(source)
    try:
        with _standing_still():
            _replace(source, manifest, took, began, allowed=bool(force and reason))
            log = _verify(manifest)
            took["verify"] = time.monotonic() - began - sum(took.values())
            took["all"] = time.monotonic() - began
            fault = log["fault"]
            counts = put_on_record(actor=actor, manifest=manifest, seal=seal, reason=reason, fault=fault)
    except backups.TROUBLE as error:
        raise BackupError(f"恢复失败：{error} / the restore failed: {error}") from error
    if fault:
        raise BackupError(f"恢复后的内容与清单不符 / what was restored does not fit the list: {fault}")
    return {
        "directory": str(source),
        "made_at": manifest["made_at"],
        **counts,
        "audit": {name: log[name] for name in ("entries", "unsealed", "heads")},
        "seconds": {name: round(seconds, 1) for name, seconds in took.items()},
    }


def _replace(
    source: Path, manifest: dict[str, Any], took: dict[str, float], began: float, *, allowed: bool
) -> None:
    """Put the backup in place of what the portal holds, which has to be ``allowed`` where that is anything."""
    empty = dumps.is_empty() and not any(_files())
    if not empty and not allowed:
        raise BackupError(
            "门户里已有数据：恢复会替换全部内容，须同时给出 --force 和 --reason / "
            "this portal holds data: a restore replaces all of it and needs --force and --reason"
        )
    took["check"] = time.monotonic() - began
    var = Path(settings.VAR)
    aside = Path(tempfile.mkdtemp(prefix="restore-", dir=var))
    try:
        _take_files(source, aside, manifest)
        took["files"] = time.monotonic() - began - sum(took.values())
        with _in_place(aside, var):
            dumps.load(source / backups.DUMP, empty_first=not empty)
        shutil.rmtree(aside / "old", ignore_errors=True)
        took["database"] = time.monotonic() - began - sum(took.values())
    finally:
        shutil.rmtree(aside / "new", ignore_errors=True)
        for folder in (aside / "old", aside):
            with suppress(OSError):  # what could not be put back stays where it is
                folder.rmdir()


@transaction.atomic
def put_on_record(
    *, actor: Actor, manifest: dict[str, Any], seal: str, reason: str, fault: str = ""
) -> dict[str, int]:
    """Write into the restored log which backup it comes from, why, and what was wrong; returns how much it was."""
    counts = {
        "tables": len(manifest["tables"]),
        "rows": sum(table["rows"] for table in manifest["tables"].values()),
        "files": len(manifest["files"]) - 1,
    }
    detail = {"manifest": seal, "made_at": manifest["made_at"], "reason": reason, **counts}
    outcome = AuditEntry.Outcome.FAILED if fault else AuditEntry.Outcome.DONE
    detail |= {"fault": fault} if fault else {}
    audit.record(action="portal.restore", actor=actor, outcome=outcome, detail=detail)
    return counts


def check(source: Path) -> tuple[dict[str, Any], str]:
    """The list of a backup and its SHA-256, once signature, keys, program and every file were found to fit.

    Raises :class:`BackupError`.
    """
    try:
        content = (source / backups.MANIFEST).read_bytes()
        key, signed = (source / backups.SIGNATURE).read_text(encoding="ascii").split()
        manifest: dict[str, Any] = json.loads(content)
        if manifest["format"] != backups.FORMAT:
            raise ValueError(manifest["format"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BackupError(f"{source} 不是备份 / {source} is no backup: {error!r}") from error
    if not audit_heads.says(key, backups.statement(content), signed):
        raise BackupError("清单与签名不符：备份被改动 / the list does not fit its signature: it was changed")
    if missing := _missing_keys(manifest):
        raise BackupError(
            f"缺少备份所用的密钥 {'、'.join(missing)}：请先恢复密钥 / keys of this backup are missing: "
            f"{', '.join(missing)}; put them back first"
        )
    if key not in audit_heads.public_keys():
        raise BackupError(
            "清单不是由本门户的密钥签名的 / the list is signed by a key that is not this portal's"
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(manifest["migrations"]) - known):
        raise BackupError(f"备份来自更新的版本 / made by a newer version: {', '.join(newer[:5])}")
    wrong = [name for name, told in manifest["files"].items() if _differs(source / name, told)]
    if wrong:
        raise BackupError(
            f"{len(wrong)} 个文件缺失或被改动 / {len(wrong)} files are missing or changed: "
            f"{', '.join(wrong[:5])}"
        )
    return manifest, sha256(content).hexdigest()


def _missing_keys(manifest: dict[str, Any]) -> list[str]:
    here = backups.fingerprints()
    return [
        f"{variable} {version}"
        for variable, kept in manifest["keys"].items()
        for version, print_ in kept.items()
        if here.get(variable, {}).get(version) != print_
    ]


def _differs(path: Path, told: dict[str, Any]) -> bool:
    try:
        return backups.described(path) != told
    except OSError:
        return True


@contextmanager
def _standing_still() -> Iterator[None]:
    """Nobody serves the portal meanwhile."""
    layout = Layout.of(settings.VAR)
    claim = supervisor.Claim(layout)
    layout.run.mkdir(parents=True, exist_ok=True)
    try:
        claim.take()
    except supervisor.ServeError as error:
        raise BackupError(
            "门户正在运行，请先停止：manage.py stop / the portal runs: stop it first"
        ) from error
    try:
        yield
    finally:
        claim.release()


def _files() -> list[Path]:
    return [path for folder in FOLDERS for path in backups.files_in(Path(settings.VAR) / folder)]


def _take_files(source: Path, aside: Path, manifest: dict[str, Any]) -> None:
    """Copy every file beside its place; the copy is what is compared with the list."""
    for name, told in manifest["files"].items():
        if name != backups.DUMP and backups.copied(source / name, aside / "new" / name) != told:
            raise OSError(f"{name} changed while it was copied")


@contextmanager
def _in_place(aside: Path, var: Path) -> Iterator[None]:
    """The backup's folders stand in the portal's place; when what happens meanwhile fails, the portal's come back."""
    (aside / "old").mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for folder in FOLDERS:
            steps = (var / folder, aside / "old" / folder), (aside / "new" / folder, var / folder)
            for here, there in steps:
                if here.exists():
                    here.rename(there)
                    moved.append((here, there))
        yield
    except BaseException:
        for here, there in reversed(moved):
            there.rename(here)
        raise


def _verify(manifest: dict[str, Any]) -> dict[str, Any]:
    """Compare every table and file in place with the list and recompute the audit log.

    Returns what the log said, with everything that does not fit as its ``fault``.
    """
    connection.close()
    with dumps.snapshot() as (cursor, _name):
        found = dumps.tables(cursor)
    told = manifest["tables"]
    wrong = sorted(name for name in found.keys() | told.keys() if found.get(name) != told.get(name))
    var, files = Path(settings.VAR), manifest["files"].items()
    wrong += [name for name, told in files if name != backups.DUMP and _differs(var / name, told)]
    log = audit_checks.verify()
    return {**log, "fault": ", ".join([*wrong[:5], *([] if log["ok"] else [log["fault"]])])}
