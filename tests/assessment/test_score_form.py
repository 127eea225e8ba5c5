"""The score sheet in the browser: material, page and words for every criterion; nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications.models import ApplicationFile, ApplicationVersion
from assessment.models import CapabilityAssessment, ScoreSheet, TestRun
from assessment.selectors.capability import catalogue_of
from assessment.selectors.evidence import Evidence, materials
from assessment.services.scores import submit_scores
from assessment.services.test_runs import issue
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.masking import mask_name
from pilot.ui import Tag
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.builders import FULL, less

pytestmark = pytest.mark.django_db
KEY = b"sample,expected\nA,genuine\nB,impostor"


@pytest.fixture(scope="module")
def case(staff: builders.Desk, assessors: list[Actor]) -> CapabilityAssessment:
    """Two assessors score, a test set is out."""
    case = builders.started(builders.planned(staff), staff, assessors[:2])
    issue(case=case, actor=staff.officer, title="示例测试集", key=SimpleUploadedFile("key.csv", KEY))
    return case


def task(case: CapabilityAssessment, actor: Actor) -> str:
    return reverse(
        "interest-declaration_task", args=[builders.declaration_of(case, actor).pk, "submit_scores"]
    )


def typed(scores: dict[str, int] = FULL, **more: Any) -> dict[str, Any]:
    return {f"score_{code}": points for code, points in scores.items()} | more


def file_of(case: CapabilityAssessment, kind: str) -> ApplicationFile:
    file: ApplicationFile = ApplicationFile.unscoped.get(application=case.application_id, kind=kind)
    return file


def test_the_form_offers_the_material_of_the_case(case: CapabilityAssessment, assessors: list[Actor]) -> None:
    page = client_of(assessors[0]).get(task(case, assessors[0])).text
    assert [material.label for material in materials(case).values()][-1] == "能力测试：示例测试集"
    offered = [f'<option value="{value}">{m.label}</option>' for value, m in materials(case).items()]
    assert [page.count(option) for option in offered] == [12] * len(offered)
    assert ("以平台核对的能力测试为依据" in page, "申报的采集方式" in page) == (True, True)


def test_the_material_is_one_click_away_from_the_sheet(
    case: CapabilityAssessment, assessors: list[Actor]
) -> None:
    client = client_of(assessors[0])
    links = client.get(task(case, assessors[0])).context["page"].form.opener.links()
    assert [link.label for link in links] == [material.label for material in materials(case).values()]
    assert [client.get(link.url).status_code for link in links] == [200] * len(links)


def test_points_below_the_least_are_marked_on_the_sheet_handed_in(
    case: CapabilityAssessment, assessors: list[Actor]
) -> None:
    first = assessors[0]
    scores = FULL | {"liveness": 5, "protection": 3}
    sent = typed(scores, words_liveness="翻拍未识破", words_protection="示例")
    assert client_of(first).post(task(case, first), sent).status_code == 302
    page = (
        client_of(first)
        .get(reverse("interest-declaration_detail", args=[builders.declaration_of(case, first).pk]))
        .context["page"]
    )
    (section,) = [one for one in page.sections if one.title == "评分"]
    marked = [row.cells[3].label for row in section.rows if isinstance(row.cells[3], Tag)]
    least = {c.code: c.must_pass for c in catalogue_of(case).values()}
    below = [code for code, points in scores.items() if points < least[code]]
    assert (len(marked), set(marked)) == (len(below), {f"{scores[code]}，低于最低要求" for code in below})


def test_evidence_opens_the_material_at_its_page(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second = assessors[:2]
    more: dict[str, Any] = {
        "source_liveness": "file:test_report", "page_liveness": 1, "words_liveness": "翻拍被识破",
        "source_false_accept": "run:1", "words_mlps": "三级备案",
    }  # fmt: skip
    assert client_of(first).post(task(case, first), typed(**more)).status_code == 302
    sheet = ScoreSheet.unscoped.get()
    assert sheet.evidence == {
        "liveness": {"words": "翻拍被识破", "source": "file:test_report", "page": 1},
        "false_accept": {"words": "", "source": "run:1", "page": None},
        "mlps": {"words": "三级备案", "source": "", "page": None},
    }
    builders.score(case, second)
    fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    report = reverse("application_page", args=[file_of(case, "test_report").pk, 1])
    run = reverse("test_run", args=[TestRun.unscoped.get().pk])
    own = reverse("interest-declaration_detail", args=[builders.declaration_of(case, first).pk])
    whole = reverse("capability-assessment_detail", args=[case.pk])
    for actor, address in ((first, own), (first, whole), (second, whole), (staff.officer, whole)):
        client = client_of(actor)
        page = client.get(address).text
        assert f'<a href="{report}">识别能力测试报告 第 1 页</a>' in page
        assert f'<a href="{run}">能力测试：示例测试集</a>' in page
        assert ("翻拍被识破" in page, "三级备案" in page) == (True, True)
        assert [client.get(link).status_code for link in (report, run)] == [200, 200]


def test_an_old_sheet_shows_its_words(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    own = builders.declaration_of(case, assessors[0])
    ScoreSheet.unscoped.create(
        declaration=own, scores=FULL, total=100, must_pass_met=True, at=clock.now(),
        evidence={"liveness": "旧评分：测试报告第3页"},
    )  # fmt: skip
    page = client_of(assessors[0]).get(reverse("interest-declaration_detail", args=[own.pk])).text
    assert "旧评分：测试报告第3页" in page


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ({"score_liveness": 5}, "words_liveness", "低于最低要求，请写明理由"),
        ({"score_liveness": 11}, "score_liveness", "10"),
        ({"score_liveness": ""}, "score_liveness", "必填"),
        ({"page_liveness": 2}, "page_liveness", "请先选定页码所在的材料文件"),
        ({"page_liveness": 2, "source_liveness": "run:1"}, "page_liveness", "请先选定页码所在的材料文件"),
        ({"page_liveness": 2, "source_liveness": "file:test_report"}, "page_liveness", "该材料没有第 2 页"),
        ({"source_liveness": "file:beauty"}, "source_liveness", "file:beauty"),
    ],
)
def test_a_fault_is_said_at_its_field_and_nothing_is_lost(
    case: CapabilityAssessment, assessors: list[Actor], more: Any, place: str, words: str
) -> None:
    kept: dict[str, Any] = {
        "words_mlps": "保留的说明",
        "source_mlps": "file:licence",
        "comment": "保留的评语",
    }
    answer = client_of(assessors[0]).post(task(case, assessors[0]), typed(**kept) | more)
    assert answer.status_code == 422
    said = answer.text.split(f'id="id_{place}_error"')[1].split("</td>")[0]
    assert words in said
    assert ('value="保留的说明"' in answer.text, "保留的评语" in answer.text) == (True, True)
    assert '<option value="file:licence" selected>' in answer.text
    assert ScoreSheet.unscoped.count() == 0


@pytest.mark.parametrize(
    ("scores", "evidence", "words"),
    [
        (FULL, {"liveness": Evidence("", "run:2")}, "指标“liveness”的依据不是本案的材料"),
        (FULL, {"liveness": Evidence("", "", 3)}, "指标“liveness”：请先选定页码所在的材料文件"),
        ({**FULL, "liveness": 5}, {"liveness": Evidence("  ")}, "指标“liveness”低于最低要求，请写明理由"),
    ],
)
def test_the_service_holds_the_same(
    case: CapabilityAssessment, assessors: list[Actor], scores: Any, evidence: Any, words: str
) -> None:
    own = builders.declaration_of(case, assessors[0])
    with pytest.raises(Refused, match=words):
        submit_scores(case=own, actor=assessors[0], scores=scores, evidence=evidence)


def test_before_signing_the_officer_sees_what_the_scores_come_to(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.score(case, assessors[0], {**less(2), "protection": 3})
    builders.score(case, assessors[1], {**less(4), "protection": 3})
    page = client_of(staff.officer).get(reverse("capability-assessment_act", args=[case.pk, "conclude"])).text
    expected = (
        "按评分将认定",
        ">93<",
        "合格分",
        "各评估人员合计分的平均值",
        "未达到",
        "不通过",
        mask_name(assessors[0].name),
    )
    assert [words for words in expected if words not in page] == []
    concluded = fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert (concluded.points, concluded.passed) == (93, False)


def test_files_of_one_kind_are_told_apart(case: CapabilityAssessment, assessors: list[Actor]) -> None:
    file = file_of(case, "test_report")
    second = ApplicationFile.unscoped.create(
        application=file.application, kind=file.kind, name="b.pdf", sha256=file.sha256, size=file.size,
        content_type=file.content_type, pages=file.pages, uploaded_at=file.uploaded_at,
    )  # fmt: skip
    assert "file:test_report:2" not in materials(case)  # not handed in
    version = ApplicationVersion.unscoped.get(application=file.application_id)
    ApplicationVersion.unscoped.create(
        application=version.application, number=2, content=version.content, digest="0" * 64, at=version.at,
        files=[*version.files, {"id": second.pk, "kind": file.kind}],
    )  # fmt: skip
    assert [(m.value, m.label) for m in materials(case).values() if m.value.startswith("file:test")] == [
        ("file:test_report", "识别能力测试报告"),
        ("file:test_report:2", "识别能力测试报告（2）"),
    ]
