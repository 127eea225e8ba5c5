"""Small tools around processes and lock files."""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the child gets ``signum`` when its parent is gone, however it went (Linux only)."""

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)

    return arrange


def wait_until(condition: Callable[[], bool], *, timeout: float, interval: float = 0.02) -> bool:
    """Poll ``condition`` for at most ``timeout`` seconds; True once it holds, False when it never did."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(interval)
    return True


def command_line(pid: int) -> str | None:
    """What runs under ``pid``: "" for a zombie or nothing, None where the system has no /proc to tell."""
    if not Path("/proc/self/cmdline").exists():
        return None
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


class FileLock:
    """One ``flock`` on one file, on a descriptor of its own: the system frees it when the holder dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd: int | None = None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """Take the lock, waiting at most ``timeout`` seconds; False when somebody else keeps it."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB

        def take() -> bool:
            try:
                fcntl.flock(fd, mode)
            except BlockingIOError:
                return False
            return True

        if wait_until(take, timeout=timeout):
            self.fd = fd
            return True
        os.close(fd)
        return False

    def release(self) -> None:
        # Closing, not LOCK_UN: in a forked child that would unlock for the parent as well.
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def is_free(self) -> bool:
        """Whether nobody holds the lock right now."""
        if not self.path.exists():
            return True
        probe = FileLock(self.path)
        taken = probe.acquire()
        probe.release()
        return taken
