"""A portal of the benchmark's own: its servers, data and processes live under one temporary ``PILOT_VAR``."""

# ruff: noqa: S603  (it starts programs it names itself)

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilot import embedded, supervisor

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
# Whatever points at data that exist already; a benchmark never touches those.
FOREIGN = (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "DATABASE_URL_FILE",
    "CELERY_BROKER_URL_FILE",
    "PILOT_TEST_NO_FSYNC",
    "DJANGO_SETTINGS_MODULE",
    "PILOT_EMAIL_HOST",
)
START_TIMEOUT = 60.0


@contextmanager
def fresh_var() -> Iterator[dict[str, str]]:
    """An environment over a new ``PILOT_VAR``; servers and folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-bench-"))
    folder.chmod(0o711)  # as root the database may run as `nobody`, who has to pass
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    try:
        yield environment | {"PILOT_VAR": str(folder), "PILOT_BOOTSTRAP": "0"}
    finally:
        embedded.stop_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(var: Path) -> Iterator[str]:
    """``manage.py serve`` on this ``PILOT_VAR`` (web, worker, beat) until the end of the block; gives its address."""
    claim = supervisor.Claim(embedded.Layout.of(var))
    process = subprocess.Popen(
        [sys.executable, str(MANAGE), "serve", "--port", "0"],
        stdout=subprocess.DEVNULL,
        preexec_fn=embedded.die_with_parent(signal.SIGTERM),
    )

    def ready() -> bool:
        return supervisor.answers(str(claim.read().get("address", "")))

    try:
        if not embedded.wait_until(ready, timeout=START_TIMEOUT, interval=0.2):
            raise supervisor.ServeError("门户没有启动 / the portal did not start")
        yield str(claim.read()["address"])
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def web_alone(var: Path) -> Iterator[str]:
    """The web server as ``serve`` starts it, without worker and timetable, which would work on what lies there."""
    held, listener = embedded.hold_configured(var), supervisor.listen("127.0.0.1", 0)
    web, *_others = supervisor.programs(embedded.Layout.of(var), listener=listener, held=held)
    process = subprocess.Popen(
        [sys.executable, *web.arguments],
        env={**os.environ, **web.environment},
        pass_fds=web.fds,
        preexec_fn=web.arrange,
    )
    address = supervisor.address(listener)
    try:
        if not embedded.wait_until(lambda: supervisor.answers(address), timeout=START_TIMEOUT, interval=0.2):
            raise supervisor.ServeError("门户没有启动 / the portal did not start")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)
        listener.close()
        held.release()
