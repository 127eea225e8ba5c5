"""Two versions of a report side by side: the pure comparison, and the section that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from applications.models import Application
from assessment.pages.report import changes, sections
from assessment.rules.report_versions import Change, Difference, compare
from pilot.ui import Tag
from pilot.workflow import fire
from tests.assessment import builders
from tests.factories import world


def line(number: str, **changed: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"示例{number}有限公司",
        "uscc": f"USCC{number}",
        "licence": "B1-20180123",
        "methods": ["人脸识别"],
        "recommended": True,
        "remark": "示例意见",
        "opinion_version": 1,
        **changed,
    }


A, B, C = line("1"), line("2"), line("3")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], Difference((), (), ())),
        ([A, B], [A, B], Difference((), (), ())),
        ([A, B], [B, A], Difference((), (), ())),
        ([], [A, B], Difference((A, B), (), ())),
        ([B, A], [], Difference((), (B, A), ())),
        ([A, B], [B, C], Difference((C,), (A,), ())),
        (
            [A, B],
            [A, line("2", methods=["人脸识别", "动作识别"])],
            Difference((), (), (Change("2", B["name"], "methods", ["人脸识别"], ["人脸识别", "动作识别"]),)),
        ),
        (
            [A],
            [line("1", name="示例新名有限公司", recommended=False, remark="缺合同", opinion_version=2)],
            Difference(
                (),
                (),
                tuple(
                    Change("1", "示例新名有限公司", *change)
                    for change in [
                        ("name", A["name"], "示例新名有限公司"),
                        ("recommended", True, False),
                        ("remark", "示例意见", "缺合同"),
                        ("opinion_version", 1, 2),
                    ]
                ),
            ),
        ),
    ],
)
def test_added_removed_and_changed_lines(before: list, after: list, expected: Difference) -> None:
    assert compare(before, after) == expected


def plain(cells: Any) -> list[Any]:
    return [cell.label if isinstance(cell, Tag) else cell for cell in cells]


@pytest.mark.django_db
def test_a_second_version_is_shown_beside_the_first(staff: builders.Desk) -> None:
    provider = world.provider()
    goes, changes_side = builders.recommended(staff, provider), builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    assert [section.title for section in sections(report, staff.officer)] == ["汇总表（第 1 版）"]
    report = fire(report, "return_to_bureau", actor=staff.officer, reason="请核对")
    fire(builders.opinion_of(changes_side), "reopen", actor=staff.lead, reason="核对")
    changes_side.refresh_from_db()
    builders.signed(changes_side, staff, builders.NOT_MET)
    fire(Application.unscoped.get(pk=goes.pk), "withdraw", actor=provider, reason="示例")
    report = builders.sent(staff)
    assert [section.title for section in sections(report, staff.officer)] == [
        "汇总表（第 2 版）",
        "与上一版比较",
    ]
    section = changes(report)
    name, number = changes_side.provider.name, changes_side.acceptance_number
    assert [str(column.label) for column in section.columns[4:]] == ["第 1 版", "第 2 版"]
    assert [plain(row.cells) for row in section.rows] == [
        ["删除", goes.acceptance_number, goes.provider.name, "审核结论", "同意推荐", None],
        ["变更", number, name, "审核结论", "同意推荐", "不同意推荐"],
        ["变更", number, name, "审核意见版次", 1, 2],
    ]
    assert section.note == "新增 0 家，删除 1 家，变更 1 家"
