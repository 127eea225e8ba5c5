"""Holding the embedded servers: what every process does that needs one."""

# ruff: noqa: S603  (it starts programs it names itself)

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilot import keyring
from pilot.embedded.broker import Broker
from pilot.embedded.errors import EmbeddedError, check_space, from_os_error
from pilot.embedded.layout import Layout
from pilot.embedded.postgres import Postgres
from pilot.embedded.processes import FileLock, wait_until

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 180.0  # seconds; making the data folder on a slow disk included
_LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is set aside when the servers start

# Commands of manage.py that touch no data here; `bench`, `test` and `stop` see to servers themselves.
_WITHOUT_SERVERS = {
    "bench",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "stop",
    "test",
    "version",
}


class Held:
    """A hold on running servers; it ends with :meth:`release`, or with the process."""

    def __init__(self, layout: Layout, locks: dict[str, FileLock]) -> None:
        self._layout, self._locks = layout, locks

    @property
    def fds(self) -> tuple[int, ...]:
        """The descriptors that make up the hold: a child that inherits them holds the servers as well."""
        return tuple(lock.fd for lock in self._locks.values() if lock.fd is not None)

    def ensure(self) -> None:
        """Start a keeper again if it died, without waiting for its servers. Raises EmbeddedError."""
        if self._locks:
            _ensure_keeper(self._layout)

    def release(self) -> None:
        """Give the servers up; they stop when nobody else holds them. A second call does nothing."""
        for lock in self._locks.values():
            lock.release()


def hold(var: Path, *, postgres: bool = True, broker: bool = True) -> Held:
    """Hold the named servers of ``var``, starting what does not run; returns when they answer.

    Raises EmbeddedError, whose text says in words what is wrong and what to do.
    """
    layout = Layout.of(var)
    wanted = [name for name, asked in ((Postgres.name, postgres), (Broker.name, broker)) if asked]
    held = Held(layout, {name: FileLock(layout.lock(name)) for name in wanted})
    if not wanted:
        return held
    try:
        layout.prepare()
        check_space(layout.var)
        for name, lock in held._locks.items():
            # A keeper that is just stopping the server keeps the lock until it is down.
            if not lock.acquire(shared=True, timeout=START_TIMEOUT):
                raise EmbeddedError(
                    f"{name} 正在停止，等待超时：运行 python3 manage.py stop 后重试 / "
                    f"{name} does not finish stopping: run `python3 manage.py stop` and start again"
                )
        held.ensure()
        _await_ready(layout, set(wanted))
    except BaseException as error:
        held.release()
        if isinstance(error, OSError):
            raise from_os_error(error, layout.var) from error
        raise
    atexit.register(held.release)
    return held


def var_folder() -> Path:
    """``PILOT_VAR``, by default ``var/`` of the working copy."""
    return Path(os.environ.get("PILOT_VAR") or ROOT / "var").resolve()


def hold_configured(var: Path) -> Held:
    """Hold the servers of ``var`` that the environment does not replace (DATABASE_URL, CELERY_BROKER_URL)."""
    return hold(
        var,
        postgres=not keyring.configured("DATABASE_URL"),
        broker=not keyring.configured("CELERY_BROKER_URL"),
    )


def hold_for_command(argv: Sequence[str]) -> Held | None:
    """Hold what the ``manage.py`` command ``argv`` needs; None when it touches no data."""
    command = next((word for word in argv[1:] if not word.startswith("-")), "help")
    if command in _WITHOUT_SERVERS or {"-h", "--help", "--version"} & set(argv[1:]):
        return None
    return hold_configured(var_folder())


def stop_servers(var: Path, *, timeout: float = 90.0) -> bool:
    """Stop the servers of ``var`` whoever holds them; True when there was something to stop.

    Raises EmbeddedError when they do not stop within ``timeout`` seconds.
    """
    layout = Layout.of(var)
    if not layout.run.exists():
        return False
    keeper = FileLock(layout.lock("keeper"))
    found = False
    pid = _read_state(layout).get("pid")
    if not keeper.is_free() and pid:
        found = True
        with contextlib.suppress(ProcessLookupError):  # it ends just now by itself
            os.kill(pid, signal.SIGTERM)
    if not wait_until(keeper.is_free, timeout=timeout):
        raise EmbeddedError(
            f"嵌入式服务器的看护进程（{pid}）没有停止，请结束它 / "
            f"the keeper (process {pid}) does not stop: end it"
        )
    for service in (Broker(layout), Postgres(layout)):  # what a killed keeper left behind
        if service.home.exists() and service.answers():
            found = True
            service.evict()
    layout.remove_sockets()
    return found


def _read_state(layout: Layout) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(layout.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def _ensure_keeper(layout: Layout) -> None:
    starting = FileLock(layout.lock("start"))
    if not starting.acquire(timeout=START_TIMEOUT):
        raise EmbeddedError(
            f"等待 {starting.path} 超时：另一进程正在启动服务器 / "
            f"another process has been starting the servers for long ({starting.path})"
        )
    try:
        if FileLock(layout.lock("keeper")).is_free():
            _start_keeper(layout)
    finally:
        starting.release()


def _start_keeper(layout: Layout) -> None:
    layout.state.unlink(missing_ok=True)  # it speaks of the keeper before
    for name in ("keeper", Postgres.name, Broker.name):
        log = layout.log(name)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    with layout.log("keeper").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilot.embedded.keeper", str(layout.var)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for its holders; it ends when they have
        )
    if not wait_until(lambda: layout.state.exists() or process.poll() is not None, timeout=START_TIMEOUT):
        process.kill()
    if not layout.state.exists():
        words = layout.log("keeper").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise EmbeddedError(
            f"嵌入式服务器无法启动 / the embedded servers do not start: {' '.join(words) or '-'}"
        )


def _await_ready(layout: Layout, names: set[str]) -> None:
    began = time.monotonic()
    keeper = FileLock(layout.lock("keeper"))

    def settled() -> bool:
        state = _read_state(layout)
        for name in names:
            server = state.get(name, {})
            if server.get("state") == "failed" and server["since"] >= began:
                raise EmbeddedError(server["message"])
        return all(state.get(name, {}).get("state") == "ready" for name in names) or keeper.is_free()

    if not wait_until(settled, timeout=START_TIMEOUT) or keeper.is_free():
        raise EmbeddedError(
            f"嵌入式服务器没有就绪，详见 {layout.logs} / "
            f"the embedded servers did not get ready, see {layout.logs}"
        )
