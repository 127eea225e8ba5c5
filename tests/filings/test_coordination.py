"""A coordination case's life, and the questions and answers made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Value
from django.urls import reverse

from filings.models import CoordinationCase, FaqEntry
from filings.pages import faq as faq_page
from filings.selectors import faq as faq_selector
from filings.services import coordination, deadlines, faq
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Document, Membership, Notice, Organisation, PilotUnit, ProgrammeRule
from pilot.workflow import fire
from tests.applications.builders import pdf
from tests.architecture.test_queries import queries
from tests.factories import world
from tests.filings.acting import refused
from tests.filings.test_pages import signed_in, text_of


def test_a_coordination_case_goes_to_and_fro(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    case = coordination.open_case(
        actor=provider, unit=unit, subject="接口联调", text="比对接口超时", owner=bureau
    )
    refused(case, "reply", provider, "由责任单位答复", reason="自答")
    fire(case, "reply", actor=bureau_reviewer, reason="已联系省公安")
    refused(case, "reopen", bureau_reviewer, "由提出单位办理", reason="理由")
    fire(case, "reopen", actor=provider, reason="仍然超时")
    fire(case, "reply", actor=bureau_reviewer, reason="已扩容")
    assert fire(case, "close", actor=provider, reason="已恢复").state == "closed"
    texts = case.messages.values_list("text", flat=True)
    assert list(texts) == ["比对接口超时", "已联系省公安", "仍然超时", "已扩容", "已恢复"]


def test_the_sides_of_a_coordination_case(unit: PilotUnit, provider: Actor, bureau_reviewer: Actor) -> None:
    own = Organisation.objects.get(pk=provider.organisation_id)
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    stranger = world.provider()
    other = Organisation.objects.get(pk=stranger.organisation_id)
    for actor, owner, words in [
        (stranger, bureau, "只能提出本单位"),
        (provider, own, "不能是提出单位"),
        (bureau_reviewer, other, "责任单位应为"),
    ]:
        with pytest.raises(Refused, match=words):
            coordination.open_case(actor=actor, unit=unit, subject="示例", text="示例", owner=owner)


# --- deadline and hand-over -----------------------------------------------------------------------
@pytest.fixture
def case(unit: PilotUnit, provider: Actor, bureau_reviewer: Actor) -> CoordinationCase:
    """Asked on Monday 1 July 2019, 09:00."""
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    return coordination.open_case(
        actor=provider,
        unit=unit,
        subject="罕见字姓名比对不一致如何处理",
        text="请明确口径",
        owner=bureau,
        category="comparison",
    )


def test_the_page_names_the_office_whose_turn_it_is(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor
) -> None:
    def waits_for() -> str:
        response = signed_in(provider).get(reverse("coordination-case_detail", args=[case.pk]))
        words: str = response.context["page"].waiting_for
        return words

    shown = text_of(signed_in(provider), reverse("coordination-case_detail", args=[case.pk]))
    assert "<dt>状态时间</dt><dd><time" in shown  # since when it waits
    turns = [waits_for()]
    for name, actor in (("reply", bureau_reviewer), ("close", provider)):
        fire(case, name, actor=actor, reason="示例")
        turns.append(waits_for())
    assert turns == [bureau_reviewer.organisation_name, provider.organisation_name, ""]


def test_whoever_answers_reads_the_question_above_the_form(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor
) -> None:
    def texts(actor: Actor, name: str, *args: Any) -> list[str]:
        page = (
            signed_in(actor).get(reverse(f"coordination-case_{name}", args=[case.pk, *args])).context["page"]
        )
        return [row.cells[2] for section in page.sections for row in section.rows]

    url = reverse("coordination-case_act", args=[case.pk, "reply"])
    asked = signed_in(bureau_reviewer).get(url).context["page"].sections[0]
    assert [(str(fact.label), str(fact.value)) for fact in asked.facts] == [
        ("事项", case.subject),
        ("提出单位", provider.organisation_name),
        ("答复期限", "2019-07-08"),
    ]
    shown = [texts(bureau_reviewer, "act", "reply"), texts(bureau_reviewer, "task", "hand_over")]
    fire(case, "reply", actor=bureau_reviewer, reason="按部颁口径")
    shown.append(texts(provider, "act", "reopen"))
    fire(case, "close", actor=provider)
    shown.append(texts(bureau_reviewer, "task", "make_faq"))
    both = ["请明确口径", "按部颁口径"]
    assert shown == [["请明确口径"], ["请明确口径"], both, both]


def test_a_term_stands_while_it_runs_and_nothing_is_barred_once_all_is_over(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor
) -> None:
    def shown() -> tuple[bool, list[str]]:
        page = (
            signed_in(bureau_reviewer)
            .get(reverse("coordination-case_detail", args=[case.pk]))
            .context["page"]
        )
        barred = [action.label for action in page.actions if not action.allowed]
        return "答复期限" in [str(fact.label) for fact in page.facts], barred

    before = shown()
    fire(case, "reply", actor=bureau_reviewer, reason="示例")
    answered = shown()
    fire(case, "close", actor=provider, reason="示例")
    assert (before, answered[0], shown()) == ((True, ["整理为问答"]), False, (False, []))


def test_administrators_of_the_office_are_not_told(unit: PilotUnit, provider: Actor) -> None:
    """Who may not open a case does not read its name in a notice either."""
    officer, administrator = world.ministry(), world.ministry(Role.SYSTEM_ADMIN)
    ministry = Organisation.objects.get(pk=officer.organisation_id)
    coordination.open_case(actor=provider, unit=unit, subject="示例", text="示例", owner=ministry)
    told = Notice.objects.filter(person__in=[officer.person_id, administrator.person_id])
    assert [notice.person_id for notice in told] == [officer.person_id]


def test_an_answer_is_due_in_working_days_and_asking_on_starts_afresh(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor
) -> None:
    assert case.due_at == world.moment("2019-07-09 00:00")  # five working days: Monday 8 July is the last
    assert fire(case, "reply", actor=bureau_reviewer, reason="已答").due_at is None
    world.at("2019-07-03 09:00")
    again = fire(case, "reopen", actor=provider, reason="仍不明确")
    assert again.due_at == world.moment("2019-07-11 00:00")


def test_the_owner_is_reminded_once_and_a_late_case_stands_out(
    case: CoordinationCase, bureau_reviewer: Actor
) -> None:
    owner = Notice.objects.filter(person=bureau_reviewer.person_id, subject__contains="答复期限将至")
    world.at("2019-07-04 09:00")
    deadlines.pass_deadlines()
    assert owner.count() == 0
    world.at("2019-07-05 09:00")
    rule = ProgrammeRule.objects.filter(key="coordination_reminder_days")
    days = rule.values_list("value", flat=True).get()
    rule.update(value=Value(None, JSONField()))  # ended: nobody is reminded
    assert coordination.remind() == 0
    rule.update(value=days)
    deadlines.pass_deadlines()
    deadlines.pass_deadlines()
    assert owner.count() == 1
    client, address = signed_in(bureau_reviewer), reverse("coordination-case_list")
    assert "已逾期" not in client.get(address).content.decode()
    assert client.get(f"{address}?overdue=yes").context["page"].total == 0
    world.at("2019-07-09 00:00")
    deadlines.pass_deadlines()
    assert owner.count() == 1
    assert "2019-07-08 逾期 1 个工作日" in client.get(address).content.decode()
    assert client.get(f"{address}?overdue=yes&category=comparison").context["page"].total == 1
    tiles = {tile.label: tile.value for tile in client.get(reverse("dashboard")).context["page"].tiles}
    assert tiles["逾期协调事项"] == "1"


def test_the_owner_hands_a_matter_over_to_another_side(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    ministry = Organisation.objects.get(pk=ministry_officer.organisation_id)
    own, asker = case.owner, case.opener
    for actor, owner, words in [
        (provider, ministry, "由责任单位转办"),
        (bureau_reviewer, own, "以外的一方"),
        (bureau_reviewer, asker, "以外的一方"),
    ]:
        with pytest.raises(Refused, match=words):
            coordination.hand_over(case=case, actor=actor, owner=owner, reason="示例")
    with pytest.raises(NotPermitted):
        coordination.hand_over(case=case, actor=world.assessor(), owner=ministry, reason="示例")
    done = coordination.hand_over(case=case, actor=bureau_reviewer, owner=ministry, reason="涉及全国口径")
    assert (done.owner, done.due_at, done.state) == (ministry, case.due_at, "open")
    assert done.messages.last().text == f"转由{ministry.name}办理：涉及全国口径"
    entry = AuditEntry.objects.get(action="coordination-case.hand_over", outcome="done")
    assert (entry.person_id, entry.detail) == (
        bureau_reviewer.person_id,
        {"from": own.pk, "to": ministry.pk},
    )
    assert (
        Notice.objects.filter(person=ministry_officer.person_id, subject__contains="转由贵单位").count() == 1
    )
    refused(case, "reply", bureau_reviewer, "由责任单位答复", reason="已不归我")
    fire(case, "reply", actor=ministry_officer, reason="按无法判定处理")
    with pytest.raises(Refused, match="待答复"):
        coordination.hand_over(case=case, actor=ministry_officer, owner=own, reason="示例")


def test_whoever_handed_over_still_sees_the_thread(case: CoordinationCase, ministry_officer: Actor) -> None:
    ministry = Organisation.objects.get(pk=ministry_officer.organisation_id)
    elsewhere = world.bureau(province=11)
    beijing = Organisation.objects.get(pk=elsewhere.organisation_id)
    seen = CoordinationCase.objects.visible_to(elsewhere)
    assert seen.count() == 0
    CoordinationCase.unscoped.filter(pk=case.pk).update(owner=beijing)
    coordination.hand_over(case=case, actor=elsewhere, owner=ministry, reason="示例")
    assert seen.get() == case


def test_a_message_carries_its_files(case: CoordinationCase, bureau_reviewer: Actor) -> None:
    client, address = signed_in(bureau_reviewer), reverse("coordination-case_act", args=[case.pk, "reply"])
    data = {"reason": "见附件", "proofs": [SimpleUploadedFile("口径说明.pdf", pdf("示例"))], "seen": "open"}
    assert client.post(address, data).status_code == 302
    page = client.get(reverse("coordination-case_detail", args=[case.pk]))
    thread = page.context["page"].sections[0]
    file = Document.objects.get(machine="coordination-case")
    assert [[link.label for link in row.cells[3]] for row in thread.rows] == [[], ["口径说明"]]
    assert thread.rows[1].cells[3][0].url == reverse("document", args=[file.pk])
    assert client.get(thread.rows[1].cells[3][0].url).status_code == 200


# --- questions and answers ------------------------------------------------------------------------
def closed(case: CoordinationCase, owner: Actor, asker: Actor) -> CoordinationCase:
    fire(case, "reply", actor=owner, reason="按无法判定处理")
    done: CoordinationCase = fire(case, "close", actor=asker)
    return done


def test_an_answer_becomes_an_entry_that_another_person_publishes(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    words = {"question": "罕见字姓名如何比对", "answer": "按无法判定处理", "category": "comparison"}
    with pytest.raises(Refused, match="办结后"):
        faq.make_faq(case=case, actor=bureau_reviewer, **words)
    closed(case, bureau_reviewer, provider)
    with pytest.raises(NotPermitted):
        faq.make_faq(case=case, actor=provider, **words)
    named = {**words, "answer": f"{case.unit.organisation.name}：按无法判定处理"}
    with pytest.raises(Refused, match=f"请删去名称：{case.unit.organisation.name}$"):
        faq.make_faq(case=case, actor=bureau_reviewer, **named)
    entry = faq.make_faq(case=case, actor=bureau_reviewer, **words)
    with pytest.raises(Refused, match="已整理"):
        faq.make_faq(case=case, actor=bureau_lead, **words)
    refused(entry, "publish", bureau_reviewer, "四眼")
    with pytest.raises(IntegrityError), transaction.atomic():
        FaqEntry.unscoped.filter(pk=entry.pk).update(answer="改写")
    reader = signed_in(provider)
    assert entry.question not in reader.get(reverse("faq")).content.decode()
    refused(entry, "publish", world.bureau(province=11), "起草单位或部机关")
    fire(entry, "publish", actor=bureau_lead)
    page = reader.get(reverse("faq")).content.decode()
    assert entry.question in page
    assert case.unit.organisation.name not in page.split("<main")[1].split("</main>")[0]
    refused(entry, "withdraw", world.bureau(province=11), "起草单位或部机关", reason="口径已变")
    fire(entry, "withdraw", actor=bureau_reviewer, reason="口径已变")
    assert list(faq_selector.published()) == []
    assert faq.obstacle(CoordinationCase.unscoped.get(pk=case.pk)) is None


def test_a_draft_waits_for_its_office_and_the_ministry(
    case: CoordinationCase,
    provider: Actor,
    bureau_reviewer: Actor,
    bureau_lead: Actor,
    ministry_officer: Actor,
) -> None:
    closed(case, bureau_reviewer, provider)
    entry = faq.make_faq(
        case=case, actor=bureau_reviewer, question="示例问题", answer="示例解答", category="comparison"
    )
    readers = [bureau_reviewer, bureau_lead, world.bureau(province=11), ministry_officer]
    waits = [FaqEntry.unscoped.filter(faq_page.waiting(actor)).count() for actor in readers]
    assert waits == [0, 1, 0, 1]
    url = reverse("faq-entry_detail", args=[entry.pk])
    words = f"{bureau_reviewer.organisation_name}另一人或部机关"
    assert signed_in(bureau_lead).get(url).context["page"].waiting_for == words
    fire(entry, "publish", actor=ministry_officer)
    assert signed_in(bureau_lead).get(url).context["page"].waiting_for != words


def test_a_draft_stays_with_its_office_when_the_writer_moves(
    case: CoordinationCase, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    closed(case, bureau_reviewer, provider)
    entry = faq.make_faq(
        case=case, actor=bureau_reviewer, question="示例问题", answer="示例解答", category="comparison"
    )
    elsewhere = world.bureau(province=11)
    Membership.objects.filter(person=bureau_reviewer.person_id).update(valid_until=clock.now())
    Membership.objects.create(
        person_id=bureau_reviewer.person_id,
        organisation_id=elsewhere.organisation_id,
        role=Role.BUREAU_REVIEWER,
        valid_from=clock.now(),
    )
    waits = [FaqEntry.unscoped.filter(faq_page.waiting(actor)).count() for actor in (elsewhere, bureau_lead)]
    assert waits == [0, 1]
    assert faq_page.awaits(entry, bureau_lead) == f"{bureau_reviewer.organisation_name}另一人或部机关"
    refused(entry, "publish", elsewhere, "起草单位或部机关")
    assert fire(entry, "publish", actor=bureau_lead).state == "published"


def test_a_provider_with_one_unit_is_asked_neither_which_nor_whom(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    page = signed_in(provider).get(reverse("coordination-case_create")).context["page"]
    assert [field.name for field in page.form.hidden_fields()] == ["unit"]
    assert (page.form["unit"].value(), page.form["owner"].value()) == (
        unit.pk,
        bureau_reviewer.organisation_id,
    )
    assert page.form["owner"].help_text == "自提出次日起 5 个工作日内答复"


@pytest.fixture
def publish(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> Callable[[str, str, str], FaqEntry]:
    """Publishes an entry of a question, an answer and a category."""
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)

    def made(question: str, answer: str, category: str) -> FaqEntry:
        case = coordination.open_case(
            actor=provider, unit=unit, subject=question, text="示例", owner=bureau, category=category
        )
        closed(case, bureau_reviewer, provider)
        entry = faq.make_faq(
            case=case, actor=bureau_reviewer, question=question, answer=answer, category=category
        )
        done: FaqEntry = fire(entry, "publish", actor=bureau_lead)
        return done

    return made


def test_entries_are_found_by_words_category_and_likeness(publish: Any, provider: Actor) -> None:
    rare = publish("罕见字姓名比对不一致如何处理", "按无法判定处理，不计入", "comparison")
    slow = publish("权威库接口夜间超时", "稍后自动重试", "interface")
    assert list(faq_selector.search("处理 不计入")) == [rare]
    assert list(faq_selector.search("自动重试")) == [slow]
    assert list(faq_selector.search("", "interface")) == [slow]
    assert list(faq_selector.search("100%")) == []
    assert faq_selector.similar("夜间权威库接口总是超时怎么办") == [slow]
    assert faq_selector.similar("姓名有罕见字，比对不一致") == [rare]
    assert faq_selector.similar("") == []
    client = signed_in(provider)
    page = client.get(reverse("coordination-case_create"), {"subject": "接口超时"})
    assert page.context["page"].form.similar == [slow]
    part = client.get(reverse("faq"), {"similar": "罕见字姓名"}).content.decode()
    assert (rare.question in part, slow.question in part, "<html" in part) == (True, False, False)
    found = client.get(reverse("faq"), {"q": "接口", "category": "interface"}).context["page"]
    assert (found.total, list(found.entries)) == (1, [slow])


def test_the_page_of_entries_asks_as_much_for_three_as_for_one(publish: Any, provider: Actor) -> None:
    client = signed_in(provider)
    publish("问题一", "解答", "other")
    queries(client, reverse("faq"))  # fills per-process caches
    one = queries(client, reverse("faq"))
    for number in ("二", "三"):
        publish(f"问题{number}", "解答", "other")
    assert client.get(reverse("faq")).context["page"].total == 3
    assert queries(client, reverse("faq")) == one
