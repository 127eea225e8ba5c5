"""A sanction's life."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from filings.enums import SanctionKind
from filings.models import (
    Sanction,
)
from filings.pages import sanctions as sanction_pages
from filings.pages.sanctions import due
from filings.services import attachments, coordination, deadlines, supervision
from filings.transitions import sanctions as transitions
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.masking import mask_name
from pilot.models import Document, Notice, Objection, PilotUnit, ProgrammeRule
from pilot.selectors import register
from pilot.services import documents, objections
from pilot.workflow import fire
from tests.applications.builders import pdf
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.factories.audited import audited
from tests.factories.locks import while_held
from tests.filings.acting import refused, state
from tests.filings.builders import enrol
from tests.filings.test_pages import signed_in


@pytest.fixture
def rule(programme: Any) -> None:
    """The programme holds a rule on sanctions (示例)."""
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(
        value=True, basis="规则（示例）第6条"
    )


def proposal(actor: Actor, unit: PilotUnit, kind: str = SanctionKind.SUSPENSION) -> Sanction:
    return supervision.propose_sanction(actor=actor, unit=unit, kind=kind, grounds="两轮整改未通过")


def imposed(
    sanction: Sanction, actor: Actor, approver: Actor, effect_from: datetime | None = None
) -> Sanction:
    fire(sanction, "notify", actor=actor)
    world.at("2019-07-09 00:01")
    deadlines.pass_deadlines()
    return fire(sanction, "impose", actor=approver, effect_from=effect_from)


def hearing_file() -> attachments.Proof:
    return attachments.examine(SimpleUploadedFile("申辩材料.pdf", pdf("proof")))


def paper(sanction: Sanction, kind: str) -> str:
    made = Document.objects.filter(machine="sanction", object_id=sanction.pk, kind=kind).latest("pk")
    return squeezed(text_of(documents.read_bytes(made.sha256)))


def test_without_a_rule_there_is_no_sanction(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    with pytest.raises(Refused, match="没有暂停或退出的规则"):
        proposal(bureau_reviewer, unit)


def test_without_a_rule_the_page_says_so_when_it_opens(
    unit: PilotUnit, programme: Any, bureau_reviewer: Actor
) -> None:
    client = signed_in(bureau_reviewer)
    page = client.get(reverse("sanction_create"))
    [section] = page.context["page"].sections
    assert (section.empty, section.more and section.more.url, page.context["page"].blocked) == (
        "本试点项目没有暂停或退出的规则，不能提出",
        reverse("rule_detail", args=["sanctions"]),
        True,
    )
    main = page.content.decode().split("<main")[1].split("</main")[0]
    assert (main.count('type="submit"'), main.count(f'href="{section.more.url}"')) == (0, 1)
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(value=True)
    allowed = client.get(reverse("sanction_create")).context["page"]
    assert [section.title for section in allowed.sections] == ["再次、多轮或逾期的整改通知"]


@pytest.mark.usefixtures("rule")
def test_the_unit_reads_that_a_statement_ends_the_hearing_and_who_is_next(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor
) -> None:
    sanction = fire(proposal(bureau_reviewer, unit), "notify", actor=bureau_reviewer)
    client = signed_in(provider)
    case, act = (
        reverse("sanction_detail", args=[sanction.pk]),
        reverse("sanction_act", args=[sanction.pk, "close_hearing"]),
    )
    offered = [(item.label, item.url) for item in client.get(case).context["page"].actions]
    assert offered == [("提交陈述申辩意见", act)]
    page = client.get(act).context["page"]
    assert (page.title, page.effect) == (
        "提交陈述申辩意见",
        "意见和材料一次提交：提交后陈述申辩期即告结束，不能再修改或补充；由提出处理建议的单位接收并复核",
    )
    facts = {fact.label: fact.value for fact in page.sections[0].facts}
    assert (facts["事实和理由"], facts["陈述申辩截止"]) == ("两轮整改未通过", date(2019, 7, 8))
    assert "提出人" not in facts
    said = client.post(act, {"statement": "一、已更正\n二、请求<b>不予</b>暂停"}, follow=True)
    assert said.context["page"].waiting_for == (f"{sanction.proposer_organisation.name}（接收陈述申辩）")
    assert "一、已更正<br>二、请求&lt;b&gt;不予&lt;/b&gt;暂停" in said.content.decode()
    # The history tells what it came to, for the system closes a hearing by the same step.
    assert [entry.title for entry in said.context["page"].timeline if "陈述申辩" in entry.title] == [
        "陈述申辩结束",
        "告知陈述申辩权",
    ]
    judged = signed_in(bureau_reviewer).get(reverse("sanction_task", args=[sanction.pk, "record_hearing"]))
    facts = {fact.label: fact.value for fact in judged.context["page"].sections[0].facts}
    assert facts["陈述申辩"] == "一、已更正\n二、请求<b>不予</b>暂停"
    supervision.record_hearing(case=sanction, actor=bureau_reviewer, opinion="属实")
    assert client.get(case).context["page"].waiting_for == "部审批人员"


@pytest.mark.usefixtures("rule")
def test_when_it_holds_is_asked_before_the_signature_with_an_example_to_come(
    unit: PilotUnit, bureau_reviewer: Actor, ministry_approver: Actor
) -> None:
    sanction = fire(proposal(bureau_reviewer, unit), "notify", actor=bureau_reviewer)
    world.at("2019-07-31 17:00")
    deadlines.pass_deadlines()
    client = signed_in(ministry_approver)
    asked = client.get(reverse("sanction_act", args=[sanction.pk, "impose"])).context["page"].form
    assert [field.name for field in asked.visible_fields()] == ["effect_from", "reason", "password"]
    assert asked["effect_from"].help_text == "格式 2019-08-01 00:00；不填则立即生效"
    fire(sanction, "impose", actor=ministry_approver)
    lift = client.get(reverse("sanction_act", args=[sanction.pk, "lift"])).context["page"].form
    assert lift["effect_from"].help_text == "格式 2019-08-01 00:00；不填则立即恢复"


@pytest.mark.django_db(transaction=True)
def test_of_two_proposals_at_one_moment_one_is_refused() -> None:
    programme = world.install()
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(value=True)
    unit = enrol(programme, world.provider())
    world.at("2019-07-01 09:00")
    first, second = world.bureau(), world.bureau()
    assert while_held(lambda: proposal(first, unit), lambda: proposal(second, unit)) is Refused
    assert Sanction.unscoped.get().proposed_by_id == first.person_id


@pytest.mark.usefixtures("rule")
def test_who_decides_in_the_office_that_proposed_is_told_once(
    unit: PilotUnit, provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    sanction = fire(proposal(ministry_officer, unit), "notify", actor=ministry_officer)
    fire(sanction, "close_hearing", actor=provider, statement="已整改")
    told = Notice.objects.filter(subject__endswith="陈述申辩结束").values_list("person", flat=True)
    assert list(told.filter(person=ministry_approver.person_id)) == [ministry_approver.person_id]


@pytest.mark.usefixtures("rule")
def test_a_suspension_heard_imposed_and_lifted(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor, ministry_approver: Actor
) -> None:
    sanction = proposal(bureau_reviewer, unit)
    assert sanction.basis == "规则（示例）第6条"
    hearing = fire(sanction, "notify", actor=bureau_reviewer)
    assert hearing.due_at == world.moment("2019-07-09 00:00")
    assert due(hearing) == "陈述申辩至 2019-07-08"
    refused(hearing, "close_hearing", provider, "请填写陈述申辩意见")
    heard = fire(hearing, "close_hearing", actor=provider, statement="已整改", proofs=[hearing_file()])
    assert (heard.state, heard.statement) == ("heard", "已整改")
    world.at("2019-07-10 09:00")
    refused(heard, "impose", ministry_approver, "须先接收陈述申辩并形成记录")
    for stranger, error in ((world.bureau(province=11), Refused), (provider, NotPermitted)):
        with pytest.raises(error, match="由提出处理建议的单位办理"):
            supervision.record_hearing(case=heard, actor=stranger, opinion="示例")
    with pytest.raises(Refused, match="请填写复核意见"):
        supervision.record_hearing(case=heard, actor=bureau_reviewer, opinion=" ")
    supervision.record_hearing(case=heard, actor=bureau_reviewer, opinion="整改未经复查，不影响认定")
    assert audited("sanction.record_hearing") == (
        "done",
        bureau_reviewer.person_id,
        "sanction",
        str(heard.pk),
    )
    with pytest.raises(Refused, match="已经形成"):
        supervision.record_hearing(case=heard, actor=bureau_reviewer, opinion="再次")
    effect = world.moment("2019-07-15 00:00")
    refused(heard, "impose", ministry_approver, "不得早于", effect_from=world.moment("2019-07-09 00:00"))
    assert due(heard) is None
    assert due(fire(heard, "impose", actor=ministry_approver, effect_from=effect)) == "2019-07-15 起生效"
    assert [
        register.status_at(unit, world.moment(text)) for text in ("2019-07-14 23:59", "2019-07-15 00:00")
    ] == [
        "active",
        "suspended",
    ]
    world.at("2019-08-01 09:00")
    refused(sanction, "lift", ministry_approver, "请填写理由")
    fire(
        sanction,
        "lift",
        actor=ministry_approver,
        reason="整改通过",
        effect_from=world.moment("2019-08-05 00:00"),
    )
    found = [
        register.status_at(unit, world.moment(text)) for text in ("2019-08-04 23:59", "2019-08-05 00:00")
    ]
    assert found == ["suspended", "active"]
    kinds = Document.objects.filter(machine="sanction").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "sanction-hearing", "proof", "hearing-record", "sanction-imposed", "sanction-lifted",
    ]  # fmt: skip
    # The letters cite the programme's rule word for word and nothing else; the record names who received what.
    for kind in ("sanction-hearing", "sanction-imposed", "sanction-lifted"):
        text = paper(sanction, kind)
        assert "依据规则（示例）第6条" in text
        assert not re.search("第[一二三四五六七八九十百]+条|《(?!工业和信息化部关于开展)[^》]*》", text)
    assert "你单位提交的陈述申辩已经复核：整改未经复查，不影响认定。" in paper(sanction, "sanction-imposed")
    record = paper(sanction, "hearing-record")
    assert hearing_file().sha256 in record
    for words in (
        sanction.number,
        "规则（示例）第6条",
        "已整改",
        "申辩材料（PDF）",
        bureau_reviewer.name,
        "整改未经复查",
    ):
        assert words in record
    page = signed_in(bureau_reviewer).get(reverse("pilot-unit_detail", args=[unit.code])).context["page"]
    assert [(s.tag.label, s.link and s.link.label) for s in page.history] == [
        ("试点结束", None), ("试点中", sanction.number), ("已暂停", sanction.number), ("试点中", None),
    ]  # fmt: skip


@pytest.mark.usefixtures("rule")
def test_silence_closes_the_hearing(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sanction = fire(proposal(bureau_reviewer, unit), "notify", actor=bureau_reviewer)
    world.at("2019-07-09 00:00")
    refused(sanction, "close_hearing", provider, "期限已届满", statement="迟到")
    world.at("2019-07-09 00:01")
    reminded: list[bool] = []
    with monkeypatch.context() as broken:
        broken.setattr(transitions, "make_hearing_record", lambda **case: 1 / 0)
        broken.setattr(coordination, "remind", lambda: reminded.append(True))
        # A paper that cannot be made keeps no other clock waiting.
        assert (deadlines.pass_deadlines(), state(sanction), reminded) == (0, "hearing", [True])
    assert (deadlines.pass_deadlines(), state(sanction)) == (1, "heard")
    assert "该单位在期限内未提出陈述申辩" in paper(sanction, "hearing-record")


@pytest.mark.usefixtures("rule")
def test_a_removal_has_no_end_and_freezes_nothing_earlier(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    sanction = imposed(
        proposal(ministry_officer, unit, SanctionKind.REMOVAL), ministry_officer, ministry_approver
    )
    refused(sanction, "lift", ministry_approver, "不能恢复", reason="理由")
    assert register.status_at(unit, world.moment("2020-06-01 00:00")) == "removed"
    with pytest.raises(Refused, match="当前状态"):
        proposal(ministry_officer, unit)


@pytest.mark.usefixtures("rule")
def test_an_upheld_objection_annuls_the_sanction(
    unit: PilotUnit,
    bureau_reviewer: Actor,
    ministry_approver: Actor,
    ministry_officer: Actor,
    provider: Actor,
) -> None:
    sanction = imposed(proposal(bureau_reviewer, unit), bureau_reviewer, ministry_approver)
    assert register.status_at(unit, world.moment("2019-07-09 01:00")) == "suspended"
    objection = objections.file_objection(
        actor=provider, machine="sanction", object_id=sanction.pk, grounds="已整改"
    )
    page = signed_in(ministry_officer).get(reverse("objection_detail", args=[objection.pk])).context["page"]
    told = {str(fact.label): fact.value for fact in page.facts}
    assert (told["原决定的理由"], told["申诉理由"]) == ("两轮整改未通过", "已整改")
    fire(objection, "take", actor=ministry_officer)
    fire(Objection.unscoped.get(pk=objection.pk), "uphold", actor=ministry_officer, reason="申诉成立")
    assert state(sanction) == "annulled"
    assert register.status_at(unit, world.moment("2019-07-10 00:00")) == "active"


@pytest.mark.usefixtures("rule")
def test_the_letter_that_dismisses_says_why_the_unit_was_sanctioned(
    unit: PilotUnit,
    bureau_reviewer: Actor,
    ministry_approver: Actor,
    ministry_officer: Actor,
    provider: Actor,
) -> None:
    sanction = imposed(proposal(bureau_reviewer, unit), bureau_reviewer, ministry_approver)
    objection = objections.file_objection(
        actor=provider, machine="sanction", object_id=sanction.pk, grounds="已整改"
    )
    taken = fire(objection, "take", actor=ministry_officer)
    fire(taken, "dismiss", actor=ministry_officer, reason="整改未通过复查")
    letter = Document.objects.get(machine="objection", object_id=objection.pk)
    assert "原决定的理由：两轮整改未通过。" in squeezed(text_of(documents.content_of(letter)))


@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize(
    ("then", "state_then", "status"), [("removed", "annulled", "removed"), ("lifted", "lifted", "active")]
)
def test_an_objection_upheld_late_leaves_what_was_decided_since(
    unit: PilotUnit,
    bureau_reviewer: Actor,
    ministry_approver: Actor,
    ministry_officer: Actor,
    provider: Actor,
    then: str,
    state_then: str,
    status: str,
) -> None:
    sanction = imposed(proposal(bureau_reviewer, unit), bureau_reviewer, ministry_approver)
    objection = objections.file_objection(
        actor=provider, machine="sanction", object_id=sanction.pk, grounds="已整改"
    )
    taken = fire(objection, "take", actor=ministry_officer)
    if then == "lifted":
        fire(sanction, "lift", actor=ministry_approver, reason="整改通过")
    else:
        second = proposal(bureau_reviewer, unit, SanctionKind.REMOVAL)
        second = fire(second, "notify", actor=bureau_reviewer)
        world.at("2019-07-25 09:00")
        deadlines.pass_deadlines()
        fire(second, "impose", actor=ministry_approver)
    world.at("2019-07-26 09:00")
    assert fire(taken, "uphold", actor=ministry_officer, reason="申诉成立").state == "upheld"
    assert (state(sanction), register.status_at(unit, world.moment("2019-08-01 00:00"))) == (
        state_then,
        status,
    )


@pytest.mark.usefixtures("rule")
def test_four_eyes_and_sides_of_a_sanction(
    unit: PilotUnit, bureau_reviewer: Actor, ministry_approver: Actor, bureau_lead: Actor
) -> None:
    with pytest.raises(Refused, match="只能办理本省注册的试点单位的事项"):
        proposal(world.bureau(province=11), unit)
    with pytest.raises(Refused, match="处理措施不正确"):
        proposal(bureau_reviewer, unit, "fine")
    sanction = proposal(bureau_reviewer, unit)
    with pytest.raises(Refused, match="正在办理"):
        proposal(bureau_lead, unit)
    with pytest.raises(Refused, match="没有待接收的陈述申辩"):
        supervision.record_hearing(case=sanction, actor=bureau_reviewer, opinion="示例")
    refused(sanction, "drop", world.ministry(), "由提出处理建议的单位办理", reason="理由")
    refused(sanction, "impose", ministry_approver, "不能", StateChanged)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sanction.unscoped.filter(pk=sanction.pk).update(approved_by=bureau_reviewer.person_id)
    dropped = fire(sanction, "drop", actor=bureau_lead, reason="情形消除")
    assert dropped.state == "dropped"
    facts = {str(fact.label): str(fact.value) for fact in sanction_pages.facts(dropped, bureau_lead)}
    assert facts["决定人"] == mask_name(bureau_lead.name)
