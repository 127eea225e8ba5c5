"""Where the embedded servers of one ``PILOT_VAR`` keep their files, computed without starting anything."""

import hashlib
import os
import re
import shutil
import stat
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from pilot.embedded.errors import EmbeddedError, from_os_error

DATABASE = USER = "pilot"
NOBODY = 65534  # uid and gid that PostgreSQL runs under when root starts it

_POSTGRES_SOCKET = ".s.PGSQL.5432"
# sun_path holds 108 bytes on Linux, 104 on macOS; PostgreSQL's name is the longest put into the folder.
_LONGEST_FOLDER = 103 - len("/" + _POSTGRES_SOCKET)
# Not $TMPDIR: every process of the portal has to come to the same folder. prepare() looks who owns it.
_TEMPORARY = Path("/tmp")  # noqa: S108
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True)
class Layout:
    """The files of the servers under one ``PILOT_VAR``; ``var`` is absolute."""

    var: Path

    @classmethod
    def of(cls, var: Path) -> "Layout":
        return cls(var.resolve())

    @property
    def digest(self) -> str:
        """Short name of this ``var`` for folders that lie outside it."""
        return hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]

    @property
    def run(self) -> Path:
        """Locks and state files."""
        return self.var / "run"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def sockets(self) -> Path:
        """Folder of the unix sockets.

        Root's lies outside ``var``: the server may run as ``nobody``, to whom the way to ``var`` can be
        closed. Others get ``var/run`` unless that is too long for a socket's address, or not plain ASCII.
        """
        if os.geteuid() == 0:
            return (Path("/run") if os.access("/run", os.W_OK) else _TEMPORARY) / f"pilot-{self.digest}"
        if len(os.fsencode(self.run)) <= _LONGEST_FOLDER and _PLAIN.fullmatch(str(self.run)):
            return self.run
        return _TEMPORARY / f"pilot-{os.geteuid()}-{self.digest}"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / _POSTGRES_SOCKET

    @property
    def broker_socket(self) -> Path:
        return self.sockets / "broker.sock"

    @property
    def state(self) -> Path:
        """JSON written by the keeper: its pid and what each server is doing."""
        return self.run / "embedded.json"

    def lock(self, name: str) -> Path:
        return self.run / f"{name}.lock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders.

        Raises EmbeddedError when they cannot be made, or when somebody else owns the socket folder (in a
        world-writable place anybody could have made it first, to read what is sent to the database).
        """
        try:
            # 0711: a server running as `nobody` must pass through; what lies inside is closed on its own.
            self.var.mkdir(parents=True, exist_ok=True, mode=0o711)
            for folder in (self.run, self.logs, self.sockets):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise from_os_error(error, self.var) from error
        found = self.sockets.lstat()
        owners = {0, NOBODY} if os.geteuid() == 0 else {os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o022:
            raise EmbeddedError(
                f"{self.sockets} 属于他人或可被他人写入：请删除后重试 / "
                f"{self.sockets} belongs to somebody else, or others may write to it: remove it, start again"
            )

    def remove_sockets(self) -> None:
        """Remove the socket folder that lies outside ``var``, once no server uses it any more."""
        if self.sockets != self.run:
            shutil.rmtree(self.sockets, ignore_errors=True)


def postgres_settings(var: Path) -> dict[str, str]:
    """Django's HOST, PORT, USER and NAME of the embedded PostgreSQL of ``var``, whether it runs or not."""
    # PORT is part of the socket's name; unset it would follow PGPORT.
    return {"HOST": str(Layout.of(var).sockets), "PORT": "5432", "USER": USER, "NAME": DATABASE}


def broker_url(var: Path) -> str:
    """Celery's URL of the embedded broker of ``var``, whether it runs or not."""
    return f"redis+socket://{urllib.parse.quote(str(Layout.of(var).broker_socket))}?virtual_host=0"
