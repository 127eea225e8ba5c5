"""The pure rules: recommendation, agreement of scores, points."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.rules import scope
from assessment.rules import scores as rules
from assessment.rules.scores import Scores, Weight
from assessment.selectors.applicants import _facts
from pilot.enums import FilingType, Province

VERDICTS = st.lists(st.sampled_from(["met", "not_met", "na"]), min_size=1)


@given(VERDICTS)
def test_the_recommendation_follows_from_the_items(verdicts: list[str]) -> None:
    assert rules.recommends(verdicts) is all(verdict != "not_met" for verdict in verdicts)


@pytest.mark.parametrize(
    ("sheets", "apart"),
    [
        ([Scores(80, True), Scores(65, True)], False),
        ([Scores(80, True), Scores(64, True)], True),
        ([Scores(70, True), Scores(70, False)], True),
        ([Scores(80, True), Scores(73, True), Scores(64, True)], True),
        ([Scores(50, False), Scores(50, False)], False),
    ],
)
def test_scores_part_beyond_the_margin_or_in_the_verdict(sheets: list[Scores], apart: bool) -> None:
    assert rules.apart(sheets, margin=15) is apart


@pytest.mark.parametrize(
    ("sheets", "points", "passed"),
    [
        ([Scores(60, True), Scores(60, True)], 60, True),
        ([Scores(60, True), Scores(59, True)], 59, False),
        ([Scores(90, False), Scores(90, False)], 90, False),
        ([Scores(100, True)], 100, True),
    ],
)
def test_points_are_the_mean_rounded_down(sheets: list[Scores], points: int, passed: bool) -> None:
    assert rules.settle(sheets, pass_points=60) == (points, passed)


def test_a_sheet_is_summed_and_held_against_the_least_points() -> None:
    catalogue = {"a": Weight(20, 12), "b": Weight(10, 0)}
    assert rules.sum_up({"a": 12, "b": 0}, catalogue) == Scores(12, True)
    assert rules.sum_up({"a": 11, "b": 10}, catalogue) == Scores(21, False)


def test_an_applicant_that_named_no_province_is_opened_for_all() -> None:
    contents: list[dict[str, Any]] = [{}, {"provinces": []}, {"provinces": ["50", "11"]}]
    asked = [_facts(content).provinces for content in contents]
    assert asked == [tuple(Province.values), tuple(Province.values), (11, 50)]


@pytest.mark.parametrize(
    ("opened", "words"),
    [
        (dict.fromkeys(FilingType.values, Province.values), "全国 31 个省份；全部备案类型"),
        ({"change": [65, 11]}, "北京市、新疆维吾尔自治区；变更备案"),
        (
            {"new_filing": Province.values[1:], "new_website": Province.values[1:], "change": [44]},
            "除北京市外的 30 个省份；新增备案、新增网站 / 广东省；变更备案",
        ),
        ({}, ""),
    ],
)
def test_a_scope_is_said_shortly_and_exactly(opened: dict[str, list[int]], words: str) -> None:
    assert scope.matrix_words(opened) == words
