"""Every secret of the portal: where it comes from and how it changes. Settings, servers and commands ask here alone.

Each comes from its variable, else from the file that ``<variable>_FILE`` names (a docker or Kubernetes secret). Those
that only this portal has to know are made once where neither is set, and kept under ``PILOT_VAR/secrets``.
Standard library only: the embedded servers read it before there is any Django.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_NUMBERED: Final = re.compile(r"[1-9][0-9]?:[^,]+(,[1-9][0-9]?:[^,]+)*").fullmatch
LAST_VERSION: Final = 99


class SecretError(RuntimeError):
    """A secret cannot be had; the text (Chinese / English) says why and what to do. It never holds the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """``file``: its name under ``secrets/`` where the portal makes it itself. ``rotates``: takes ``2:new,1:old``."""

    variable: str
    file: str = ""
    rotates: bool = False


SECRETS: Final = (
    Secret("PILOT_SECRET_KEY", "django", rotates=True),
    Secret("PILOT_MASTER_KEY", "master", rotates=True),
    Secret("PILOT_INDEX_KEY", "index", rotates=True),
    Secret("PILOT_DIGEST_KEY", "digest"),
    Secret("PILOT_AUDIT_KEY", "audit", rotates=True),
    Secret("PILOT_AUTHORITY_KEY"),
    Secret("PILOT_NEW_PASSWORD"),
    Secret("DATABASE_URL"),
    Secret("CELERY_BROKER_URL"),
)
_BY_VARIABLE: Final = {secret.variable: secret for secret in SECRETS}
MADE: Final = {secret.file: secret for secret in SECRETS if secret.file}


def configured(variable: str) -> str:
    """The secret as the environment gives it, itself or as a file; empty when it gives none.

    The end of the file's last line is no part of it. Raises :class:`SecretError`.
    """
    secret = _BY_VARIABLE[variable]
    value, file = os.environ.get(variable, ""), os.environ.get(f"{variable}_FILE", "")
    if value and file:
        raise SecretError(
            f"{secret.variable} 和 {variable}_FILE 只能设一个 / set {variable} or {variable}_FILE, not both"
        )
    if not file:
        return value
    try:
        value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise SecretError(
            f"无法读取 {variable}_FILE 所指的 {file}（{reason}） / cannot read {file} ({variable}_FILE): {reason}"
        ) from error
    if not value:
        raise SecretError(f"{variable}_FILE 所指的 {file} 是空的 / {file} ({variable}_FILE) is empty")
    return value


def load(variable: str, var: Path) -> str:
    """The secret as configured, else one made once for the portal of ``var`` alone. Raises :class:`SecretError`."""
    if value := configured(variable):
        return value
    path = path_of(_BY_VARIABLE[variable], var)
    if not path.exists():
        _make(path)
    if not (text := path.read_text(encoding="ascii")):
        raise SecretError(
            f"{path} 是空的：请从备份恢复密钥 / {path} is empty: put the secret back from where you keep it"
        )
    return text


def _make(path: Path) -> None:
    """Written aside, synced and linked: whoever sees the name reads all of it. Of two who start together one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, aside = tempfile.mkstemp(dir=path.parent)  # for its owner alone
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(fresh())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        Path(aside).unlink()


def path_of(secret: Secret, var: Path) -> Path:
    """Where a secret that the portal made itself lies."""
    return var / "secrets" / secret.file


def fresh() -> str:
    """A new secret: 64 random bytes as text."""
    return secrets.token_urlsafe(64)


@cache
def versions(text: str) -> dict[int, str]:
    """``"2:new,1:old"`` as version (1 to 99) → secret; any other text is one secret, version 1."""
    if _NUMBERED(text) is None:
        return {1: text}
    numbered = (part.split(":", 1) for part in text.split(","))
    return {int(number): secret for number, secret in numbered}


def newest_first(text: str) -> list[str]:
    """The secrets of all versions, the one in use first."""
    return [secret for _version, secret in sorted(versions(text).items(), reverse=True)]


def add_version(secret: Secret, var: Path) -> int:
    """Put a new version before the others in the portal's own file; returns its number.

    Processes that run go on with what they read when they started. Raises :class:`SecretError` for a secret that does
    not rotate, that the environment gives (whoever keeps it adds to it there), or that has had 99 versions.
    """
    kept = _own(secret, var)
    version = max(kept) + 1
    if version > LAST_VERSION:
        raise SecretError(f"{secret.variable}：版本号已用完 / no version number is left")
    _write(path_of(secret, var), {version: fresh(), **kept})
    return version


def drop_version(secret: Secret, var: Path, version: int) -> None:
    """Take an old version out of the portal's own file, for good. Raises :class:`SecretError`, as add_version."""
    kept = _own(secret, var)
    if version not in kept or version == max(kept):
        raise SecretError(
            f"{secret.variable}：没有旧的第 {version} 版 / there is no old version {version} of it"
        )
    _write(path_of(secret, var), {number: text for number, text in kept.items() if number != version})


def _own(secret: Secret, var: Path) -> dict[int, str]:
    if not secret.rotates:
        raise SecretError(f"{secret.variable} 不轮换 / {secret.variable} does not rotate")
    if configured(secret.variable):
        raise SecretError(
            f"{secret.variable} 由环境变量或密钥文件给出：请在那里改为“新版本号:新密钥,旧版本号:旧密钥”，再重启 / "
            f"{secret.variable} comes from the environment: change it there to 'N+1:new,N:old', then restart"
        )
    return versions(load(secret.variable, var))


def _write(path: Path, numbered: dict[int, str]) -> None:
    """Written aside, synced and renamed: a crash leaves the old keys or the new ones, never half of them."""
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(",".join(f"{number}:{text}" for number, text in sorted(numbered.items(), reverse=True)))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
