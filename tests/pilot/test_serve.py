"""The supervisor: children that die and come back, one family per ``PILOT_VAR``, and the real thing once."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from pilot import embedded, supervisor
from pilot.embedded import keeper
from pilot.management.commands import serve
from pilot.management.commands.test import pytest_arguments

ROOT = Path(__file__).resolve().parents[2]


class Voice:
    """Collects what the supervisor says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, chinese: str, english: str) -> None:
        self.lines.append(english)


def until(condition: Callable[[], bool], timeout: float = 30) -> bool:
    return embedded.wait_until(condition, timeout=timeout)


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    return tmp_path / "pids"


@pytest.fixture
def program(pids: Path) -> supervisor.Program:
    """Writes its process number down, then waits."""
    code = f"import os, signal; open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n'); signal.pause()"
    return supervisor.Program("toy", ("-c", code))


@pytest.fixture
def nothing_held(tmp_path: Path) -> embedded.Held:
    return embedded.hold(tmp_path / "var", postgres=False, broker=False)


def started(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().splitlines()] if pids.exists() else []


def is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_dead_child_starts_again_and_all_end_when_asked(
    program: supervisor.Program, pids: Path, nothing_held: embedded.Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.0, 0.1))
    voice = Voice()
    family = supervisor.Supervisor([program], held=nothing_held, say=voice)
    driver = threading.Thread(target=family.run, kwargs={"where": "http://127.0.0.1:9/"})
    driver.start()
    try:
        assert until(lambda: len(started(pids)) == 1)
        os.kill(started(pids)[0], signal.SIGKILL)
        assert until(lambda: len(started(pids)) == 2)
    finally:
        family.asked_to_stop.set()
        driver.join(30)
    assert [is_running(pid) for pid in started(pids)] == [False, False]
    assert voice.lines == ["toy died (signal 9), starts again in 0 s", "stopping"]


def test_a_child_that_ignores_term_is_killed(
    pids: Path, nothing_held: embedded.Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "GRACE", 0.2)
    code = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\nwhile True: signal.pause()"
    )
    deaf = supervisor.Program("deaf", ("-c", code))
    family = supervisor.Supervisor([deaf], held=nothing_held, say=Voice())
    driver = threading.Thread(target=family.run, kwargs={"where": "http://127.0.0.1:9/"})
    driver.start()
    assert until(lambda: len(started(pids)) == 1)
    family.asked_to_stop.set()
    driver.join(30)
    assert is_running(started(pids)[0]) is False


def test_restarts_wait_longer_each_time(program: supervisor.Program, monkeypatch: pytest.MonkeyPatch) -> None:
    voice, clock = Voice(), [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: clock[0])
    dying = supervisor.Child(supervisor.Program("brief", ("-c", "raise SystemExit(3)")), voice)
    for _ in range(3):
        dying.look()
        assert dying.process is not None
        dying.process.wait()
        dying.look()
        clock[0] += 60
    assert voice.lines == [f"brief died (exit 3), starts again in {seconds} s" for seconds in (2, 5, 15)]


def test_where_words_find_no_room_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the keeper of the servers nor ``serve`` ends because its own log lies on a full disk."""
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  (its end is to fail)
    monkeypatch.setattr(sys, "stderr", full)
    keeper._log("died, starts again")
    serve.Command(stdout=full)._say("正在停止……", "stopping")
    with pytest.raises(OSError, match="No space left on device"):
        full.close()


def test_a_busy_port_is_named_with_the_way_out() -> None:
    with supervisor.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(supervisor.ServeError) as caught:
            supervisor.listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"端口 {port} 已被占用：换一个端口，例如 python3 manage.py serve --port {port + 1} / "
        f"port {port} is taken: use another one, such as `python3 manage.py serve --port {port + 1}`"
    )


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")],  # noqa: S104
)
def test_the_address_is_one_to_type(host: str, shown: str) -> None:
    with supervisor.listen(host, 0) as listener:
        assert supervisor.address(listener) == f"http://{shown}:{listener.getsockname()[1]}/"


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(supervisor.ServeError) as caught:
        supervisor.listen("127.0.0.1", 70000)
    assert str(caught.value) == "端口号 70000 无效 / there is no port 70000: use 1 to 65535"


def test_one_supervisor_per_var(tmp_path: Path) -> None:
    layout = embedded.Layout.of(tmp_path)
    layout.run.mkdir()
    first, second = supervisor.Claim(layout), supervisor.Claim(layout)
    first.take()
    first.describe("http://127.0.0.1:8000/")
    with pytest.raises(supervisor.ServeError) as caught:
        second.take()
    assert str(caught.value).startswith(f"本门户已在运行：http://127.0.0.1:8000/（进程 {os.getpid()}）。")
    second.release()
    assert first.read() == {"pid": os.getpid(), "address": "http://127.0.0.1:8000/"}
    first.release()
    assert second.read() == {}
    second.take()
    second.release()


def test_a_state_file_left_by_a_crash_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", Mock(side_effect=AssertionError))
    layout = embedded.Layout.of(tmp_path)
    layout.run.mkdir()
    (layout.run / "serve.json").write_text(json.dumps({"pid": os.getpid(), "address": "http://127.0.0.1:1/"}))
    assert supervisor.stop(tmp_path) is None
    claim = supervisor.Claim(layout)  # as a restore has it: nobody is to be stopped by that number
    claim.take()
    assert supervisor.stop(tmp_path) is None
    claim.describe("http://127.0.0.1:1/")
    claim.release()


def test_a_web_process_has_loaded_what_stays_and_looks_through_it_no_more(tmp_path: Path) -> None:
    """A full collection of all that took 60 ms, and every thread of the process waited for it."""
    told = "import gc, sys, pilot.wsgi; print(gc.get_freeze_count() > 100_000, 'pilot.views.cases' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told],
        env={**os.environ, "PILOT_VAR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["-n", "2", "--dist", "worksteal", "-m", "not slow"]),
        (["tests/pilot", "-x"], ["-n", "2", "--dist", "worksteal", "-m", "not slow", "tests/pilot", "-x"]),
        (["-m", "slow"], ["-n", "2", "--dist", "worksteal", "-m", "slow"]),
        (["-n0", "--maxfail=1"], ["-m", "not slow", "-n0", "--maxfail=1"]),
    ],
)
def test_pytest_gets_defaults_only_where_nothing_was_chosen(given: list[str], expected: list[str]) -> None:
    assert pytest_arguments(given) == expected


@pytest.fixture
def portal() -> Iterator[Path]:
    var = Path(tempfile.mkdtemp(prefix="pilot-serve-"))
    var.chmod(0o711)
    yield var
    supervisor.stop(var)
    embedded.stop_servers(var)
    shutil.rmtree(var)


def manage(var: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**environment, "PILOT_VAR": str(var), "PILOT_BOOTSTRAP": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_until(process: "subprocess.Popen[str]", pattern: str) -> str:
    """The first line of output that matches."""
    assert process.stdout
    return next(line for line in process.stdout if re.search(pattern, line))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_portal_for_real(portal: Path) -> None:
    serve = manage(portal, "serve", "--port", "0")
    ready = lines_until(serve, "ready: ")
    where = ready.split()[-4]
    with urllib.request.urlopen(f"{where}livez") as answer:  # noqa: S310
        assert answer.status == 200

    second = manage(portal, "serve", "--port", "0")
    refusal = second.communicate()[0]
    assert (second.returncode, refusal.count(f"this portal runs already at {where}")) == (1, 1)

    children = Path(f"/proc/{serve.pid}/task/{serve.pid}/children").read_text().split()
    worker = next(pid for pid in map(int, children) if b"worker\0--concurrency" in command_line(pid))
    assert os.getpriority(os.PRIO_PROCESS, worker) == 10  # pages go before papers
    os.kill(worker, signal.SIGKILL)
    assert re.fullmatch(
        r".*worker died \(signal 9\), starts again in 2 s\n", lines_until(serve, "worker died")
    )

    serve.send_signal(signal.SIGTERM)
    assert serve.wait(60) == 0
    assert until(lambda: embedded.FileLock(embedded.Layout.of(portal).lock("keeper")).is_free())
    assert [pid for pid in map(int, children) if is_running(pid)] == []
    host, port = where.removeprefix("http://").rstrip("/").split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_stop_ends_the_portal_and_its_servers(portal: Path) -> None:
    serve = manage(portal, "serve", "--port", "0")
    where = lines_until(serve, "ready: ").split()[-4]
    stop = manage(portal, "stop")
    said = stop.communicate()[0].splitlines()
    assert said.count(f"已停止门户 {where} / stopped the portal at {where}") == 1
    assert serve.wait(60) == 0
    again = manage(portal, "stop")
    assert again.communicate()[0].splitlines()[-1] == f"{portal}：没有在运行的服务 / nothing runs here"


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
