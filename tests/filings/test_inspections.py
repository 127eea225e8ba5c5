"""An inspection's life."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from filings.accuracy import sampling
from filings.models import (
    Finding,
    Inspection,
    InspectionItem,
)
from filings.pages import inspections as pages
from filings.pages.inspections import awaits
from filings.services import acting, inspection_fields, inspections
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import Document, PilotUnit
from pilot.services import documents
from pilot.workflow import fire
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.filings import builders
from tests.filings import test_inspection_readings as readings
from tests.filings.acting import m1_errors, refused


@pytest.fixture
def inspection(unit: PilotUnit, bureau_reviewer: Actor) -> Inspection:
    """An inspection of three of ten forms, HYD-01 … HYD-10."""
    for number in range(1, 11):
        builders.compared(builders.form(unit, f"HYD-{number:02d}"))
    return inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=3)


def begun(inspection: Inspection, actor: Actor) -> Inspection:
    for name in ("commit", "draw", "begin"):
        inspection = fire(inspection, name, actor=actor)
    return inspection


def test_the_seed_is_committed_to_before_the_draw(inspection: Inspection, bureau_reviewer: Actor) -> None:
    assert [str(section.title) for section in pages.sections(inspection, bureau_reviewer)] == []
    committed = fire(inspection, "commit", actor=bureau_reviewer)
    (evidence,) = pages.sections(committed, bureau_reviewer)
    assert [str(fact.label) for fact in evidence.facts] == ["种子摘要", "公布时间"]
    assert committed.seed_hash == sha256(committed.seed.encode()).hexdigest()
    assert len(committed.seed) == 64
    drawn = fire(committed, "draw", actor=bureau_reviewer)
    frame = [f"HYD-{number:02d}" for number in range(1, 11)]
    assert drawn.frame_digest == "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b"
    assert (drawn.seed, drawn.frame_size) == (committed.seed, 10)
    items = drawn.items.select_related("form")
    assert [item.form.form_no for item in items] == list(sampling.draw(frame, drawn.seed, 3))


def test_only_counted_versions_are_drawn(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    first = builders.form(unit, "F-1", "2019-06-18 10:00")
    builders.form(unit, "F-2", "2019-06-18 11:00", corrects=first)
    builders.form(unit, "F-3", "2019-06-20 11:00", corrects=builders.form(unit, "F-4"))
    builders.form(unit, "F-5", late=True)
    planned = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=9)
    drawn = fire(fire(planned, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    numbers = {item.form.form_no for item in drawn.items.select_related("form")}
    assert (numbers, drawn.frame_size) == ({"F-2", "F-4"}, 2)


def test_an_empty_frame_cannot_be_drawn(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    planned = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=3)
    refused(fire(planned, "commit", actor=bureau_reviewer), "draw", bureau_reviewer, "没有可以抽查的核验单")


def test_an_inspection_to_its_report(
    unit: PilotUnit, inspection: Inspection, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    running = begun(inspection, bureau_reviewer)
    refused(running, "conclude", bureau_lead, "还有 3 份", conclusion="结论")
    verdicts = [(True, True, ""), (False, True, "证件号码不符"), (True, False, "域名不符")]
    for item, (identity, rest, remark) in zip(running.items.all(), verdicts, strict=True):
        inspections.record_verdict(
            case=running,
            actor=bureau_reviewer,
            item=item,
            identity_right=identity,
            form_right=rest,
            remark=remark,
        )
    opened = Finding.unscoped.order_by("pk")
    assert list(opened.values_list("source", "kind", "field", "state", "description")) == [
        ("inspection", "identity", "identity", "open", "证件号码不符"),
        ("inspection", "form", "form", "open", "域名不符"),
    ]
    assert m1_errors(unit) == 0  # provisional until confirmed
    fire(opened[0], "confirm", actor=provider)
    assert m1_errors(unit) == 1
    refused(running, "conclude", bureau_lead, "请填写抽查结论")
    done = fire(running, "conclude", actor=bureau_lead, conclusion="发现差错 2 份，转整改。")
    assert (done.state, done.concluded_by_id) == ("concluded", bureau_lead.person_id)
    kinds = Document.objects.filter(machine="inspection").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["inspection-frame", "inspection-report"]
    report = Document.objects.get(machine="inspection", kind="inspection-report")
    told = squeezed(text_of(documents.content_of(report)))
    # A smaller sample than the risk asks for: the report says what it really misses.
    assert "总体有1份差错（超过可容忍差错率的最小数）时，样本中差错不超过允许数的概率不超过70.00%" in told
    assert [f["code"] for f in done.result["figures"]] == ["not_achieved"] * 3
    assert done.result["claim"] == {"n": 3, "claimed_ppm": 500, "limit": 0, "errors": 1, "contradicted": True}
    assert done.title == f"抽查 · {unit} · 2019-06"
    officials, units = (
        [str(fact.label) for fact in pages.facts(done, actor)] for actor in (bureau_lead, provider)
    )
    assert officials[:5] == ["试点单位", "检查单位", "抽查期间", "抽查结论", "统计结论"]
    assert (officials[-2:], officials[:-2]) == (["计划人", "结论人"], units)
    assert [tag.label for tag in pages.verdicts(done)] == [
        "M1（总体） 不达标",
        "M1（过程） 不达标",
        "M2 不达标",
    ]
    evidence = pages.sections(done, provider)[-1]
    assert (evidence.title, len(evidence.facts)) == ("抽取存证", 6)


def test_it_waits_for_the_office_that_planned_it(
    inspection: Inspection, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    office = bureau_reviewer.organisation_name
    running = begun(inspection, bureau_reviewer)
    assert awaits(running, provider) == office
    told = [awaits(inspection, bureau_lead), awaits(running, bureau_lead)]
    for item in running.items.all():
        inspections.record_verdict(
            case=running, actor=bureau_reviewer, item=item, identity_right=True, form_right=True, remark=""
        )
    told.append(awaits(running, bureau_lead))
    done = fire(running, "conclude", actor=bureau_lead, conclusion="示例")
    assert [*told, awaits(done, bureau_lead)] == [
        office,
        f"{office}（还有 3 份待检查）",
        f"{office}（待作出结论）",
        "",
    ]


def test_what_two_read_differently_waits_to_be_settled(
    unit: PilotUnit, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    case, office = readings.running(unit, bureau_reviewer, second=100), bureau_reviewer.organisation_name
    first, other = case.items.all()
    readings.read(case, bureau_reviewer, first, "subject.name")
    told = [awaits(case, bureau_lead)]
    readings.read(case, world.bureau(), first)
    told += [awaits(case, bureau_lead), awaits(case, provider)]
    readings.read(case, bureau_reviewer, other)
    readings.read(case, world.bureau(), other)
    told += [awaits(case, bureau_lead), awaits(case, provider)]
    assert told == [
        f"{office}（还有 2 份待检查）",
        f"{office}（还有 1 份待检查，1 份待裁定）",
        office,
        f"{office}（1 份待裁定）",
        office,
    ]


def test_a_verdict_is_given_once_while_reading_and_says_what_is_wrong(
    inspection: Inspection, bureau_reviewer: Actor
) -> None:
    drawn = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    right = {"case": drawn, "item": drawn.items.first(), "identity_right": True, "form_right": True}

    def turned_away(words: str, actor: Actor, **data: Any) -> None:
        with pytest.raises(Refused, match=words):
            inspections.record_verdict(actor=actor, **(right | data))

    turned_away("检查尚未开始", bureau_reviewer)
    fire(drawn, "begin", actor=bureau_reviewer)
    turned_away("由制定抽查计划的单位办理", world.bureau(province=11))
    turned_away("请说明差错内容", bureau_reviewer, identity_right=False)
    turned_away("该核验单不在样本中", bureau_reviewer, item=InspectionItem(pk=0))
    inspections.record_verdict(actor=bureau_reviewer, **right)
    turned_away("已有检查结果", bureau_reviewer)


def test_the_planner_does_not_conclude(
    unit: PilotUnit, inspection: Inspection, bureau_reviewer: Actor
) -> None:
    running = begun(inspection, bureau_reviewer)
    refused(running, "conclude", bureau_reviewer, "职责", NotPermitted, conclusion="结论")
    with pytest.raises(IntegrityError), transaction.atomic():
        Inspection.unscoped.filter(pk=running.pk).update(concluded_by=bureau_reviewer.person_id)


def test_another_office_does_not_carry_on(inspection: Inspection, ministry_officer: Actor) -> None:
    refused(inspection, "commit", ministry_officer, "由制定抽查计划的单位办理")
    stranger = world.bureau(province=11)
    refused(inspection, "commit", stranger, "只能办理本省")
    with pytest.raises(Refused, match="只能抽查本省注册的试点单位"):
        inspections.plan_inspection(actor=stranger, unit=inspection.unit, period="2019-06", size=1)


def test_a_correction_after_the_draw_is_not_counted(
    inspection: Inspection, unit: PilotUnit, bureau_reviewer: Actor
) -> None:
    world.at("2019-06-18 12:00")
    drawn = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    row = drawn.items.select_related("form").first().form
    later = builders.form(unit, "HYD-99", "2019-06-18 13:00", corrects=row)
    builders.compared(later, outcome="mismatch")
    assert m1_errors(unit) == 0


@pytest.mark.parametrize("names", [(), ("commit",), ("commit", "draw"), ("commit", "draw", "begin")])
def test_an_inspection_is_cancelled_with_a_reason(
    inspection: Inspection, bureau_lead: Actor, bureau_reviewer: Actor, names: tuple[str, ...]
) -> None:
    for name in names:
        inspection = fire(inspection, name, actor=bureau_reviewer)
    refused(inspection, "cancel", bureau_lead, "请填写理由")
    assert fire(inspection, "cancel", actor=bureau_lead, reason="计划调整").state == "cancelled"


@pytest.mark.parametrize("size", [0, 20_001])
def test_a_sample_has_a_size(unit: PilotUnit, bureau_reviewer: Actor, size: int) -> None:
    with pytest.raises(Refused, match="样本量"):
        inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=size)


SUBJECT_FIELDS = [
    f"subject.{part}" for part in ("name", "cert", "nature", "region", "address", "cert_address")
]
SITE_FIELDS = [f"websites.0.{part}" for part in ("name", "domain", "principal", "access")]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (None, ["identity", "form"]),  # destroyed: judged as a whole
        ({}, ["identity", "form"]),
        ({"subject": {"name": "示例"}, "websites": [{}]}, SUBJECT_FIELDS + SITE_FIELDS),
        (
            {"collection_methods": ["face"], "checks": [{}], "verifier_name": "示例"},
            ["collection", "checks", "verifier"],
        ),
    ],
)
def test_only_what_a_form_holds_is_judged(record: dict[str, Any] | None, fields: list[str]) -> None:
    assert inspection_fields.judged_fields(record) == fields


@pytest.mark.parametrize(
    ("field", "words"),
    [("websites.0.domain", "域名"), ("websites.1.domain", "网站2 域名"), ("subject.name", "主体名称")],
)
def test_a_field_has_words(field: str, words: str) -> None:
    assert inspection_fields.label(field) == words


def test_what_a_person_has_to_begin_the_system_does_not(bureau_reviewer: Actor) -> None:
    person, organisation = bureau_reviewer.person_id, bureau_reviewer.organisation_id
    assert acting.beginner(bureau_reviewer) == acting.Beginner(person, organisation)
    with pytest.raises(Refused, match="此事项须由人员办理"):
        acting.beginner(builders.SYSTEM)
