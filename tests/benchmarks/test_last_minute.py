"""The benchmark of the last minute, small: it runs from end to end, tells its figures, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pilot import benchmarks


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.95, 0.0),
        ([3.0], 0.5, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([*map(float, range(1, 101))], 0.95, 95.0),
    ],
)
def test_percentiles_are_values_that_occurred(values: list[float], share: float, expected: float) -> None:
    assert benchmarks.percentile(values, share) == expected


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_providers_in_the_last_seconds(bench: Callable[..., Any]) -> None:
    figures = bench("last_minute", "--providers", "5", "--seconds", "2")["figures"]
    told = {name: figures[name] for name in ("providers", "submitted", "lost", "double", "late", "receipts")}
    assert told == {"providers": 5, "submitted": 5, "lost": 0, "double": 0, "late": 0, "receipts": 5}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_mixed_load(bench: Callable[..., Any]) -> None:
    """Small: pages, forms and files, then five times as many."""
    report = bench("load", "--rate", "5", "--minutes", "0.2", "--burst-seconds", "1")
    figures = report["figures"]
    assert report["ratios"].keys() == {"failed", "p95_ms", "memory_growth"}
    assert (figures["requests"], figures["failed"], figures["burst_failed"]) == (60, 0, 0)
    assert len(figures["p95_ms_by_tenth"].split()) == 10
    assert min(figures[f"{kind}_p95_ms"] for kind in ("page", "public", "form", "file")) > 0
