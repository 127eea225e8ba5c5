"""A ``PILOT_VAR`` per test, with processes of its own that hold servers."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pilot import embedded

HOLDER = """
import sys
from pathlib import Path
from pilot import embedded
held = embedded.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def var() -> Iterator[Path]:
    """Not pytest's own folder, whose parents are closed to `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-embedded-"))
    folder.chmod(0o711)
    yield folder
    embedded.stop_servers(folder)
    shutil.rmtree(folder)


@pytest.fixture
def held(var: Path) -> Iterator[embedded.Held]:
    hold = embedded.hold(var)
    yield hold
    hold.release()


@pytest.fixture
def start_holder(var: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start another process that holds both servers until its input ends."""
    processes: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(var)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
