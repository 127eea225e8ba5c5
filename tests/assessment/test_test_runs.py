"""Test runs: the set goes out without its key, the portal counts what comes back, to the digit and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime
from scipy.stats import binomtest

from assessment.models import CapabilityAssessment, TestResult, TestRun
from assessment.rules import test_runs as rules
from assessment.selectors import test_runs
from assessment.services.test_runs import hand_in, issue
from pilot import clock
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import Membership, Notice
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.factories import world
from tests.factories.audited import audited

KEY = {**{f"G{n:03}": "genuine" for n in range(200)}, **{f"I{n:03}": "impostor" for n in range(100)}}
RIGHT = {sample: "accept" if kind == "genuine" else "reject" for sample, kind in KEY.items()}


def table(head: str, rows: dict[str, str]) -> bytes:
    return "\n".join([head, *(f"{sample},{value}" for sample, value in rows.items())]).encode()


def file_of(content: bytes, name: str = "result.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


KEY_FILE = table("sample,expected", KEY)
pytestmark = pytest.mark.django_db


# --- the rules, without a database ----------------------------------------------------------------
def test_counts_are_exact() -> None:
    results = {**RIGHT, "G000": "reject", "G001": "reject", "I000": "accept"}
    del results["G002"], results["I001"]
    assert rules.count(KEY, results) == rules.Counts(
        genuine=200, impostors=100, false_rejects=3, false_accepts=2, missing=2
    )


@pytest.mark.parametrize(("errors", "n"), [(0, 100), (1, 100), (3, 200), (100, 100)])
def test_the_interval_is_the_exact_one(errors: int, n: int) -> None:
    found = rules.rate(errors, n)
    exact = binomtest(errors, n).proportion_ci(0.95, method="exact")
    assert (round(float(found.lower), 6), round(float(found.upper), 6)) == (
        round(float(exact.low), 6),
        round(float(exact.high), 6),
    )


def test_a_rate_is_shown_against_the_applicant() -> None:
    assert rules.shown(rules.Rate(1, 3, Fraction(0), Fraction(1, 3))) == (
        "33.3334%（1 / 3，95% 置信区间 0.0000%–33.3334%）"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "第一行应为 sample,expected"),
        (b"a,b\nX,genuine", "第一行应为 sample,expected"),
        (b"sample,expected\n", "文件没有数据行"),
        (
            b"sample,expected\nA,genuine\nA,impostor\nB,perhaps\n,genuine",
            "第 3、4、5 行有误：每行一个样本编号和 genuine / impostor，编号不得重复",
        ),
        (b"sample,expected\nA,genuine", "测试集须同时含真样本（genuine）和假样本（impostor）"),
        (b'sample,expected\n"A,genuine', "文件不是 CSV：unexpected end of data"),
        (b"sample,expected\nA\0,genuine\nB,impostor", "文件不是 CSV：line contains NUL"),
        (b"\xff\xff\xff", "文件不是 UTF-8 或 GBK 编码的 CSV"),
    ],
)
def test_a_faulty_key_is_refused_as_a_whole(content: bytes, why: str) -> None:
    assert words(lambda: rules.read_key(content)) == why


def test_a_set_has_so_many_samples_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_SAMPLES", 2)
    lines = ("sample,expected", "A,genuine", "B,impostor", "C,genuine")
    assert len(rules.read_key("\n".join(lines[:3]).encode())) == 2
    assert words(lambda: rules.read_key("\n".join(lines).encode())) == "样本数超过 2"


def test_a_table_in_gbk_is_read() -> None:
    key = rules.read_key("sample,expected\n样本一,genuine\n样本二,impostor".encode("gb18030"))
    assert key == {"样本一": "genuine", "样本二": "impostor"}


def words(act: Callable[[], object]) -> str:
    """How a service refuses."""
    with pytest.raises(Refused) as caught:
        act()
    return str(caught.value.message)


# --- with people ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def panel(assessors: list[Actor]) -> list[Actor]:
    return assessors[:2]


@pytest.fixture(scope="module")
def assessment(staff: builders.Desk, panel: list[Actor]) -> CapabilityAssessment:
    return builders.started(builders.planned(staff), staff, panel)


@pytest.fixture(scope="module")
def provider(assessment: CapabilityAssessment) -> Actor:
    organisation = assessment.application.provider
    return Membership.objects.get(organisation=organisation).as_actor()


@pytest.fixture
def run(assessment: CapabilityAssessment, staff: builders.Desk) -> TestRun:
    return issue(case=assessment, actor=staff.officer, title="示例测试集", key=file_of(KEY_FILE))


def test_the_set_goes_to_the_applicant_without_its_key(run: TestRun, provider: Actor) -> None:
    answer = client_of(provider).get(reverse("test_run_set", args=[run.pk]))
    lines = answer.content.decode().split()
    assert (lines[0], sorted(lines[1:]), lines[1:] == list(KEY)) == ("sample", sorted(KEY), False)
    page = client_of(provider).get(reverse("test_run", args=[run.pk])).content.decode()
    assert [word for word in ("genuine", "impostor", "G000") if word in page] == []
    told = Notice.objects.filter(person=provider.person_id, url=reverse("test_run", args=[run.pk]))
    assert [notice.subject for notice in told] == [f"{run.application.number} · 能力测试集已下发"]


def test_a_result_is_counted_once(run: TestRun, provider: Actor) -> None:
    client = client_of(provider)
    page = reverse("test_run_hand_in", args=[run.pk])
    wrong = table("sample,result", {**RIGHT, "X1": "accept"})
    assert client.post(page, {"upload": file_of(wrong)}).status_code == 422
    assert TestResult.unscoped.count() == 0
    right = table("sample,result", {**RIGHT, "I000": "accept"})
    assert client.post(page, {"upload": file_of(right)}).status_code == 302
    result = TestResult.unscoped.get(run=run)
    assert audited("test-run.issue")[2:] == ("testrun", str(run.pk))
    assert audited("test-run.hand_in") == ("done", provider.person_id, "testrun", str(run.pk))
    assert result.counts == {
        "genuine": 200,
        "impostors": 100,
        "false_rejects": 0,
        "false_accepts": 1,
        "missing": 0,
    }
    assert (
        words(lambda: hand_in(run=run, actor=provider, upload=file_of(right))) == "测试结果已提交，不能更改"
    )
    shown = client.get(reverse("test_run", args=[run.pk])).content.decode()
    assert "1.0000%（1 / 100，95% 置信区间 0.0253%–5.4460%）" in shown


def test_a_late_result_is_refused_and_one_that_arrived_in_time_is_not(
    run: TestRun, provider: Actor, settings: Any
) -> None:
    world.at(f"{localtime(run.due_at):%Y-%m-%d %H:%M}")
    upload = file_of(table("sample,result", RIGHT))
    assert words(lambda: hand_in(run=run, actor=provider, upload=upload)) == "提交期限已过"
    settings.PILOT_ARRIVAL_HEADER = "X-Request-Start"
    stamp = f"t={(clock.security_now() - timedelta(seconds=20)).timestamp():.3f}"  # it stood in a queue since
    page, upload = reverse("test_run_hand_in", args=[run.pk]), file_of(table("sample,result", RIGHT))
    client_of(provider).post(page, {"upload": upload}, headers={"X-Request-Start": stamp})
    assert TestResult.unscoped.get(run=run).handed_in_at < run.due_at


def test_a_conclusion_drawn_meanwhile_closes_the_run(
    run: TestRun, provider: Actor, staff: builders.Desk, panel: list[Actor], assessment: CapabilityAssessment
) -> None:
    """The page was read before the conclusion, the file comes after it."""
    read = test_runs.visible(provider).get(pk=run.pk)
    for actor in panel:
        builders.score(assessment, actor)
    fire(assessment, "conclude", actor=staff.officer, conclusion="示例结论。")
    upload = file_of(table("sample,result", RIGHT))
    assert words(lambda: hand_in(run=read, actor=provider, upload=upload)) == "评估已经结束"
    again = words(lambda: issue(case=assessment, actor=staff.officer, title="x", key=file_of(KEY_FILE)))
    assert again == "分派评估人员之后、作出结论之前才能下发测试集"


def test_a_file_beyond_the_limit_is_not_even_read(
    run: TestRun, provider: Actor, staff: builders.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = file_of(b"x" * (rules.MAX_BYTES + 1))
    monkeypatch.setattr(big, "file", None)
    assert words(lambda: hand_in(run=run, actor=provider, upload=big)) == "文件超过 5 MB 的上限"
    world.at(f"{localtime(run.due_at):%Y-%m-%d %H:%M}")
    case = run.assessment
    again = words(lambda: issue(case=case, actor=staff.officer, title="示例", key=big))
    assert again == "文件超过 5 MB 的上限"


def test_only_officers_issue_and_one_at_a_time(
    run: TestRun, assessment: CapabilityAssessment, staff: builders.Desk, panel: list[Actor]
) -> None:
    upload = file_of(table("sample,result", RIGHT))
    assert (
        words(lambda: hand_in(run=run, actor=world.provider(), upload=upload)) == "只能由申请单位提交测试结果"
    )
    with pytest.raises(NotPermitted):
        issue(case=assessment, actor=staff.approver, title="x", key=file_of(KEY_FILE))
    again = words(lambda: issue(case=assessment, actor=staff.officer, title="x", key=file_of(KEY_FILE)))
    assert again == "上一个测试集尚未提交结果"


def test_foreign_eyes_see_no_run(run: TestRun, staff: builders.Desk, panel: list[Actor]) -> None:
    other = world.provider(44)
    stranger = client_of(other).get(reverse("test_run", args=[run.pk]))
    bureau = client_of(staff.lead).get(reverse("test_run", args=[run.pk]))
    seen = client_of(panel[0]).get(reverse("test_run", args=[run.pk]))
    assert (stranger.status_code, bureau.status_code, seen.status_code) == (404, 403, 200)
    assert Client().get(reverse("test_run", args=[run.pk])).status_code == 302


def test_the_assessors_see_the_figures_on_the_case(
    run: TestRun, provider: Actor, panel: list[Actor], assessment: CapabilityAssessment
) -> None:
    hand_in(run=run, actor=provider, upload=file_of(table("sample,result", RIGHT)))
    page = client_of(panel[0]).get(reverse("capability-assessment_detail", args=[assessment.pk]))
    assert page.content.decode().count("0.0000%（0 / 100，95% 置信区间 0.0000%–3.6217%）") == 1
