"""Reading the drawn forms: one reading, a blind second one, a third that settles; the draw that anybody repeats."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from filings.accuracy import sampling
from filings.models import Finding, Inspection, InspectionItem, InspectionReading, UploadJob
from filings.pages import inspections as inspection_pages
from filings.services import inspection_report, inspections, retention
from filings.services.inspections import Plan
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Document, Person, PilotUnit
from pilot.services import documents
from pilot.workflow import fire
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders
from tests.filings.acting import refused

SCRIPT = Path(__file__).parents[2] / "docs" / "draw_check.py"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PHONE = "13800138000"
CONTENT: dict[str, Any] = builders.content((1, "91440000MA0000001X", "示例科技有限公司")) | {
    "principal": {"cert_type": 2, "cert_no": "440101199001010011", "name": "示例甲", "mobile": PHONE}
}


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def running(unit: PilotUnit, actor: Actor, *, size: int = 2, of: int = 2, **plan: Any) -> Inspection:
    """An inspection that is being read; ``of`` forms of two provinces and both kinds lie in its month."""
    for number in range(1, of + 1):
        kind = "person" if number % 3 == 0 else "unit"
        builders.compared(
            builders.form(
                unit, f"HYD-{number:02d}", content=CONTENT, kind=kind, province=44 if number % 4 else 11
            )
        )
    case = inspections.plan_inspection(actor=actor, unit=unit, period="2019-06", size=size, plan=Plan(**plan))
    for name in ("commit", "draw", "begin"):
        case = fire(case, name, actor=actor)
    return case


@pytest.fixture
def twice(unit: PilotUnit, bureau_reviewer: Actor) -> Inspection:
    """Two forms, both to be read twice."""
    return running(unit, bureau_reviewer, second=100)


def read(case: Inspection, actor: Actor, item: InspectionItem, *wrong: str, **data: Any) -> InspectionReading:
    """A reading after a look at the content in full."""
    builders.looked(actor, item)
    remark = "不符" if wrong else ""
    return inspections.read_item(actor=actor, case=case, item=item, wrong=wrong, remark=remark, **data)


def turned_away(words: str, act: Any, *args: Any, **data: Any) -> None:
    with pytest.raises(Refused, match=words):
        act(*args, **data)


# --- the draw -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("strata", ["", "province", "kind", "filing_type"])
def test_anybody_repeats_the_draw(
    unit: PilotUnit, bureau_reviewer: Actor, tmp_path: Path, strata: str
) -> None:
    case = running(unit, bureau_reviewer, size=5, of=10, strata=strata)
    kept = Document.objects.get(machine="inspection", object_id=case.pk, kind="inspection-frame")
    frame = tmp_path / "frame.txt"
    frame.write_bytes(documents.content_of(kept))
    command = [sys.executable, "-I", str(SCRIPT), str(frame), case.seed, str(case.size)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    drawn = list(case.items.values_list("form__form_no", flat=True))
    assert told == [case.seed_hash, case.frame_digest, *drawn]
    assert (kept.sha256 == case.frame_digest) is (strata == "")
    numbers = {"": 1, "province": 2, "kind": 2, "filing_type": 1}[strata]
    assert (len(case.allocation), sum(part["drawn"] for part in case.allocation)) == (numbers, 5)


def test_the_published_vector_by_the_script(tmp_path: Path) -> None:
    frame = tmp_path / "frame.txt"
    frame.write_text("\n".join(f"HYD-{number:02d}" for number in range(1, 11)))
    command = [sys.executable, str(SCRIPT), str(frame), "2019-06/PU-01/a7", "3"]
    _hash, *told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert told == [
        "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b",
        *("HYD-07", "HYD-01", "HYD-08"),
    ]
    assert len(SCRIPT.read_text().splitlines()) <= 20


def test_what_is_read_twice_follows_from_the_seed(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer, size=8, of=10, second=30)
    drawn = list(case.items.values_list("form__form_no", flat=True))
    again = set(case.items.filter(second=True).values_list("form__form_no", flat=True))
    assert again == set(sampling.draw(drawn, f"{case.seed}:second", 3))


def test_a_sample_smaller_than_its_strata_is_not_drawn(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    for number, province in enumerate((11, 44)):
        builders.form(unit, f"HYD-{number}", province=province)
    plan = Plan(strata="province")
    case = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1, plan=plan)
    refused(fire(case, "commit", actor=bureau_reviewer), "draw", bureau_reviewer, "样本量不能少于层数")


@pytest.mark.parametrize(
    "plan", [{"strata": "month"}, {"second": 101}, {"risk": 0}, {"claimed": 0}, {"accepted": -1}]
)
def test_a_plan_has_sensible_numbers(unit: PilotUnit, bureau_reviewer: Actor, plan: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="数值不正确"):
        inspections.plan_inspection(
            actor=bureau_reviewer, unit=unit, period="2019-06", size=3, plan=Plan(**plan)
        )


def test_plan_and_draw_are_law(twice: Inspection) -> None:
    for change in ({"seed": "chosen"}, {"second_share": 0}, {"frame_digest": "0"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Inspection.unscoped.filter(pk=twice.pk).update(**change)


def test_the_unit_sees_the_commitment_before_the_seed(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor
) -> None:
    builders.form(unit, "HYD-01")
    case = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    url = reverse("inspection_detail", args=[case.pk])
    own, foreign = signed_in(provider), signed_in(world.provider())
    assert own.get(url).status_code == 404
    case = fire(case, "commit", actor=bureau_reviewer)
    for who in (own, signed_in(bureau_reviewer)):
        page = who.get(url).content.decode()
        assert (case.seed_hash in page, case.seed in page, "公布时间" in page) == (True, False, True)
    case = fire(case, "draw", actor=bureau_reviewer)
    assert case.seed in own.get(url).content.decode()
    kept = Document.objects.get(machine="inspection", object_id=case.pk)
    file = reverse("document", args=[kept.pk])
    assert (own.get(file).content, foreign.get(file).status_code) == (b"HYD-01", 404)


# --- readings -------------------------------------------------------------------------------------------
def test_a_verdict_per_field(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer)
    first, other = case.items.all()
    read(case, bureau_reviewer, first, "subject.cert", "principal.mobile")
    read(case, bureau_reviewer, other)
    first.refresh_from_db()
    assert (first.identity_right, first.form_right) == (False, False)
    assert first.remark == "主体证件、手机号码：不符"
    kept = InspectionReading.unscoped.order_by("item__rank")
    assert [sorted(key for key, right in row.fields.items() if not right) for row in kept] == [
        ["principal.mobile", "subject.cert"],
        [],
    ]
    assert set(kept[1].fields) >= {"subject.name", "subject.cert", "principal.mobile"}
    found = Finding.unscoped.order_by("pk").values_list("kind", "description")
    assert list(found) == [("identity", "主体证件、手机号码：不符"), ("form", "主体证件、手机号码：不符")]


def test_a_reading_is_law_but_for_its_words(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer)
    read(case, bureau_reviewer, case.items.first(), "subject.name")
    rows = InspectionReading.unscoped.all()
    for change in (lambda: rows.update(form_right=True), rows.delete):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            change()
    assert rows.update(remark="内容已销毁") == 1


def test_what_a_reader_may_not_do(twice: Inspection, bureau_reviewer: Actor, bureau_lead: Actor) -> None:
    item = twice.items.first()
    turned_away(
        "请说明差错内容",
        inspections.read_item,
        actor=bureau_reviewer,
        case=twice,
        item=item,
        wrong=["checks"],
    )
    turned_away("没有这些数据项：colour", read, twice, bureau_reviewer, item, "colour")
    turned_away("首次检查由经办人员进行", read, twice, bureau_lead, item)
    turned_away("由制定抽查计划的单位办理", read, twice, world.ministry(), item)
    turned_away("没有需要裁定", inspections.settle, actor=bureau_lead, case=twice, item=item)
    read(twice, bureau_reviewer, item)
    turned_away("您已检查过", read, twice, bureau_reviewer, item)
    turned_away("刚由他人检查完毕", read, twice, bureau_lead, item, turn=1)


def test_two_that_agree_settle_the_item(
    twice: Inspection, bureau_reviewer: Actor, second_reader: Actor
) -> None:
    item = twice.items.first()
    read(twice, bureau_reviewer, item, "subject.name")
    item.refresh_from_db()
    assert (item.identity_right, Finding.unscoped.count()) == (None, 0)
    read(twice, second_reader, item, "subject.name")
    item.refresh_from_db()
    assert (item.identity_right, item.read_by_id) == (False, bureau_reviewer.person_id)
    assert Finding.unscoped.get().kind == "identity"


def test_a_third_person_settles_two_that_differ(
    twice: Inspection, bureau_reviewer: Actor, second_reader: Actor, bureau_lead: Actor
) -> None:
    first, other = twice.items.all()
    read(twice, bureau_reviewer, first, "subject.name")
    read(twice, second_reader, first)
    read(twice, bureau_reviewer, other)
    read(twice, second_reader, other)
    refused(twice, "conclude", bureau_lead, "其中 1 份两次检查结果不同", conclusion="结论")
    waiting = inspection_pages.waiting(bureau_lead)
    assert list(Inspection.objects.visible_to(bureau_lead).filter(waiting)) == [twice]
    turned_away("须由第三人裁定", inspections.settle, actor=second_reader, case=twice, item=first)
    turned_away("已有检查结果", read, twice, bureau_lead, first)
    builders.looked(bureau_lead, first)
    inspections.settle(actor=bureau_lead, case=twice, item=first)
    assert audited("inspection.verdict") == ("done", second_reader.person_id, "inspection", str(twice.pk))
    assert audited("inspection.settle") == ("done", bureau_lead.person_id, "inspection", str(twice.pk))
    done = fire(twice, "conclude", actor=bureau_lead, conclusion="结论")
    assert done.result["agreement"] == {
        "pairs": 2, "same": 1, "agreeing": 1, "share": "50.0000%", "kappa": "0.000",
    }  # fmt: skip
    assert Finding.unscoped.count() == 0


def test_an_overturned_identity_leaves_the_forms_other_error(
    unit: PilotUnit, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    case = running(unit, bureau_reviewer, of=2)
    both, identity = case.items.all()
    read(case, bureau_reviewer, both, "subject.name", "principal.mobile")
    read(case, bureau_reviewer, identity, "subject.name")
    assert inspection_report.standing_errors(list(case.items.all())) == (2, 2)
    for finding in Finding.unscoped.filter(kind="identity"):
        builders.decide(finding, "disputed", "overturned")
    done = fire(case, "conclude", actor=bureau_lead, conclusion="结论")
    assert done.result["errors"] == {"m1": 0, "m2": 1}


def test_a_stratified_sample_does_not_test_the_claim(
    unit: PilotUnit, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    """The one form of a small stratum is always drawn: wrong alone, it would contradict a claim that is true."""
    case = running(unit, bureau_reviewer, size=2, of=10, strata="province")
    for item in case.items.all():
        read(case, bureau_reviewer, item)
    done = fire(case, "conclude", actor=bureau_lead, conclusion="结论")
    assert (done.result["claim"], [line["key"] for line in done.result["figures"]]) == (
        None,
        ["frame", "forms"],
    )
    page = signed_in(bureau_lead).get(reverse("inspection_detail", args=[case.pk])).content.decode()
    assert ("未否定声称" in page, "分层抽取的样本不用于核查单位声称" in page) == (False, True)


def test_the_words_of_readings_go_with_the_content(
    unit: PilotUnit, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    case = running(unit, bureau_reviewer, size=1, of=1)
    builders.looked(bureau_reviewer, case.items.get())
    inspections.read_item(actor=bureau_reviewer, case=case, item=case.items.get(), remark="电话确认了本人")
    fire(case, "conclude", actor=bureau_lead, conclusion="结论")
    for state in ("processing", "done"):
        UploadJob.unscoped.update(state=state)
    month = retention.UnitMonth.of(unit, "2019-06")
    assert retention.inventory(month)["inspection_remarks"] == 2  # the reading's and the verdict's
    retention.destroy_month(actor=world.SETUP, month=month, reason="示例", force=True)
    assert InspectionReading.unscoped.get().remark == "内容已销毁"
    assert retention.inventory(month)["inspection_remarks"] == 0


# --- two at once ----------------------------------------------------------------------------------------
def test_two_who_ask_get_two_forms(unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor) -> None:
    case = running(unit, bureau_reviewer, size=2)
    mine, yours = (
        inspections.next_item(actor=actor, case=case) for actor in (bureau_reviewer, second_reader)
    )
    assert (mine.rank, yours.rank) == (1, 2)
    assert inspections.next_item(actor=bureau_reviewer, case=case) == mine
    assert inspections.next_item(actor=world.bureau(), case=case) is None
    world.at("2019-07-01 09:20")  # the quarter of an hour is over
    assert inspections.next_item(actor=world.bureau(), case=case) == mine


def test_the_first_verdict_wins_and_the_other_is_told(
    unit: PilotUnit, bureau_reviewer: Actor, second_reader: Actor
) -> None:
    case = running(unit, bureau_reviewer, size=1)
    item = case.items.get()
    url, client = reverse("inspection_read", args=[case.pk]), signed_in(second_reader)
    assert item.form.form_no in client.get(url).content.decode()
    read(case, bureau_reviewer, item)
    data = {"item": item.pk, "turn": 1, "act": "wrong", "wrong": ["subject.name"], "remark": "名称不符"}
    page = client.post(url, data, follow=True).content.decode()
    assert "已有检查结果（您的结果：主体名称：名称不符）" in page
    assert InspectionReading.unscoped.count() == 1


# --- the pages ------------------------------------------------------------------------------------------
def test_the_second_reader_sees_no_first_reading(
    twice: Inspection, bureau_reviewer: Actor, second_reader: Actor, provider: Actor
) -> None:
    item = twice.items.first()
    builders.looked(bureau_reviewer, item)
    inspections.read_item(
        actor=bureau_reviewer, case=twice, item=item, wrong=["subject.name"], remark="独特的说明"
    )
    read(twice, bureau_reviewer, twice.items.last())
    pages = [
        reverse("inspection_read", args=[twice.pk]),
        reverse("inspection_settle", args=[twice.pk]),
        reverse("inspection_detail", args=[twice.pk]),
        reverse("inspection_list"),
        reverse("verification-form_detail", args=[item.form_id]),
        reverse("finding_list"),
    ]
    client = signed_in(second_reader)
    shown = [client.get(page).content.decode() for page in pages]
    assert [("独特的说明" in page, "有差错</span>" in page) for page in shown] == [(False, False)] * 6
    assert "第二次检查" in shown[0]
    assert "独特的说明" not in signed_in(provider).get(pages[2]).content.decode()


def test_a_form_is_read_in_the_browser(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    case = running(unit, bureau_reviewer)
    client, url = signed_in(bureau_reviewer), reverse("inspection_read", args=[case.pk])
    client.get(url)
    first, second = case.items.all()
    client.post(url, {"item": first.pk, "act": "unmask", "reason": "certificate"})
    bad = client.post(url, {"item": first.pk, "turn": 1, "act": "wrong", "remark": "不符"})
    assert (bad.status_code, "请先勾选有差错的数据项" in bad.content.decode()) == (422, True)
    data = {"item": first.pk, "turn": 1, "act": "wrong", "wrong": ["principal.name"], "remark": "不符"}
    unstorable = client.post(url, data | {"remark": "不\0符"})
    assert (unstorable.status_code, "不能含有空字符" in unstorable.text) == (422, True)
    following = client.post(url, data, follow=True).content.decode()
    assert "第 1 份已记录：负责人姓名：不符" in following
    assert second.form.form_no in following
    client.post(url, {"item": second.pk, "act": "unmask"})
    client.post(url, {"item": second.pk, "turn": 1, "act": "right", "wrong": ["checks"]})
    assert list(case.items.values_list("identity_right", "form_right")) == [(False, False), (True, True)]
    assert "所有核验单均有检查结果" in client.get(url).content.decode()


def test_a_disagreement_is_settled_in_the_browser(
    twice: Inspection, bureau_reviewer: Actor, second_reader: Actor, bureau_lead: Actor
) -> None:
    item = twice.items.first()
    read(twice, bureau_reviewer, item, "subject.name")
    read(twice, second_reader, item)
    url = reverse("inspection_settle", args=[twice.pk])
    assert "没有需要您裁定的分歧" in signed_in(second_reader).get(url).content.decode()
    client = signed_in(bureau_lead)
    shown = client.get(url).content.decode()
    assert ("主体名称：不符" in shown, "全部正确" in shown) == (True, True)
    assert client.post(url, {"item": item.pk, "act": "wrong", "wrong": ["subject.name"]}).status_code == 422
    client.post(url, {"item": item.pk, "act": "unmask", "reason": "dispute"})
    data = {"item": item.pk, "act": "wrong", "wrong": ["subject.name"], "remark": "确有不符"}
    assert client.post(url, data).status_code == 302
    item.refresh_from_db()
    assert (item.identity_right, item.remark) == (False, "主体名称：确有不符")


def test_another_office_reads_nothing(twice: Inspection, ministry_officer: Actor, provider: Actor) -> None:
    url = reverse("inspection_read", args=[twice.pk])
    assert [signed_in(who).get(url).status_code for who in (ministry_officer, provider)] == [404, 403]


def test_of_an_inspection_that_was_given_up_no_form_is_opened(
    twice: Inspection, bureau_reviewer: Actor, second_reader: Actor, bureau_lead: Actor
) -> None:
    item = twice.items.first()
    read(twice, bureau_reviewer, item, "subject.name")
    read(twice, second_reader, item)
    held = inspections.next_item(actor=second_reader, case=twice)
    fire(twice, "cancel", actor=bureau_lead, reason="不再需要")
    opened = AuditEntry.objects.filter(action__in=["form.read", "personal.unmask"])
    before = opened.count()
    for name, who, row in (("read", second_reader, held), ("settle", bureau_lead, item)):
        url, client = reverse(f"inspection_{name}", args=[twice.pk]), signed_in(who)
        data = {"item": row.pk if row else 0, "reason": "dispute"}
        answers = [client.get(url), *(client.post(url, data | {"act": act}) for act in ("unmask", "right"))]
        back = reverse("inspection_detail", args=[twice.pk])
        assert [answer.headers.get("Location") for answer in answers] == [back] * 3
    assert opened.count() == before


# --- the plan -------------------------------------------------------------------------------------------
def test_the_consequences_are_shown_before_anything_is_made(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    builders.forms(unit, 30)
    url, client = reverse("inspection_create"), signed_in(bureau_reviewer)
    data = {
        "unit": unit.pk, "period": "2019-06", "strata": "", "risk": "50000", "tolerated": "0.05",
        "accepted": "0", "size": "", "second": "10", "claimed": "0.05",
    }  # fmt: skip
    page = client.post(url, data | {"calculate": "1"})
    told = page.content.decode()
    assert (page.status_code, Inspection.unscoped.count()) == (200, 0)
    assert all(words in told for words in ("所需样本量", "漏判概率", "抽查结果的含义", "L = 0"))
    assert client.post(url, data).status_code == 302
    made = Inspection.unscoped.get()
    assert (made.size, made.second_share, made.tolerated_ppm, made.risk_ppm) == (29, 10, 500, 50_000)
    # What is exact for a simple random sample alone is not claimed of strata.
    builders.form(unit, "HYD-X", province=11)
    told = client.post(url, data | {"strata": "province", "size": "5", "calculate": "1"}).content.decode()
    assert ("L = 0" in told, "分层抽取的样本不用于核查单位声称" in told) == (False, True)
    assert told.count("按不分层抽取计算，分层抽取时为近似值") == 2
    assert client.post(url, data | {"period": "to-date"}).status_code == 302
    assert Inspection.unscoped.latest("pk").period == "to-date"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"period": "2019-13"}, "2019-13 不在可用的选项中"),
        ({"accepted": "1"}, "不能有 1 份差错"),
        ({"period": "2019-05"}, "请填写样本量"),
        ({"strata": "province", "size": "1"}, "样本量不能少于层数"),
        ({"claimed": "0"}, "应大于 0"),
    ],
)
def test_a_plan_that_cannot_be(
    unit: PilotUnit, bureau_reviewer: Actor, change: dict[str, str], words: str
) -> None:
    for number, province in enumerate((11, 44, 44)):
        builders.form(unit, f"HYD-{number}", province=province)
    data = {
        "unit": unit.pk, "period": "2019-06", "strata": "", "risk": "50000", "tolerated": "0.05",
        "accepted": "0", "size": "", "second": "10", "claimed": "0.05",
    }  # fmt: skip
    page = signed_in(bureau_reviewer).post(reverse("inspection_create"), data | change)
    assert (page.status_code, words in page.content.decode()) == (422, True)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_read_one_form_at_once_one_is_recorded() -> None:
    """Eight people on eight connections: one reading, seven are told, and nothing else ends otherwise."""
    unit = builders.enrol(world.install(), world.provider())
    world.at("2019-07-01 09:00")
    people = [world.bureau() for _n in range(8)]
    case = running(unit, people[0], size=1)
    item, barrier, ended = case.items.get(), Barrier(len(people)), []

    def act(person: Actor) -> None:
        try:
            barrier.wait(timeout=60)
            read(case, person, item, "subject.name")
            ended.append("done")
        except Exception as error:
            ended.append(str(getattr(error, "message", error)))
        finally:
            connection.close()

    threads = [Thread(target=act, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ended) == ["done"] + ["该核验单不在样本中，或已有检查结果"] * 7
    assert (InspectionReading.unscoped.count(), Finding.unscoped.count()) == (1, 1)
