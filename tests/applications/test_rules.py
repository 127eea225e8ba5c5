"""The pure rules: the form as data, licence numbers, completeness, conditions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.enums import FileKind
from applications.rules import licence
from applications.rules.completeness import REQUIRED_FILES, condition_hints, faults
from applications.rules.form import FIELDS, SECTIONS, STANDARD, kept, shown
from pilot.enums import Province
from pilot.provinces import ABBREVIATIONS
from tests.applications import builders

TODAY = date(2019, 4, 12)
CONTENT: dict[str, Any] = {
    **{key: kept(FIELDS[key], value) for key, value in builders.CONTENT.items()},
    "unit_name": "示例",
    "licence_holder": "示例",
    "uscc": "91440000000000001X",
}


@pytest.mark.parametrize(
    ("number", "classes"),
    [
        ("A2.B1.B2-20090001", {"A2", "B1", "B2"}),
        ("A2.B1.B2-20202637", {"A2", "B1", "B2"}),
        ("B1-20180123", {"B1"}),
        ("京B1.B2-20180345", {"B1", "B2"}),
        ("川B1-20180001", {"B1"}),
        ("蜀B1-20180001", {"B1"}),
        ("浙B2-20080224-1", {"B2"}),
        ("苏B2-20130048号", {"B2"}),
        ("ｂ１-20180123", {"B1"}),
        (" b1 - 2018 0123 ", {"B1"}),
        ("B3-20180001", set()),
        ("京B1-2018001", set()),
        ("B1-20180123-1234", set()),
        ("B1-18990123", set()),
        ("倭B1-20180123", set()),
        ("B1B2-20180123", set()),
        ("", set()),
    ],
)
def test_shape_and_classes_of_a_licence_number(number: str, classes: set[str]) -> None:
    assert licence.classes(number) == classes


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_not(text: str) -> None:
    assert (licence.number_fault(text) is None) == bool(licence.classes(text))


@pytest.mark.parametrize(
    ("categories", "fails"),
    [(["B11"], False), (["B12"], False), (["B14", "B25"], False), (["B13"], True), (["B21", "B25"], True)],
)
def test_one_access_service_is_enough(categories: list[str], fails: bool) -> None:
    assert (licence.category_fault(categories) is not None) is fails


@pytest.mark.parametrize(
    ("expires", "fails"), [(date(2019, 4, 11), True), (date(2019, 4, 12), False), (date(2019, 4, 13), False)]
)
def test_a_licence_is_valid_through_its_last_day(expires: date, fails: bool) -> None:
    assert (licence.expiry_fault(expires, today=TODAY) is not None) is fails


def test_a_full_form_has_no_fault() -> None:
    assert faults(STANDARD, CONTENT, REQUIRED_FILES, today=TODAY) == []


@pytest.mark.parametrize("key", [key for key, field in FIELDS.items() if field.required])
def test_every_required_field_is_missed_when_empty(key: str) -> None:
    found = faults(STANDARD, {**CONTENT, key: ""}, REQUIRED_FILES, today=TODAY)
    assert [(fault.target, fault.message) for fault in found] == [(key, "未填写")]


@pytest.mark.parametrize("kind", REQUIRED_FILES)
def test_every_required_file_is_missed(kind: FileKind) -> None:
    found = faults(STANDARD, CONTENT, set(REQUIRED_FILES) - {kind}, today=TODAY)
    assert [(fault.target, fault.message) for fault in found] == [(kind, "未上传")]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("daily_capacity", "many", "应为不小于0的整数"),
        ("daily_capacity", -1, "应为不小于0的整数"),
        ("planned_start", "2019-02-30", "日期格式不正确"),
        ("enterprise_nature", "unheard-of", "取值不在允许的范围内"),
        ("provinces", ["44", "99"], "取值不在允许的范围内"),
    ],
)
def test_values_of_the_wrong_kind_are_named(key: str, value: Any, message: str) -> None:
    found = faults(STANDARD, {**CONTENT, key: value}, REQUIRED_FILES, today=TODAY)
    assert [(fault.target, fault.message) for fault in found] == [(key, message)]


@pytest.mark.parametrize(
    ("changes", "files", "shown_conditions"),
    [
        ({}, set(REQUIRED_FILES), [True, True, True]),
        ({"licence_number": "B2-20180001"}, set(REQUIRED_FILES), [False, True, True]),
        ({"licence_number": "none"}, set(REQUIRED_FILES), [False, True, True]),
        ({"liveness_method": ""}, set(REQUIRED_FILES), [True, False, True]),
        ({"population_access": ""}, set(REQUIRED_FILES), [True, True, False]),
        ({}, {FileKind.FORM}, [False, False, False]),
    ],
)
def test_what_the_material_shows_of_the_conditions(
    changes: dict[str, Any], files: set[str], shown_conditions: list[bool]
) -> None:
    hints = condition_hints(STANDARD, {**CONTENT, **changes}, files, today=TODAY)
    assert [hint.number for hint in hints] == [1, 2, 3]
    assert [hint.shown for hint in hints] == shown_conditions


def test_gaps_are_in_words() -> None:
    hints = condition_hints(
        STANDARD, {**CONTENT, "population_access": ""}, {"licence", "test_report"}, today=TODAY
    )
    assert hints[2].gaps == ("个人权威库接入途径未填写", "权威库比对授权或合同未上传")


def test_fields_and_files_never_share_a_name() -> None:
    assert not set(FIELDS) & set(FileKind.values)
    assert len(FIELDS) == sum(len(section.fields) for section in SECTIONS)
    assert set(STANDARD.targets) == set(FIELDS) - {"unit_name", "uscc"} | set(FileKind.values)
    # Names that services take beside the fields.
    assert not set(FIELDS) & {"case", "actor", "revision"}


def test_values_are_shown_in_words() -> None:
    assert shown(FIELDS["licence_categories"], ["B11", "B14"]) == (
        "B11 互联网数据中心业务",
        "B14 互联网接入服务业务",
    )
    assert shown(FIELDS["licence_expires_on"], "2023-05-19") == date(2023, 5, 19)
    assert shown(FIELDS["enterprise_nature"], "private") == "民营"
    assert shown(FIELDS["daily_capacity"], 0) == 0
    assert shown(FIELDS["remarks"], None) == ""


def test_every_province_has_its_own_abbreviation() -> None:
    assert set(ABBREVIATIONS) == set(Province)
    every = [abbreviation for all_of_one in ABBREVIATIONS.values() for abbreviation in all_of_one]
    assert len(set(every)) == len(every)
