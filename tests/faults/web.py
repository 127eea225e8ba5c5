"""A real web server on the test's own database, and browsers that signed in before."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.db import connection

from pilot.actors import Actor
from tests.applications import builders

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds for one answer, the start of the server included
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str


@contextmanager
def serving(*, threads: int, **environment: str) -> Iterator[int]:
    """gunicorn with one process on the test's database; yields its port. Requests wait until it is up."""
    held = connection.settings_dict
    database = f"postgres://{held['USER']}@{quote(str(held['HOST']), safe='')}/{held['NAME']}"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "pilot.wsgi", "--bind", f"fd://{listener.fileno()}"),
                *("--worker-class", "pilot.arrival_worker.ArrivalWorker", "--threads", str(threads)),
                *("--timeout", "120", "--log-level", "critical", "--no-control-socket"),
            ],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database, "PILOT_DB_POOL": "1"} | environment,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        try:
            yield int(listener.getsockname()[1])
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@dataclass(frozen=True, slots=True)
class Browser:
    """One person's browser on a server's port."""

    port: int
    cookies: Mapping[str, str]

    @classmethod
    def of(cls, actor: Actor, port: int) -> Browser:
        """A browser in which the actor signed in before."""
        signed_in: Any = builders.client_of(actor)
        [session] = (morsel.value for name, morsel in signed_in.cookies.items() if "session" in name)
        token = "t" * 32
        # The names of cookies carry the port that the server was told, here none.
        return cls(port, {"pilot-session-8000": session, "pilot-csrf-8000": token, "token": token})

    def get(self, path: str) -> Answer:
        """Look at a page."""
        return self._ask("GET", path, "")

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        return self._ask("POST", path, urlencode({**fields, "csrfmiddlewaretoken": self.cookies["token"]}))

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of a page's forms."""
        return dict(HIDDEN.findall(self.get(path).body))

    def _ask(self, method: str, path: str, body: str) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))
        finally:
            line.close()
