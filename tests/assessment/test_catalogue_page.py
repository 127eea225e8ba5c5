"""The catalogue of criteria: editions are issued by an officer and never touch an assessment that has begun."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from assessment.models import CatalogueEdition, Criterion
from assessment.selectors import capability
from assessment.services import criteria
from pilot import context
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import AuditEntry, Document, Programme
from pilot.services import documents
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.builders import FULL, less
from tests.documents import reading

pytestmark = pytest.mark.django_db

NEW = {"title": "示例指标", "title_en": "Example", "guidance": "", "points": 4, "must_pass": 2}


def rows_of(programme: Programme) -> list[dict[str, Any]]:
    """The catalogue in force as the service takes it."""
    names = ("code", *criteria.WORDS, "points", "must_pass")
    return [{name: getattr(c, name) for name in names} for c in criteria.in_force(programme)[1]]


def revised(programme: Programme, **changes: Any) -> list[dict[str, Any]]:
    """The catalogue in force with some criteria changed, ``code={…}``, or taken out, ``code=None``."""
    rows = [row for row in rows_of(programme) if changes.get(row["code"], row) is not None]
    return [{**row, **changes.get(row["code"], {})} for row in rows]


def with_demonstration(programme: Programme) -> list[dict[str, Any]]:
    """A second edition: the emergency plan is judged no more, a demonstration comes in its place, MLPS first."""
    rows = revised(programme, emergency=None)
    return [*(row for row in rows if row["code"] == "mlps"), *(r for r in rows if r["code"] != "mlps"), NEW]


def issued(officer: Actor, programme: Programme, seen: int = 1) -> CatalogueEdition:
    return criteria.issue(
        actor=officer,
        programme=programme,
        seen=seen,
        criteria=with_demonstration(programme),
        reason="增加一项",
    )


@pytest.fixture(scope="module")
def case(staff: builders.Desk) -> Any:
    return builders.planned(staff)


# --- an assessment keeps the edition it began with -------------------------------------------------
def test_a_new_edition_does_not_touch_an_assessment_that_has_begun(
    case: Any, staff: builders.Desk, assessors: list[Actor], programme: Programme
) -> None:
    builders.started(case, staff, assessors[:2])
    builders.score(case, assessors[0], {**less(2), "protection": 3})
    issued(staff.officer, programme)
    page = client_of(staff.officer).get(reverse("capability-assessment_detail", args=[case.pk]))
    task = reverse(
        "interest-declaration_task", args=[builders.declaration_of(case, assessors[1]).pk, "submit_scores"]
    )
    form = client_of(assessors[1]).get(task).text
    assert (page.status_code, "应急预案与人工核验" in form, "示例指标" in form) == (200, True, False)
    builders.score(case, assessors[1], {**less(2), "protection": 3})
    concluded = fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert (concluded.catalogue_version, concluded.points, concluded.passed) == (1, 94, False)
    for actor in (staff.officer, assessors[0]):
        shown = client_of(actor).get(reverse("capability-assessment_detail", args=[case.pk])).text
        assert ("应急预案与人工核验" in shown, "示例指标" in shown) == (True, False)
    row = Document.objects.get(object_id=case.pk, kind="assessment-report")
    report = reading.squeezed(reading.text_of(documents.read_bytes(row.sha256)))
    assert "指标第1版" in report
    assert "“生物特征和个人信息保护”未达到最低要求" in report


def test_an_assessment_planned_before_and_assigned_after_is_scored_by_the_new_edition(
    case: Any, staff: builders.Desk, assessors: list[Actor], programme: Programme
) -> None:
    issued(staff.officer, programme)
    assert case.catalogue_version is None
    builders.started(case, staff, assessors[:2])
    codes = list(capability.catalogue_of(builders.refreshed(case)))
    assert codes == ["mlps", *(code for code in FULL if code not in {"mlps", "emergency"}), "v2_12"]
    with pytest.raises(Refused, match="请为全部 12 项指标评分"):
        builders.score(case, assessors[0])


# --- issuing -----------------------------------------------------------------------------------------
def test_the_shipped_catalogue_speaks_both_languages(programme: Programme) -> None:
    found = Criterion.objects.filter(programme=programme, version=criteria.install(programme)[0].version)
    assert [c.code for c in found if not (c.title and c.title_en and c.guidance and c.guidance_en)] == []
    assert [c.code for c in found if len(c.guidance) > 60 or len(c.guidance_en) > 160] == []


def test_an_edition_is_on_record_with_its_reason(
    case: Any, staff: builders.Desk, programme: Programme
) -> None:
    edition = issued(staff.officer, programme)
    first, second = CatalogueEdition.objects.filter(programme=programme)
    assert (first.version, first.issued_by_id, second) == (1, None, edition)
    assert (second.version, second.reason, second.issued_by_id) == (
        2,
        "增加一项",
        staff.officer.person_id,
    )
    entry = AuditEntry.objects.get(action="criteria.issue")
    assert (
        entry.person_id,
        entry.object_id,
        entry.detail["version"],
        sum(entry.detail["points"].values()),
    ) == (
        staff.officer.person_id,
        str(edition.pk),
        2,
        100,
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "没有改动"),
        ({"emergency": None}, "评估指标的满分合计应为 100 分，现为 96 分"),
        ({"emergency": {"points": 5}}, "评估指标的满分合计应为 100 分，现为 101 分"),
        (
            {"mlps": {"must_pass": 5}},
            "指标“网络安全等级保护”的满分应不低于 1 分，最低要求应在 0 分和满分之间",
        ),
        ({"mlps": {"points": 0, "must_pass": 0}, "emergency": {"points": 8}}, "指标“网络安全等级保护”的满分"),
        ({"mlps": {"title_en": "  "}}, "每项指标都要有中文名称和英文名称"),
        ({"mlps": {"title": "长" * 129}}, "的文字过长"),
        ({"mlps": {"code": "beauty"}}, "没有评估指标 beauty"),
        ({"mlps": {"code": "emergency"}}, "同一指标只能出现一次"),
    ],
)
def test_a_faulty_edition_is_refused(
    case: Any, staff: builders.Desk, programme: Programme, changes: Any, words: str
) -> None:
    rows = revised(programme, **changes)
    with pytest.raises(Refused, match=words):
        criteria.issue(actor=staff.officer, programme=programme, seen=1, criteria=rows, reason="示例")
    assert CatalogueEdition.objects.count() == 1


def test_an_edition_needs_a_reason_an_officer_and_the_newest_version(
    case: Any, staff: builders.Desk, programme: Programme
) -> None:
    rows = with_demonstration(programme)
    with pytest.raises(Refused, match="请填写修订理由"):
        criteria.issue(actor=staff.officer, programme=programme, seen=1, criteria=rows, reason=" ")
    crowd = [{**rows[0], "code": ""} for _n in range(criteria.MOST + 1)]
    with pytest.raises(Refused, match=f"评估指标不能超过 {criteria.MOST} 项"):
        criteria.issue(actor=staff.officer, programme=programme, seen=1, criteria=crowd, reason="示例")
    for actor in (staff.approver, staff.lead):
        with pytest.raises(NotPermitted):
            criteria.issue(actor=actor, programme=programme, seen=1, criteria=rows, reason="示例")
    issued(staff.officer, programme)
    with pytest.raises(StateChanged, match="现为第 2 版"):
        criteria.issue(actor=staff.officer, programme=programme, seen=1, criteria=rows, reason="示例")


# --- the pages ---------------------------------------------------------------------------------------
def typed(programme: Programme, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the form as it stands, with some controls changed."""
    data: dict[str, Any] = {"seen": criteria.in_force(programme)[0], "reason": "示例理由"}
    for place, row in enumerate(rows_of(programme), start=1):
        data |= {f"{row['code']}-{name}": value for name, value in row.items() if name != "code"}
        data[f"{row['code']}-position"] = place
    return data | changes


def test_whoever_assesses_or_concludes_reads_the_catalogue_and_its_rules(
    case: Any, staff: builders.Desk, assessors: list[Actor], programme: Programme
) -> None:
    for actor in (staff.officer, staff.approver, assessors[0]):
        page = client_of(actor).get("/settings/criteria/").text
        expected = (
            "误识率（假样本被接受）",
            "60 分及以上为合格",
            "部内工作规则：技术能力评估合格分",
            "随平台提供",
        )
        assert [words for words in expected if words not in page] == []
        may_edit = actor == staff.officer
        assert ("/settings/criteria/edit/" in page) is may_edit
        assert client_of(actor).get("/settings/criteria/edit/").status_code == (200 if may_edit else 403)
        urls = [item.url for group in context.menu(actor, "/", {}) for item in group.items]
        assert "/settings/criteria/" in urls
    assert client_of(staff.lead).get("/settings/criteria/").status_code == 403
    with translation.override("en"):
        assert criteria.in_force(programme)[1][2].hint.startswith("Rests on a test run")


def test_an_officer_issues_an_edition_on_the_page(
    case: Any, staff: builders.Desk, programme: Programme
) -> None:
    client: Client = client_of(staff.officer)
    new = {f"new1-{name}": value for name, value in NEW.items()}
    data = typed(programme, **new, **{"emergency-remove": "on", "mlps-position": 0})
    wrong = client.post("/settings/criteria/edit/", data)
    assert (wrong.status_code, 'href="#id_mlps-position"' in wrong.text) == (422, True)
    data = typed(
        programme, **new, **{"emergency-remove": "on", "collection-position": 99, "new1-position": 1}
    )
    done = client.post("/settings/criteria/edit/", data)
    assert (done.status_code, done["Location"]) == (302, "/settings/criteria/")
    codes = [criterion.code for criterion in criteria.in_force(programme)[1]]
    assert codes == [
        "v2_1",
        *(code for code in FULL if code not in {"collection", "emergency"}),
        "collection",
    ]
    page = client.get("/settings/criteria/").text
    expected = (
        "评估指标（第 2 版）",
        "新增“示例指标”",
        "删去“应急预案与人工核验”",
        "调整顺序",
        staff.officer.name,
    )
    assert [words for words in expected if words not in page] == []
    old = client.get("/settings/criteria/?version=1").text
    assert ("评估指标（第 1 版）" in old, "现行版本" in old) == (True, True)
    assert client.get("/settings/criteria/?version=3").status_code == 404


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"new2-title": "示例"}, 'href="#id_new2-title_en"'),
        ({"mlps-must_pass": 5}, 'href="#id_mlps-must_pass"'),
        ({"mlps-points": ""}, 'href="#id_mlps-points"'),
        ({"reason": ""}, 'href="#id_reason"'),
        ({"mlps-points": 5}, "评估指标的满分合计应为 100 分，现为 101 分"),
        ({"seen": 0}, "评估指标已由他人修订（现为第 1 版）"),
    ],
)
def test_the_page_says_where_the_fault_is_and_loses_nothing(
    case: Any, staff: builders.Desk, programme: Programme, changes: Any, place: str
) -> None:
    data = typed(programme, **{"liveness-title": "活体检测（改）", **changes})
    answer = client_of(staff.officer).post("/settings/criteria/edit/", data)
    assert (answer.status_code, place in answer.text) == (422, True)
    assert 'value="活体检测（改）"' in answer.text
    assert CatalogueEdition.objects.count() == 1


def test_the_page_asks_no_more_for_three_editions_than_for_one(
    case: Any, staff: builders.Desk, programme: Programme
) -> None:
    client = client_of(staff.approver)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/settings/criteria/").status_code == 200
        return len(captured)

    client.get("/settings/criteria/")
    one = queries()
    issued(staff.officer, programme)
    criteria.issue(
        actor=staff.officer, programme=programme, seen=2, reason="示例",
        criteria=revised(programme, mlps={"guidance": "示例"}),
    )  # fmt: skip
    assert queries() == one
