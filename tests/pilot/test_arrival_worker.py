"""The web server stamps a request when it comes, not when a thread is free for it; a client cannot stamp."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilot.embedded import wait_until

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = """
def application(environ, start_response):
    environ["wsgi.input"].read()
    stamp = environ["HTTP_X_PILOT_ARRIVED"].encode()
    start_response("200 OK", [("Content-Length", str(len(stamp))), ("Connection", "close")])
    return [stamp]
"""


@pytest.fixture
def port(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """A server with one thread; ``request.param`` is the header the portal is told to believe."""
    (tmp_path / "echo_arrival.py").write_text(APPLICATION)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "echo_arrival", "--bind", f"fd://{listener.fileno()}"),
            *("--worker-class", "pilot.arrival_worker.ArrivalWorker", "--threads", "1"),
            *("--no-control-socket", "--log-level", "error"),
        ],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PILOT_ARRIVAL_HEADER": request.param},
        pass_fds=[listener.fileno()],
    )
    number: int = listener.getsockname()[1]
    listener.close()
    yield number
    server.terminate()
    server.wait()


def begin(port: int, length: int) -> socket.socket:
    """A request whose body is still to come, with a stamp of its own making."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Pilot-Arrived: t=1.000\r\nContent-Length: %d\r\n\r\n" % length
    )
    return client


def answer(client: socket.socket) -> str:
    with client, client.makefile("rb") as reading:
        return reading.read().decode().rsplit("\r\n\r\n", 1)[1]


def nobody_waits_at_the_door(port: int) -> bool:
    """Whether the server has taken every connection (Linux shows the queue of a listening socket)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = [row[4] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
    return [int(queue.split(":")[1], 16) for queue in queues] == [0]


@pytest.mark.parametrize("port", ["X-PILOT-ARRIVED"], indirect=True)
def test_a_request_is_stamped_before_it_waits_for_a_thread(port: int) -> None:
    first, second = begin(port, 1), begin(port, 0)  # the only thread waits for the first one's body
    assert wait_until(lambda: nobody_waits_at_the_door(port), timeout=30)
    let_go = time.time()
    first.sendall(b"x")
    stamps = [float(answer(client).removeprefix("t=")) for client in (first, second)]
    assert [1.0 < stamp <= let_go for stamp in stamps] == [True, True]


@pytest.mark.parametrize("port", ["X-Request-Start"], indirect=True)
def test_behind_a_stamping_proxy_it_adds_nothing(port: int) -> None:
    assert answer(begin(port, 0)) == "t=1.000"
