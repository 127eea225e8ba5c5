"""A rectification order's life."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from filings.forms.inspections import InspectionForm
from filings.models import Finding, FindingCause, Inspection, Rectification
from filings.pages import rectifications as rectification_pages
from filings.phrases import MEASURES
from filings.services import attachments, deadlines, inspections, supervision
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.models import Document, Notice, PilotUnit, TransitionRecord
from pilot.services import documents
from pilot.workflow import fire
from tests.applications.builders import pdf
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders
from tests.filings.acting import refused, state
from tests.filings.api.caller import Caller, issued
from tests.filings.test_pages import signed_in


@pytest.fixture
def order(unit: PilotUnit, finding: Finding, bureau_reviewer: Actor) -> Rectification:
    return supervision.draft_rectification(
        actor=bureau_reviewer,
        unit=unit,
        findings=[finding],
        reasons="6月准确率未达到要求",
        measures="逐份复核\n查明原因",
        days=10,
    )


def test_an_order_to_its_close_in_two_rounds(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    issued = fire(order, "issue", actor=bureau_lead)
    assert issued.due_at == world.moment("2019-07-16 00:00")  # ten working days after Monday 1 July
    refused(issued, "answer", provider, "请填写整改报告")
    world.at("2019-07-10 09:00")
    answered = fire(issued, "answer", actor=provider, answer_text="已更正")
    assert due(bureau_lead) == "2019-07-15 已提交"
    again = fire(answered, "reject", actor=bureau_lead, reason="未说明原因")
    assert (again.state, again.round, again.due_at) == ("issued", 2, world.moment("2019-07-25 00:00"))
    answered = fire(again, "answer", actor=provider, answer_text="补充", proofs=[proof()])
    refused(answered, "accept", bureau_lead, "请说明不需要复查的理由")
    done = fire(answered, "accept", actor=bureau_lead, reason="个案，已更正")
    assert (done.state, done.due_at, due(bureau_lead)) == ("closed", None, "2019-07-24")
    assert Document.objects.filter(machine="rectification", kind="rectification").count() == 2


def due(actor: Actor) -> str:
    """The deadline of the one order as the list tells it, and the page of the order, too."""
    client = signed_in(actor)
    (row,) = client.get(reverse("rectification_list")).context["page"].rows
    facts = {fact.label: fact.value for fact in client.get(row.url).context["page"].facts}
    assert facts.get("整改报告提交期限") == row.cells[4]
    return str(getattr(row.cells[4], "label", row.cells[4]))


def proof() -> attachments.Proof:
    return attachments.examine(SimpleUploadedFile("整改证明.pdf", pdf("proof")))


def test_an_order_is_closed_by_a_fresh_sample(
    unit: PilotUnit, order: Rectification, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    before = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    world.at("2019-07-02 09:00")
    with pytest.raises(Refused, match="整改通知签发后、办结前可以安排复查"):
        supervision.link_recheck(case=order, actor=bureau_reviewer, recheck=before)
    issued = fire(order, "issue", actor=bureau_lead)
    world.at("2019-07-03 09:00")
    answered = fire(issued, "answer", actor=provider, answer_text="已更正")
    fresh = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    with pytest.raises(Refused, match="另行抽样"):
        supervision.link_recheck(case=answered, actor=bureau_reviewer, recheck=before)
    for stranger, words in ((world.bureau(province=11), "只能办理本省注册"), (provider, "由通信管理局安排")):
        with pytest.raises(NotPermitted, match=words):
            supervision.link_recheck(case=answered, actor=stranger, recheck=fresh)
    linked = supervision.link_recheck(case=answered, actor=bureau_reviewer, recheck=fresh)
    assert audited("rectification.link_recheck") == (
        "done",
        bureau_reviewer.person_id,
        "rectification",
        str(linked.pk),
    )
    refused(linked, "accept", bureau_lead, "复查抽样尚未作出结论", reason="不等了")
    # The sample has a life of its own (its tests); here it is only walked to its end.
    for reached in ("committed", "drawn", "in_progress", "concluded"):
        Inspection.unscoped.filter(pk=fresh.pk).update(state=reached)
    assert fire(linked, "accept", actor=bureau_lead).state == "closed"


def test_a_recheck_is_of_the_last_month_there_is(order: Rectification, bureau_lead: Actor) -> None:
    issued = fire(order, "issue", actor=bureau_lead)

    def preset() -> str:
        (link,) = rectification_pages.links(issued, world.bureau())
        asked = dict(parse_qsl(urlsplit(link.url).query))
        choices: Any = InspectionForm(actor=world.bureau()).fields["period"]
        assert asked["period"] in dict(choices.choices)
        return asked["period"]

    now = preset()
    world.at("2020-01-10 09:00")  # the run phase is over
    assert (now, preset()) == ("2019-07", "2019-12")


def test_an_order_about_the_same_cause_is_marked(
    unit: PilotUnit, order: Rectification, bureau_reviewer: Actor, bureau_lead: Actor, finding: Finding
) -> None:
    text: dict[str, Any] = {"actor": bureau_reviewer, "unit": unit, "reasons": "示例", "measures": "示例"}
    found = builders.found(builders.form(unit, "F-2"), field="subject", at=world.moment("2019-07-01 10:00"))
    assert supervision.draft_rectification(findings=[found], **text).repeat_of is None  # the first is a draft
    fire(order, "issue", actor=bureau_lead)
    other = builders.found(builders.form(unit, "F-3"), field="domain", kind="form")
    assert supervision.draft_rectification(findings=[other], **text).repeat_of is None
    again = supervision.draft_rectification(findings=[other, found], **text)
    assert again.repeat_of == order
    # Where the unit named a cause, the cause is what is compared.
    cause = FindingCause.unscoped.create(unit=unit, text="另一原因", recorded_at=clock.now())
    Finding.unscoped.filter(pk=found.pk).update(cause=cause)
    assert (
        supervision.draft_rectification(findings=[Finding.unscoped.get(pk=found.pk)], **text).repeat_of
        is None
    )
    fire(again, "issue", actor=bureau_lead)
    assert f"就同一原因，此前已以{order.number}要求你单位整改，本次为再次整改" in letter_of(again)
    assert (
        supervision.grounds_of(unit) == f"整改通知{again.number}：就同一原因再次整改（前次{order.number}）。"
    )
    assert list(supervision.bad_record(unit)) == [again]


def test_an_order_is_drafted_from_what_was_found(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    fire(finding, "confirm", actor=provider, cause_text="证件识别错误")
    found = [builders.found(builders.form(unit, f"F-{n}"), field="form", kind="form") for n in (2, 3)]
    builders.decide(found[0], "confirmed")
    words = supervision.suggest(unit=unit, findings=Finding.unscoped.order_by("pk"))
    assert words.reasons.splitlines() == [
        "核验单其他信息差错2份（举报或来函；待确认1份、已确认1份）。",
        "备案主体身份信息差错1份（权威库比对；已确认1份）；你单位说明的原因：证件识别错误。",
    ]
    assert words.phrases == ["review", "cause", "trace", "compare", "collect", "check", "recheck"]
    client = signed_in(bureau_reviewer)
    url = f"{reverse('rectification_create')}?unit={unit.pk}"
    page = client.get(url).content.decode()
    assert "不填则按试点项目规定为 10 个工作日；如今天签发，期限至 2019年7月15日（含当日）" in page
    assert words.reasons.splitlines()[1] in page
    assert client.get(f"{reverse('rectification_create')}?unit=x").status_code == 200
    data = {
        "unit": unit.pk,
        "findings": [finding.pk],
        "reasons": words.reasons,
        "phrases": ["review", "cause"],
    }
    assert client.post(url, data | {"measures": "书面报告\n"}).status_code == 302
    order = Rectification.unscoped.get()
    assert order.measures.splitlines() == [MEASURES["review"], MEASURES["cause"], "书面报告"]
    detail = signed_in(bureau_lead).get(reverse("rectification_detail", args=[order.pk])).content.decode()
    assert "期限（如今天签发）" in detail
    act = signed_in(bureau_lead).get(reverse("rectification_act", args=[order.pk, "issue"])).content.decode()
    assert "2019-07-15" in act


def letter_of(order: Rectification) -> str:
    letter = Document.objects.filter(machine="rectification", object_id=order.pk).latest("pk")
    return squeezed(text_of(documents.read_bytes(letter.sha256)))


def test_a_program_reads_the_same_last_moment_before_and_after_it(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    caller = Caller(issued(order.unit).secret)

    def told() -> tuple[str, str]:
        (row,) = caller.get("rectifications/").json()["results"]
        return row["state"], row["answer_until"]

    fire(order, "issue", actor=bureau_lead)
    end = "2019-07-16T00:00:00.000+08:00"
    assert told() == ("issued", end)
    world.at("2019-07-16 00:01")
    deadlines.pass_deadlines()
    assert told() == ("overdue", end)
    fire(order, "answer", actor=provider, answer_text="迟交")
    assert told() == ("answered", end)


def test_an_order_that_is_not_answered_becomes_overdue(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    fire(order, "issue", actor=bureau_lead)
    world.at("2019-07-15 23:59")
    deadlines.pass_deadlines()
    assert (state(order), due(bureau_lead)) == ("issued", "2019-07-15 今日到期")
    world.at("2019-07-16 00:01")
    deadlines.pass_deadlines()
    assert (state(order), due(bureau_lead)) == ("overdue", "2019-07-15 逾期 1 个工作日")
    world.at("2019-07-22 09:00")
    assert due(bureau_lead) == "2019-07-15 逾期 5 个工作日"
    assert fire(order, "answer", actor=provider, answer_text="迟交").state == "answered"
    assert due(bureau_lead) == "2019-07-15 逾期后提交"
    tiles = {
        tile.label: tile for tile in signed_in(bureau_lead).get(reverse("dashboard")).context["page"].tiles
    }
    assert (tiles["待复核整改"].value, tiles["逾期整改"].value) == ("1", "0")


def test_the_drafter_does_not_issue(order: Rectification, bureau_reviewer: Actor) -> None:
    refused(order, "issue", bureau_reviewer, "职责", NotPermitted)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rectification.unscoped.filter(pk=order.pk).update(issued_by=bureau_reviewer.person_id)


def test_only_the_bureau_of_the_unit_issues(order: Rectification) -> None:
    refused(order, "issue", world.bureau(Role.BUREAU_LEAD, province=11), "只能办理本省")


def test_an_order_falls_with_its_findings(
    order: Rectification, finding: Finding, bureau_lead: Actor, provider: Actor
) -> None:
    fire(order, "issue", actor=bureau_lead)
    refused(order, "cancel", bureau_lead, "未全部撤销", reason="撤回")
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert state(order) == "cancelled"
    step = TransitionRecord.objects.get(machine="rectification", name="cancel")
    assert (step.role, step.person_id) == ("system", bureau_lead.person_id)
    told = Notice.objects.filter(source__startswith=f"rectification:{order.pk}:", person=provider.person_id)
    assert list(told.order_by("pk").values_list("subject", flat=True)) == [
        f"{order.number} · {order.unit} · 签发整改通知",
        f"{order.number} · {order.unit} · 取消整改",
    ]


def test_an_order_stands_while_one_of_its_findings_does(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    second = builders.found(builders.form(unit, "F-2"), at=clock.now())
    order = supervision.draft_rectification(
        actor=bureau_reviewer, unit=unit, findings=[finding, second], reasons="示例", measures="示例", days=10
    )
    Rectification.unscoped.filter(pk=order.pk).update(state="issued")  # without its letter
    order.refresh_from_db()
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert state(order) == "issued"
    refused(order, "cancel", bureau_lead, "未全部撤销", reason="撤回")
    builders.decide(second, "disputed", "overturned")
    assert fire(order, "cancel", actor=bureau_lead, reason="依据已全部撤销").state == "cancelled"


def test_a_draft_that_is_given_up_is_not_told_to_the_unit(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    assert fire(order, "cancel", actor=bureau_lead, reason="不予签发").state == "cancelled"
    assert not Notice.objects.filter(source__startswith="rectification:", person=provider.person_id).exists()


def test_an_order_rests_on_findings_of_its_unit(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor
) -> None:
    text = {"reasons": "示例", "measures": "示例"}
    for findings, days, words in [([], 10, "至少一条"), ([finding], 0, "工作日"), ([finding], 61, "工作日")]:
        with pytest.raises(Refused, match=words):
            supervision.draft_rectification(
                actor=bureau_reviewer, unit=unit, findings=findings, days=days, **text
            )
    with pytest.raises(Refused, match="本省"):
        supervision.draft_rectification(
            actor=world.bureau(province=11), unit=unit, findings=[finding], days=10, **text
        )
    builders.decide(finding, "disputed", "overturned")
    with pytest.raises(Refused, match="未被撤销"):
        supervision.draft_rectification(
            actor=bureau_reviewer, unit=unit, findings=[Finding.unscoped.get(pk=finding.pk)], days=10, **text
        )


def test_the_letter_names_facts_figures_and_the_last_day(order: Rectification, bureau_lead: Actor) -> None:
    fire(order, "issue", actor=bureau_lead)
    letter = Document.objects.get(machine="rectification")
    text = squeezed(text_of(documents.read_bytes(letter.sha256)))
    for words in (
        order.number,
        "核验单F-1，备案主体身份信息：与权威库记录不一致（示例）",
        "主体真实身份信息准确率为0.0000%（计数1份，差错1份），要求为不低于99.95%，未达线",
        "请于2019年7月15日（含当日）前",
    ):
        assert words in text


@pytest.mark.parametrize("after", ["x", "-1", "٣", "1" * 19, "1" * 5_000])
@pytest.mark.parametrize("path", ["findings/", "rectifications/"])
def test_a_page_that_goes_on_from_nowhere_is_refused_in_words(
    order: Rectification, path: str, after: str
) -> None:
    answer = Caller(issued(order.unit).secret).get(f"{path}?after={after}")
    assert (answer.status_code, [error["parameter"] for error in answer.json()["errors"]]) == (400, ["after"])
