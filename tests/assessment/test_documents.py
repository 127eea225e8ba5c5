"""Papers of review and assessment say what was decided."""

from __future__ import annotations

import pytest

from assessment.documents import shortfalls
from assessment.tasks import make_letters
from pilot.actors import Actor
from pilot.machines import Case
from pilot.models import Document
from pilot.services import documents
from pilot.services.programmes import set_rule
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import FULL
from tests.documents import reading
from tests.factories import world

pytestmark = pytest.mark.django_db


def text_of(case: Case, kind: str) -> str:
    """The words of the last paper of a kind, without white space."""
    row = Document.objects.filter(machine=case.slug(), object_id=case.pk, kind=kind).latest("pk")
    return reading.squeezed(reading.text_of(documents.read_bytes(row.sha256)))


def missing(text: str, *expected: str) -> list[str]:
    """Those of the expected words that are missing."""
    return [words for words in expected if reading.squeezed(words) not in text]


def test_list_and_letters_state_code_effect_reason_and_remedy(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    passed, failed = builders.recommended(staff), builders.recommended(staff)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(passed), staff, assessors[:2])
    builders.concluded(builders.assessment_of(failed), staff, assessors[:2], {**FULL, "protection": 3})
    world.at("2019-05-14 09:00")
    approval_list = builders.published(staff)
    assert make_letters(list_id=approval_list.pk) == 2

    listed = text_of(approval_list, "approval-list")
    assert (
        missing(listed, "（第1号）", passed.provider.name, "B1-20180123", "1001", "2019年5月16日起参与试点")
        == []
    )
    assert failed.provider.name not in listed

    admission = text_of(passed, "decision-letter-1")
    expected = (passed.provider.name, passed.acceptance_number, "试点单位编号为1001", "准确率不低于99.95%")
    assert missing(admission, *expected, "准确率达到100%", "自2019年5月16日起") == []

    refusal = text_of(failed, "decision-letter-1")
    reason = "技术能力评估指标“生物特征和个人信息保护”未达到最低要求。"
    assert missing(refusal, failed.provider.name, reason, "2019年5月28日（含当日）前", "申诉") == []

    report = text_of(builders.assessment_of(failed), "assessment-report")
    assert (
        missing(
            report,
            f"不通过。{reason[:-1]}（认定总分96分",
            "保护74333未达到",
            assessors[0].name,
            "示例核验2.0",
        )
        == []
    )


def test_a_mark_lowered_since_does_not_make_the_reason_untrue(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.concluded(builders.planned(staff), staff, assessors[:2], builders.less(42))
    reasons = shortfalls([case])[case.pk]
    assert reasons == "技术能力评估认定总分58分，低于本试点项目要求的60分"
    set_rule(
        actor=staff.officer,
        programme=case.application.programme,
        key="assessment_pass_points",
        value=50,
        basis="示例",
    )
    assert shortfalls([case])[case.pk] == "技术能力评估认定总分58分，低于作出结论时要求的分数"


def test_a_moderated_assessment_says_so_in_its_report(staff: builders.Desk, assessors: list[Actor]) -> None:
    first, second, third = assessors
    case = builders.started(builders.planned(staff), staff, [first, second])
    builders.score(case, first)
    builders.score(case, second, builders.less(40))
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(third))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    builders.score(case, third, builders.less(11))
    fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    report = text_of(case, "assessment-report")
    said = f"由{third.name}于2019年4月16日主持复议。原评分合计为100、60分"
    assert missing(report, said, "通过。认定总分89分（以复议评分为准）", "示例结论。") == []


def test_a_nil_return_says_that_nothing_is_reported(staff: builders.Desk) -> None:
    builders.begin_review()
    report = builders.sent(staff, nil=True)
    assert missing(text_of(report, "provincial-report"), "零报告", "HZ-2019-44-1", report.digest) == []
