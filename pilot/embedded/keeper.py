"""The keeper: runs each server exactly while somebody holds it (``python -m pilot.embedded.keeper VAR``).

One keeper per ``PILOT_VAR``. A server's lock tells whether it is wanted: holders take it shared, so the
keeper gets it exclusively only when the last of them is gone. A server that dies is started again.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Literal, Protocol

from pilot.embedded.broker import Broker
from pilot.embedded.errors import EmbeddedError, from_os_error, from_output
from pilot.embedded.layout import Layout
from pilot.embedded.postgres import Postgres
from pilot.embedded.processes import FileLock

TICK = 0.05  # seconds between two looks
START_TIMEOUT = 120.0  # seconds; recovery of a large database after a crash takes time
RETRY = (0.2, 1.0, 2.0, 5.0, 15.0)  # seconds before the next attempt, by number of failures so far
_STOP_TIMEOUT = 60.0
_LOG_TAIL = 8_000  # bytes

State = Literal["stopped", "starting", "ready", "failed"]


class Service(Protocol):
    """What the keeper needs of a server."""

    name: str
    title: str
    stop_signal: signal.Signals

    @property
    def home(self) -> Path: ...
    def start(self) -> subprocess.Popen[bytes]: ...
    def answers(self) -> bool: ...


class Slot:
    """One server under the keeper's care."""

    def __init__(self, service: Service, layout: Layout) -> None:
        self.service, self.layout = service, layout
        self.holders = FileLock(layout.lock(service.name))
        self.process: subprocess.Popen[bytes] | None = None
        self.phase: State = "stopped"
        self.message = ""
        self.failures = 0
        self.since = self.next_try = 0.0
        self._log_start = 0

    def look(self) -> None:
        """Compare what is wanted with what is, and take one step."""
        if self.holders.acquire():
            self.stop()
            self.failures, self.next_try = 0, 0.0
        elif self.process is None:
            if time.monotonic() >= self.next_try:
                self._start()
        elif self.process.poll() is not None:
            self._bury()
        elif self.phase == "starting":
            self._await()

    def _start(self) -> None:
        self.phase, self.since = "starting", time.monotonic()
        log = self.layout.log(self.service.name)
        self._log_start = log.stat().st_size if log.exists() else 0
        try:
            self.process = self.service.start()
        except EmbeddedError as error:
            self._fail(error)
        except OSError as error:
            self._fail(from_os_error(error, self.service.home))

    def _await(self) -> None:
        if self.service.answers():
            self.phase, self.message, self.failures = "ready", "", 0
        elif time.monotonic() - self.since > START_TIMEOUT:
            self.stop()
            self._fail(from_output(self.service.title, self._last_words(), self.service.home))

    def _bury(self) -> None:
        """The server has ended by itself: while starting that is a failure, later a crash to recover from."""
        self.process = None
        if self.phase == "starting":
            self._fail(from_output(self.service.title, self._last_words(), self.service.home))
            return
        self.phase = "starting"
        self._postpone()
        _log(f"{self.service.title} 意外退出，正在重启 / died, starts again")

    def _postpone(self) -> None:
        self.next_try = time.monotonic() + RETRY[min(self.failures, len(RETRY) - 1)]
        self.failures += 1

    def _fail(self, error: EmbeddedError) -> None:
        self._postpone()
        self.phase, self.message, self.since = "failed", str(error), time.monotonic()
        _log(f"{self.service.title}: {error}")

    def _last_words(self) -> str:
        with self.layout.log(self.service.name).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - _LOG_TAIL))
            return log.read().decode(errors="replace")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.service.stop_signal)
            try:
                self.process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        self.phase = "stopped"


class Keeper:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.slots = [Slot(Postgres(layout), layout), Slot(Broker(layout), layout)]
        self.asked_to_stop = threading.Event()
        self._written = ""

    def run(self) -> None:
        """Look after the servers until nobody holds any, or until told to stop."""
        try:
            while not self.asked_to_stop.is_set():
                for slot in self.slots:
                    slot.look()
                self._publish()
                if all(slot.holders.fd is not None for slot in self.slots):
                    return  # all locks are ours, so nobody can be waiting for a server
                for slot in self.slots:
                    slot.holders.release()
                self.asked_to_stop.wait(TICK)
        finally:
            for slot in self.slots:
                slot.stop()
            self._publish()

    def _publish(self) -> None:
        servers = {
            slot.service.name: {
                "state": slot.phase,
                "pid": slot.process.pid if slot.process else None,
                "message": slot.message,
                "since": slot.since,
            }
            for slot in self.slots
        }
        text = json.dumps({"pid": os.getpid(), **servers}, ensure_ascii=False)
        if text != self._written:
            fresh = self.layout.state.with_suffix(".new")
            with contextlib.suppress(OSError):  # a full disk: the servers go on, the next look tries again
                fresh.write_text(text, encoding="utf-8")
                fresh.rename(self.layout.state)
                self._written = text


def _log(message: str) -> None:
    """To ``var/log/keeper.log``, which is the keeper's stderr."""
    # On a full disk, looking after the servers matters more than a word about it.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {message}\n")
        sys.stderr.flush()


def main() -> None:
    layout = Layout.of(Path(sys.argv[1]))
    lock = FileLock(layout.lock("keeper"))
    if not lock.acquire(timeout=5):
        return  # another keeper was faster
    layout.prepare()  # the keeper before may just have removed the socket folder
    keeper = Keeper(layout)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: keeper.asked_to_stop.set())
    try:
        keeper.run()
    finally:
        layout.remove_sockets()


if __name__ == "__main__":
    main()
