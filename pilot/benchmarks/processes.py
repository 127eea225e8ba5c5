"""What processes took: processor time of whole families and the most memory one held, as the kernel counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.db import connection

from pilot.embedded.layout import Layout
from pilot.embedded.postgres import Postgres

TICKS: Final = os.sysconf("SC_CLK_TCK")
KIB: Final = 1024
PARENT, USER_TIME, WAITED_FOR_SYSTEM_TIME = 1, 11, 14  # fields of /proc/PID/stat behind the program's name


def postmaster(var: Path) -> int:
    """The process of the embedded database of ``var``, from which all its sessions descend."""
    lock = Postgres(Layout.of(var)).data / "postmaster.pid"
    return int(lock.read_text(encoding="ascii").split()[0])


def cpu_seconds(roots: Iterable[int]) -> float:
    """Processor time so far of these processes and whatever descends from them, those that ended included."""
    found = _stats()
    family, waiting = set[int](), list(roots)
    while waiting:
        pid = waiting.pop()
        family.add(pid)
        waiting += [child for child, stat in found.items() if stat[PARENT] == pid and child not in family]
    times = (found[pid][USER_TIME : WAITED_FOR_SYSTEM_TIME + 1] for pid in family if pid in found)
    return sum(map(sum, times)) / TICKS


def peak_mib() -> int:
    """The most memory this program held (MiB). ``ru_maxrss`` would also count what its parent held at the start."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) // KIB


def resident_mib(pids: Iterable[int]) -> float:
    """The memory these processes hold together now (MiB)."""
    texts = (Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace") for pid in pids)
    lines = (line for text in texts for line in text.splitlines() if line.startswith("VmRSS:"))
    return round(sum(int(line.split()[1]) for line in lines) / KIB, 1)


def children(parent: int, *, named: str) -> list[int]:
    """The direct children of a process whose command line holds a word."""
    return [
        pid for pid, stat in _stats().items() if stat[PARENT] == parent and named.encode() in _command(pid)
    ]


def _stats() -> dict[int, list[int]]:
    """Process → the numbers behind its name in ``/proc/PID/stat`` (the state, a letter, is 0 here)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it ended meanwhile
            continue
        _state, *numbers = text.rpartition(")")[2].split()
        found[int(folder.name)] = [0, *map(int, numbers)]
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def spent() -> float:
    """Seconds of processor time of this process and of its database session, where the system tells (Linux)."""
    session: Any = connection.connection
    told = Path(f"/proc/{session.info.backend_pid}/schedstat")
    if not told.exists():
        return time.perf_counter()
    return time.process_time() + int(told.read_text(encoding="ascii").split()[0]) / 1e9
