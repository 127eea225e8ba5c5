"""Benchmarks: each measures a portal of its own, made for it, and says what it found in one shape.

An app brings one by a module with ``add_arguments(parser)`` and ``run(options) -> Report``, entered here by name.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

NAMES: Mapping[str, str] = {
    "intake": "pilot.benchmarks.intake",
    "last_minute": "pilot.benchmarks.last_minute",
}


@dataclass(slots=True)
class Report:
    """What a benchmark found: ``figures`` measured, ``ratios`` of a figure to its goal (≤ 1 is met)."""

    name: str
    runs: int
    figures: dict[str, float | int] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The stable shape ``{name, machine, runs, figures, ratios}``."""
        found = asdict(self)
        return {"name": found.pop("name"), "machine": machine(), **found}


def load(name: str) -> Any:
    """The module of a benchmark."""
    return import_module(NAMES[name])


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, cores this process may use, memory in bytes, system, Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": model or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed (nearest rank); 0 for none."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(0, rank - 1)] if ordered else 0.0
