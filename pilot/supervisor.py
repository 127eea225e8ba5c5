"""Web server, task worker and timetable of one machine as one process family (``manage.py serve``).

The supervisor listens, starts the children, starts one again that dies, and takes all of them down when told
to. If it is killed itself, the kernel tells the children to end.
"""

# ruff: noqa: S603  (it starts programs it names itself)

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilot.embedded import EmbeddedError, FileLock, Held, Layout, die_with_parent, wait_until

WEB_PROCESSES, WEB_THREADS, WORKER_PROCESSES = 2, 4, 2
ARRIVAL_HEADER = "X-PILOT-ARRIVED"  # stamped by ``pilot.arrival_worker`` unless a proxy does it
WORKER_NICE = 10  # papers and batches never take the processor from somebody who waits for a page
TICK = 0.5  # seconds between two looks at the children
BACK_OFF = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before a restart, by number of early deaths in a row
SETTLED = 60.0  # seconds; whoever ran that long starts again without back-off
GRACE = 20.0  # seconds between TERM and KILL
READY_TIMEOUT = 60.0

Say = Callable[[str, str], None]


class ServeError(RuntimeError):
    """The portal cannot be served; the text (Chinese / English) says why and what to do."""


@dataclass(frozen=True)
class Program:
    """What a child runs; ``environment`` is added to the supervisor's own, ``nice`` yields the processor to others."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()
    nice: int = 0

    def arrange(self) -> None:
        """In the new process, before the program runs."""
        die_with_parent(signal.SIGTERM)()
        os.nice(self.nice)


class Child:
    """One program, kept running."""

    def __init__(self, program: Program, say: Say) -> None:
        self.program, self._say = program, say
        self.process: subprocess.Popen[bytes] | None = None
        self._started = self._next_start = 0.0
        self._deaths = 0

    def look(self) -> None:
        """Start what is due; notice a death and set the time of the restart."""
        if self.process is None:
            if time.monotonic() >= self._next_start:
                self._start()
        elif (code := self.process.poll()) is not None:
            self._signal(signal.SIGKILL)  # its own children, which have nobody to report to any more
            self.process = None
            now = time.monotonic()
            self._deaths = 0 if now - self._started > SETTLED else self._deaths + 1
            delay = BACK_OFF[min(self._deaths, len(BACK_OFF) - 1)]
            self._next_start = now + delay
            name, how = self.program.name, f"signal {-code}" if code < 0 else f"exit {code}"
            self._say(
                f"{name} 意外退出（{how}），{delay:.0f} 秒后重启",
                f"{name} died ({how}), starts again in {delay:.0f} s",
            )

    def _start(self) -> None:
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *self.program.arguments],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.program.environment},
            pass_fds=self.program.fds,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops all in order
            preexec_fn=self.program.arrange,
        )

    def _signal(self, signum: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signum)

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


def programs(layout: Layout, *, listener: socket.socket, held: Held) -> list[Program]:
    """Web, worker and beat. All inherit the hold on the embedded servers, which so outlive them."""
    port = str(listener.getsockname()[1])
    common = {
        "PILOT_VAR": str(layout.var),
        "PILOT_PORT": port,
        "PYTHONUNBUFFERED": "1",
        # docs/operations.md says it; on a trial machine root is usual and five lines per start help nobody
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }
    arrival = {"PILOT_ARRIVAL_HEADER": os.environ.get("PILOT_ARRIVAL_HEADER") or ARRIVAL_HEADER}
    celery = ("-m", "celery", "-A", "pilot", "--quiet")
    web = (
        *("-m", "gunicorn", "pilot.wsgi", "--bind", f"fd://{listener.fileno()}"),
        *(
            "--worker-class",
            "pilot.arrival_worker.ArrivalWorker",
            "--workers",
            str(WEB_PROCESSES),
            "--threads",
            str(WEB_THREADS),
        ),
        *("--timeout", "120", "--graceful-timeout", "10", "--log-level", "warning", "--no-control-socket"),
    )
    worker = (
        *celery,
        *("worker", "--concurrency", str(WORKER_PROCESSES), "--loglevel", "WARNING"),
        *("--hostname", f"pilot-{os.getpid()}@%h", "--without-gossip", "--without-mingle"),
    )
    schedule = layout.run / "beat-schedule"
    beat = (*celery, "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", str(schedule))
    return [
        Program("web", web, common | arrival | {"PILOT_DB_POOL": "1"}, (listener.fileno(), *held.fds)),
        Program("worker", worker, common, held.fds, nice=WORKER_NICE),
        Program("beat", beat, common, held.fds),
    ]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; it stays open over restarts of the web server: no request finds the door shut.

    ``port`` 0 takes a free one. Raises ServeError.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OverflowError as error:
        raise ServeError(f"端口号 {port} 无效 / there is no port {port}: use 1 to 65535") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"端口 {port} 已被占用：换一个端口，例如 python3 manage.py serve --port {port + 1} / "
                f"port {port} is taken: use another one, such as `python3 manage.py serve --port {port + 1}`"
            ) from error
        if error.errno == errno.EACCES:
            raise ServeError(
                f"无权使用端口 {port}：请选用 1024 以上的端口 / "
                f"not allowed to use port {port}: take one above 1024"
            ) from error
        raise ServeError(
            f"无法监听 {host}:{port}：{error} / cannot listen on {host}:{port}: {error}"
        ) from error


def address(listener: socket.socket) -> str:
    """The URL to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (compared, not bound)
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Claim:
    """At most one supervisor per ``PILOT_VAR``: a lock, and a file saying who has it and where it answers."""

    def __init__(self, layout: Layout) -> None:
        self._lock = FileLock(layout.lock("serve"))
        self._state = layout.run / "serve.json"

    def take(self) -> None:
        """Raises ServeError when another supervisor runs."""
        if not self._lock.acquire():
            running = self.read()
            where, pid = running.get("address", "?"), running.get("pid", "?")
            raise ServeError(
                f"本门户已在运行：{where}（进程 {pid}）。先停止：python3 manage.py stop；"
                "或用另一个 PILOT_VAR 另起一套 / "
                f"this portal runs already at {where} (process {pid}): `python3 manage.py stop` stops it, "
                "another PILOT_VAR makes another portal"
            )
        self._state.unlink(missing_ok=True)  # of one that was killed: its number may be a stranger's by now

    def describe(self, where: str) -> None:
        self._state.write_text(json.dumps({"pid": os.getpid(), "address": where}), encoding="utf-8")

    def read(self) -> dict[str, str | int]:
        """``pid`` and ``address`` of the running supervisor, empty when none runs."""
        try:
            state: dict[str, str | int] = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state

    def runs_since_before(self, moment: float) -> bool:
        """Whether a supervisor runs that was started before this time (seconds since 1970)."""
        return not self.is_free() and self._state.exists() and self._state.stat().st_mtime < moment

    def release(self) -> None:
        if self._lock.fd is not None:  # else the file is somebody else's
            self._state.unlink(missing_ok=True)
            self._lock.release()

    def is_free(self) -> bool:
        return self._lock.is_free()


class Supervisor:
    """Runs until :attr:`asked_to_stop` is set."""

    def __init__(self, children: Sequence[Program], *, held: Held, say: Say) -> None:
        self.asked_to_stop = threading.Event()
        self._children = [Child(program, say) for program in children]
        self._held, self._say = held, say

    def run(self, *, where: str) -> None:
        """Keep the children running; ``where`` is announced as soon as it answers."""
        announced, began = False, time.monotonic()
        try:
            while not self.asked_to_stop.is_set():
                for child in self._children:
                    child.look()
                if not announced and time.monotonic() - began < READY_TIMEOUT and answers(where):
                    announced = True
                    self._say(f"门户已就绪：{where}（Ctrl-C 停止）", f"ready: {where} (Ctrl-C stops it)")
                self._see_to_servers()
                self.asked_to_stop.wait(TICK)
        finally:
            self._stop()

    def _see_to_servers(self) -> None:
        try:
            self._held.ensure()
        except EmbeddedError as error:
            with contextlib.suppress(OSError):  # it may go to a disk that is full
                sys.stderr.write(f"{error}\n")

    def _stop(self) -> None:
        self._say("正在停止……", "stopping")
        # The timetable first: no new work comes, while web and worker finish what they have in hand.
        for child in reversed(self._children):
            child.terminate()
        wait_until(lambda: all(child.is_gone() for child in self._children), timeout=GRACE, interval=0.05)
        for child in self._children:
            child.kill()


def answers(where: str) -> bool:
    """Whether a portal answers at this address."""
    try:
        # nosemgrep: line-past-outward  (our own web server)
        with urllib.request.urlopen(f"{where}livez", timeout=2):  # noqa: S310  (our own http address)
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):  # ValueError: no address yet
        return False


def stop(var: Path, *, timeout: float = 60.0) -> str | None:
    """Stop the supervisor of ``var``; its address, or None when none runs.

    Raises ServeError when it does not end within ``timeout`` seconds.
    """
    claim = Claim(Layout.of(var))
    running = claim.read()
    if claim.is_free() or not running:
        return None
    with contextlib.suppress(ProcessLookupError):  # it ends just now by itself
        os.kill(int(running["pid"]), signal.SIGTERM)
    if not wait_until(claim.is_free, timeout=timeout):
        raise ServeError(
            f"进程 {running['pid']} 在 {timeout:.0f} 秒内没有停止，请结束它 / "
            f"process {running['pid']} did not stop within {timeout:.0f} s: end it"
        )
    return str(running["address"])
