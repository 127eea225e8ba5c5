"""Benchmarks: each measures a portal of its own, made for it, and says what it found in one shape.

A module with ``GOALS`` (figure → :class:`Goal`), ``add_arguments(parser)`` and ``run(options) -> Report`` is one,
entered here by name.
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
    "api": "pilot.benchmarks.api",
    "jobs": "pilot.benchmarks.jobs",
    "accuracy": "pilot.benchmarks.accuracy",
    "last_minute": "pilot.benchmarks.last_minute",
    "load": "pilot.benchmarks.mixed_load",
    "pages": "pilot.benchmarks.pages",
}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at least ``value``, or at most."""

    value: float
    at_most: bool = False

    def ratio(self, measured: float) -> float:
        """How the figure stands to the goal: ≤ 1 is met."""
        part, whole = (measured, self.value) if self.at_most else (self.value, measured)
        if whole:
            return part / whole
        return 1 + part if part else 0.0  # there is no such ratio; but it is missed, or it is met

    def told(self, measured: float) -> str:
        """Goal, figure and verdict on one line."""
        sign, verdict = "≤" if self.at_most else "≥", "met" if self.ratio(measured) <= 1 else "MISSED"
        return f"goal {sign} {self.value:g}, measured {measured:g}: {verdict}"


@dataclass(slots=True)
class Report:
    """What a benchmark found: ``figures`` measured, ``ratios`` of a figure to its goal (≤ 1 is met).

    ``notes`` are lines in words that stand among the figures.
    """

    name: str
    runs: int
    figures: dict[str, float | int] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def judge(self, goals: Mapping[str, Goal]) -> None:
        """Hold every figure that was measured to its goal, if it has one."""
        self.ratios = {
            name: goal.ratio(self.figures[name]) for name, goal in goals.items() if name in self.figures
        }

    def as_json(self) -> dict[str, Any]:
        """The stable shape ``{name, machine, runs, figures, ratios}``."""
        found = asdict(self)
        found["figures"] |= found.pop("notes")
        found["ratios"] = {name: round(ratio, 4) for name, ratio in self.ratios.items()}
        return {"name": found.pop("name"), "machine": machine(), **found}


def load(name: str) -> Any:
    """The module of a benchmark."""
    return import_module(NAMES[name])


def lines(found: Mapping[str, Any]) -> list[str]:
    """A report (:meth:`Report.as_json`) as lines to read; each goal with what was measured and whether it is met."""
    figures, goals = found["figures"], load(found["name"]).GOALS
    told = {name: goals[name].told(figures[name]) for name in found["ratios"]}
    return [
        line
        for title, part in (("machine", found["machine"]), ("figures", figures), ("goals", told))
        for line in (f"{title}:", *(f"  {key:28} {value}" for key, value in part.items()))
    ]


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
