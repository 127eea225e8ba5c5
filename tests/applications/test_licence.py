"""The licence check: whose licence, which class, where and how long it holds; each fault names field and condition."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.rules import licence, licence_check
from applications.rules.completeness import REQUIRED_FILES, condition_hints, faults
from applications.rules.form import FIELDS, STANDARD, kept
from pilot.actors import Actor
from pilot.enums import Province
from pilot.errors import Refused
from pilot.provinces import ABBREVIATIONS
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

TODAY = date(2019, 4, 12)
NAME = "示例网络科技有限公司"
CONTENT: dict[str, Any] = {
    **{key: kept(FIELDS[key], value) for key, value in builders.CONTENT.items()},
    "unit_name": NAME,
    "uscc": "91440000000000001X",
    "licence_holder": NAME,
}
OF_GUANGDONG = {"licence_number": "粤B1.B2-20180345", "licence_coverage": "province", "provinces": ["44"]}


def found(**changes: Any) -> list[tuple[str, str, int | None]]:
    content = {**CONTENT, **{key: kept(FIELDS[key], value) for key, value in changes.items()}}
    return [
        (fault.target, fault.message, fault.condition)
        for fault in faults(STANDARD, content, REQUIRED_FILES, today=TODAY, registered=Province.GUANGDONG)
    ]


@pytest.mark.parametrize(
    ("number", "province"),
    [
        ("B1-20180123", None),
        ("A2.B1.B2-20202637", None),
        ("京B1.B2-20180345", Province.BEIJING),
        ("浙B2-20080224-1", Province.ZHEJIANG),
        ("苏B2-20130048号", Province.JIANGSU),
        ("川B1-20180001", Province.SICHUAN),
        ("蜀B1-20180001", Province.SICHUAN),
        ("陇Ｂ１-20180001", Province.GANSU),
        ("nothing", None),
    ],
)
def test_the_sign_in_a_number_names_the_province(number: str, province: Province | None) -> None:
    assert licence.province_of(number) == province


@pytest.mark.parametrize("province", Province)
def test_every_sign_leads_back_to_its_province(province: Province) -> None:
    assert {licence.province_of(f"{sign}B1-20180001") for sign in ABBREVIATIONS[province]} == {province}


@pytest.mark.parametrize(
    ("holder", "same"),
    [
        (NAME, True),
        (f" {NAME} ", True),
        ("示例网络 科技有限公司", True),
        ("示例网络科技有限公司分公司", False),
        ("示例网络科技", False),
    ],
)
def test_the_holder_is_the_applicant(holder: str, same: bool) -> None:
    assert (licence.holder_fault(holder, NAME) is None) is same


@pytest.mark.parametrize(
    "written",
    [
        "示例（广东）ＩＤＣ有限公司",
        "示例(广东)IDC有限公司",
        "示例〔广东〕idc有限公司",
        "示例【广东】 IDC 有限公司",
    ],
)
def test_width_brackets_case_and_spaces_make_no_difference(written: str) -> None:
    assert licence.holder_fault(written, "示例（广东）IDC有限公司") is None


@given(st.text(min_size=1, max_size=40))
def test_a_name_is_always_its_own(name: str) -> None:
    assert licence.holder_fault(name, name) is None


NOT_APPLICANT = f"许可证持有者与申请单位“{NAME}”不一致；单位更名的，请先办理许可证变更"
ONLY_B2 = "编号只含B2类业务，不含B1类（互联网数据中心、内容分发网络、互联网接入服务均属B1类）"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (OF_GUANGDONG, []),
        ({"licence_number": "粤B1-20180345-1", **{**OF_GUANGDONG, "licence_number": "粤B1-20180345-1"}}, []),
        ({"licence_coverage": "province", "provinces": ["44"]}, []),
        ({"licence_holder": "示例其他有限公司"}, [("licence_holder", NOT_APPLICANT, 1)]),
        ({"licence_number": "A2.B2-20090001"}, [
            ("licence_number",
             "编号只含A2、B2类业务，不含B1类（互联网数据中心、内容分发网络、互联网接入服务均属B1类）", 1)]),
        ({"licence_number": "B2-20090001"}, [("licence_number", ONLY_B2, 1)]),
        ({**OF_GUANGDONG, "licence_coverage": "national"},
         [("licence_coverage", "编号为广东省许可，覆盖范围不能是全国", 1)]),
        ({**OF_GUANGDONG, "provinces": ["44", "45", "11"]},
         [("provinces", "许可覆盖范围仅为广东省，不含广西壮族自治区、北京市", 1)]),
        ({"licence_coverage": "province", "provinces": ["45"]},
         [("provinces", "许可覆盖范围仅为广东省，不含广西壮族自治区", 1)]),
        ({"licence_number": "京B1-20180345", "licence_coverage": "province", "provinces": ["11"]},
         [("licence_number", "编号为北京市许可，与单位注册地广东省不一致", 1)]),
        ({"licence_issued_on": date(2019, 4, 12)}, []),
        ({"licence_issued_on": date(2019, 4, 13)}, [("licence_issued_on", "发证日期晚于今天", 1)]),
        ({"licence_issued_on": date(2018, 5, 20), "licence_expires_on": date(2019, 4, 12)}, []),
        ({"licence_issued_on": date(2018, 5, 20), "licence_expires_on": date(2018, 5, 20)},
         [("licence_issued_on", "发证日期应早于有效期至", 1),
          ("licence_expires_on", "许可证已于2018-05-20到期", 1)]),
        ({"licence_expires_on": date(2019, 4, 11)},
         [("licence_expires_on", "许可证已于2019-04-11到期", 1)]),
    ],
)  # fmt: skip
def test_faults_of_a_licence(changes: dict[str, Any], expected: list[tuple[str, str, int]]) -> None:
    assert found(**changes) == expected


def test_blank_fields_are_missed_and_not_judged() -> None:
    empty = {key: "" for key in CONTENT if key.startswith("licence_")} | {"provinces": []}
    assert list(licence_check.faults({**CONTENT, **empty}, today=TODAY, registered=44)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"licence_issued_on": "2018-05-20", "licence_expires_on": "2023-05-20"}, ()),
        ({"licence_issued_on": "2018-05-20", "licence_expires_on": "2023-05-21"}, ("有效期超过5年，请核对",)),
        ({"licence_issued_on": "2016-02-29", "licence_expires_on": "2021-03-01"}, ()),
        ({"licence_number": "B1-20180123-1"}, ("编号带子号“-1”，请核对是否为许可证本身的编号",)),
    ],
)
def test_what_the_bureau_should_look_at(changes: dict[str, str], expected: tuple[str, ...]) -> None:
    hint, *rest = condition_hints(STANDARD, {**CONTENT, **changes}, REQUIRED_FILES, today=TODAY)
    assert (hint.shown, hint.notes) == (True, expected)
    assert [other.notes for other in rest] == [(), ()]


def test_anothers_licence_keeps_an_application_from_being_handed_in(provider: Actor) -> None:
    case = builders.drafted(provider, licence_holder="示例其他有限公司")
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, declaration=True)
    assert str(refusal.value) == (
        f"还不能提交：许可证持有者：许可证持有者与申请单位“{provider.organisation_name}”不一致；"
        "单位更名的，请先办理许可证变更，不符合条件二（一）"
    )


def test_the_registered_province_counts_not_the_one_typed(programme: Any) -> None:
    beijing = world.provider(Province.BEIJING)
    case = builders.drafted(beijing, **OF_GUANGDONG)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=beijing, declaration=True)
    assert "编号为广东省许可，与单位注册地北京市不一致，不符合条件二（一）" in str(refusal.value)
