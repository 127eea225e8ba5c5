"""The benchmark of the pages, small: every list and a case of every machine is reached, asked for and told."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from pilot.benchmarks import pages


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_page_at_few_rows(bench: Callable[..., Any]) -> None:
    report = bench("pages", "--applications", "22", "--forms", "2000", "--runs", "1")
    figures = report["figures"]
    assert (figures["applications"], figures["forms"], figures["lists_and_cases_not_reached"]) == (
        22,
        2000,
        0,
    )
    painted = {"first_paint_ms", "heaviest_kib"} if importlib.util.find_spec("playwright") else set()
    assert report["ratios"].keys() == pages.GOALS.keys() - {"first_paint_ms", "heaviest_kib"} | painted
    assert figures["application_list @officer1"].endswith(("met", "MISSED"))
