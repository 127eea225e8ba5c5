"""Under which account PostgreSQL runs: it refuses uid 0, and users that have no name."""

# ruff: noqa: S603  (it starts programs it names itself)

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilot.embedded.errors import EmbeddedError, from_output
from pilot.embedded.layout import NOBODY

ELSEWHERE = Path(
    "/var/lib/pilot-postgres"
)  # for `nobody`, where the way to the checkout or to var/ is closed


@dataclass(frozen=True)
class Account:
    """How to start a program under the account.

    ``owner``: uid and gid of the files it works on, as seen from outside. ``popen``: further arguments of
    ``subprocess.Popen``. ``enter``: runs in the child before the program. ``confined``: it cannot go where
    only root can.
    """

    owner: int
    popen: dict[str, Any]
    enter: Callable[[], None]
    confined: bool = False

    def run(self, *argv: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program to its end; its two outputs come back as one."""
        return subprocess.run(
            [str(word) for word in argv],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=environment(),
            preexec_fn=self.enter,
            **self.popen,
        )


def environment() -> dict[str, str]:
    """The environment without PG… variables, each of which quietly changes a server or client program."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _stay() -> None:
    """Nothing to enter."""


def _enter_namespace() -> None:
    """Become `nobody` in a user namespace of one's own: outside, process and files keep their owner."""
    user, group = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def _has_name() -> bool:
    """Whether the system knows the user by name, which PostgreSQL insists on (containers can set any number)."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def choose(program: Path) -> Account:
    """The account for ``program`` (any PostgreSQL binary), tried by asking it for its version.

    Raises EmbeddedError when the program does not run under any account.
    """
    user = os.geteuid()
    account = Account(user, {}, _stay)
    if user == 0 or not _has_name():
        namespaced = Account(user, {}, _enter_namespace)
        if hasattr(os, "unshare") and _runs(namespaced, program):
            return namespaced
    if user == 0:
        account = Account(NOBODY, {"user": NOBODY, "group": NOBODY, "extra_groups": []}, _stay, confined=True)
        program = reachable_copy(program)
    try:
        done = account.run(program, "--version")
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(
            f"无法启动 PostgreSQL 程序 {program}：{error} / cannot start {program}: {error}; "
            "set DATABASE_URL to a server of your own instead"
        ) from error
    if done.returncode:
        raise from_output("PostgreSQL", done.stdout, program)
    return account


def _runs(account: Account, program: Path) -> bool:
    try:
        return account.run(program, "--version").returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def passable(path: Path) -> bool:
    """Whether `nobody` gets as far as ``path``: every folder above it lets others through."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def reachable_copy(program: Path) -> Path:
    """``program`` itself where `nobody` can reach it, else its copy under :data:`ELSEWHERE` (made once)."""
    package = program.parents[2]
    if passable(program):
        return program
    target = elsewhere("bin", package)
    if not target.exists():
        # Aside and renamed, so that a copy cut short is never taken for a whole one. The wheel's layout
        # stays: its programs look for their libraries relative to themselves.
        fresh = target.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, fresh / folder.name, symlinks=True)
        fresh.rename(target)
    return target / package.name / program.relative_to(package)


def elsewhere(kind: str, original: Path) -> Path:
    """The place under :data:`ELSEWHERE` that stands for ``original``."""
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    ELSEWHERE.chmod(0o755)
    return ELSEWHERE / f"{kind}-{hashlib.sha256(os.fsencode(original)).hexdigest()[:12]}"


def give(folder: Path, owner: int) -> None:
    """Make ``owner`` the owner of ``folder`` and all in it, unless it is already."""
    if folder.stat().st_uid == owner:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), owner, owner, follow_symlinks=False)
    os.chown(folder, owner, owner)  # last: it tells that all the rest is done
