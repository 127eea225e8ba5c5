"""The benchmarks of the forms' door, small: each runs from end to end and holds every figure to its goal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pilot import benchmarks
from pilot.benchmarks import Goal, Report, api, intake, jobs


def test_goals_are_told_plainly() -> None:
    report = Report("jobs", runs=1)
    report.figures = {"two_of_one": 1.6, "largest_message_bytes": 2049, "messages_with_payload": 0}
    report.judge(jobs.GOALS)
    assert benchmarks.lines(report.as_json())[-4:] == [
        "goals:",
        "  two_of_one                   goal ≥ 1.6, measured 1.6: met",
        "  largest_message_bytes        goal ≤ 2048, measured 2049: MISSED",
        "  messages_with_payload        goal ≤ 0, measured 0: met",
    ]


@pytest.mark.parametrize(
    ("goal", "measured", "met"),
    [
        (Goal(0.3), 0.3, True),
        (Goal(0.3), 0.29999, False),
        (Goal(0.3), 0.0, False),
        (Goal(150, at_most=True), 150, True),
        (Goal(150, at_most=True), 150.01, False),
        (Goal(0, at_most=True), 0, True),
        (Goal(0, at_most=True), 1, False),
    ],
)
def test_a_goal_is_met_exactly(goal: Goal, measured: float, met: bool) -> None:
    assert (goal.ratio(measured) <= 1) is met


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_files(bench: Callable[..., Any]) -> None:
    """Every way, a history that grows, the memory of a process that only loads."""
    sizes = ("--rows", "300", "--usual-rows", "50", "--runs", "1", "--few", "1000", "--history", "3000")
    report = bench("intake", *sizes, "--memory-rows", "200", "400")
    assert report["ratios"].keys() == intake.GOALS.keys()
    figures = report["figures"]
    told = [figures[name] for name in ("few_made_by_sql", "many_made_by_sql", "big_file_rows")]
    assert told == [1000, 3000, 400]
    assert 50 < figures["peak_mib_big_file"] <= intake.MOST_MIB


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_requests(bench: Callable[..., Any]) -> None:
    report = bench("api", "--rows", "2000", "--singles", "5", "--runs", "1")
    assert report["ratios"].keys() == api.GOALS.keys()
    figures = report["figures"]
    assert (figures["batch_requests"], figures["single_requests"]) == (2, 5)
    assert min(figures["batch_web_cpu_ms"], figures["file_rows_cpu_s"]) > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_jobs_pass_the_broker_as_references(bench: Callable[..., Any]) -> None:
    """What waits in the broker names jobs; it grows with their number and not with their content."""
    report = bench("jobs", "--units", "2", "--rows", "300")
    assert report["ratios"].keys() == jobs.GOALS.keys()
    figures = report["figures"]
    assert figures["messages"] >= 2 * 2 + 2 + 4
    assert figures["messages_with_payload"] == 0
    assert (
        figures["largest_message_bytes"] <= jobs.GOALS["largest_message_bytes"].value < figures["file_bytes"]
    )
