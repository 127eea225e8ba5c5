"""What pages offer, and what they say instead where there is nothing to offer; what a decision rests on."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import reverse

from applications.enums import Mark
from applications.models import Application, LateAdmission
from applications.selectors import review
from applications.services.drafts import start_application
from applications.services.late_admissions import propose_late_admission
from applications.services.review import Given, mark
from pilot.actors import Actor
from pilot.models import Organisation, Programme
from pilot.ui import Link, Tag
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world


def page_of(actor: Actor, name: str, *args: Any) -> Any:
    response = builders.client_of(actor).get(reverse(name, args=args))
    assert response.status_code == 200
    return response.context["page"]


def facts_of(actor: Actor, name: str, *args: Any) -> dict[str, Any]:
    return {fact.label: fact.value for fact in page_of(actor, name, *args).facts}


# --- the list -----------------------------------------------------------------------------------------
def test_only_what_waits_for_the_bureau_can_be_ticked_and_examined(bureau_reviewer: Actor) -> None:
    decided = builders.accepted(world.provider(), bureau_reviewer)
    page = page_of(bureau_reviewer, "application_list")
    assert [(row.key, row.cells[-1].label) for row in page.rows] == [("", "查看")]
    assert page.batch is None
    waiting = builders.submitted(world.provider())
    page = page_of(bureau_reviewer, "application_list")
    assert [(row.key, row.cells[-1].label) for row in page.rows] == [(str(waiting.pk), "审核"), ("", "查看")]
    assert page.batch.total == 1  # "all" means those that can be ticked, on whatever page they are
    words = {
        case.pk: page_of(bureau_reviewer, "application_detail", case.pk).related[0].label
        for case in (waiting, decided)
    }
    assert words == {waiting.pk: "审核", decided.pk: "查看审核"}


def test_an_application_is_offered_only_while_one_can_be_begun(provider: Actor) -> None:
    page = page_of(provider, "application_list")
    assert ([link.label for link in page.toolbar], page.intro) == (["提出申请"], "")
    start_application(actor=provider)
    page = page_of(provider, "application_list")
    assert (page.toolbar, page.intro) == ([], "贵单位已有在办申请（未提交），每个单位同时只能有一件")
    world.at("2019-04-18 09:00")
    page = page_of(world.provider(), "application_list")
    assert (page.toolbar, page.intro) == (
        [],
        "申请阶段已结束；确有特殊原因的，请联系注册地通信管理局申请逾期准入",
    )


# --- the provider's own case --------------------------------------------------------------------------
def words_of_withdrawal(case: Application, provider: Actor) -> tuple[str, str, str, str]:
    labels = {a.name: a.label for a in page_of(provider, "application_detail", case.pk).actions}
    act = page_of(provider, "application_act", case.pk, "withdraw")
    progress = page_of(provider, "application_progress", case.pk)
    assert progress.withdraw.label == act.title
    return labels["withdraw"], act.title, act.effect, progress.withdraw_note


def test_a_draft_is_given_up_and_an_application_withdrawn(provider: Actor) -> None:
    case = builders.drafted(provider)
    assert words_of_withdrawal(case, provider) == (
        "放弃草稿",
        "放弃草稿",
        "草稿作废，通信管理局不会看到；申请阶段内可以另行提出申请",
        "",
    )
    fire(case, "submit", actor=provider, declaration=True)
    assert words_of_withdrawal(case, provider) == (
        "撤回申请",
        "撤回申请",
        "本申请终止；申请阶段内可以另行提出申请",
        "通信管理局开始审核之前，撤回无须说明理由",
    )


def test_what_was_done_to_a_draft_is_said_in_the_words_of_the_button(provider: Actor) -> None:
    case = start_application(actor=provider)
    address = reverse("application_act", args=[case.pk, "withdraw"])
    answer = builders.client_of(provider).post(address, {"seen": "draft"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["已办理：放弃草稿"]
    timeline = page_of(provider, "application_detail", case.pk).timeline
    assert [entry.title for entry in timeline] == ["放弃草稿", "建立"]


def test_a_provider_with_nothing_to_do_is_told_so(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    page = page_of(provider, "application_detail", case.pk)
    first = page.actions[0]
    assert (first.label, first.primary, page.sections[0].title) == (
        "填写申请",
        True,
        "提交前检查",
    )
    fire(case, "submit", actor=provider, declaration=True)
    page = page_of(provider, "application_detail", case.pk)
    assert [(a.label, a.primary) for a in page.actions] == [("办理进度", False), ("撤回申请", False)]
    assert (page.sections[0].title, page.sections[0].texts) == ("待办", ["当前没有需要您办理的事项。"])
    assert page_of(bureau_reviewer, "application_detail", case.pk).sections[0].title != "待办"


# --- facts --------------------------------------------------------------------------------------------
def test_a_refusal_is_among_the_first_facts_until_it_is_taken_back(
    provider: Actor, bureau_reviewer: Actor, programme: Programme
) -> None:
    case = builders.refused(provider, bureau_reviewer)
    (fact,) = [
        f for f in page_of(provider, "application_detail", case.pk).facts if f.label == "不予受理的理由"
    ]
    assert (fact.value, fact.hint) == ("未提供权威库比对授权", "二（三）")
    fire(case, "revert", actor=bureau_reviewer)
    facts = facts_of(provider, "application_detail", case.pk)
    assert ("不予受理的理由" in facts, facts["试点项目"]) == (False, programme.heading)


def test_a_late_application_and_its_admission_lead_to_each_other(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor, bureau_reviewer: Actor
) -> None:
    world.at("2019-04-18 09:00")
    admission: LateAdmission = propose_late_admission(
        actor=ministry_officer,
        provider=Organisation.objects.get(pk=provider.organisation_id),
        until=world.moment("2019-04-25 00:00"),
        reason="示例：自然灾害",
    )
    fire(admission, "approve", actor=ministry_approver)
    assert facts_of(bureau_reviewer, "late-admission_detail", admission.pk)["据此提交的申请"] is None
    case = builders.submitted(provider)
    there = reverse("late-admission_detail", args=[admission.pk])
    back = reverse("application_detail", args=[case.pk])
    for reader in (provider, bureau_reviewer, ministry_officer):
        assert facts_of(reader, "application_detail", case.pk)["逾期准入"] == Link(
            f"是（{admission.number}）", there
        )
        assert facts_of(reader, "late-admission_detail", admission.pk)["据此提交的申请"] == Link(
            case.number, back
        )


# --- before the bureau's word -------------------------------------------------------------------------
ACTS = ("accept", "return_for_correction", "refuse")


def test_a_decision_shows_the_clock_and_how_far_the_checklist_is(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.submitted(provider)
    desk = reverse("application_review", args=[case.pk])
    warning = Tag("审核清单尚未审完，请先核对材料", "warning")
    every = len(review.items(case))
    for name in ACTS:
        (section,) = page_of(bureau_reviewer, "application_act", case.pk, name).sections
        assert {fact.label: (fact.value, fact.hint) for fact in section.facts} == {
            "受理期限": (date(2019, 4, 19), "还有 5 个工作日"),
            "审核清单": ([Link(f"已审 0 项，未审 {every} 项", desk), warning], ""),
            "不符合的项目": ("无", ""),
            "误操作": ("办理后 30 秒内本人可撤销", ""),
        }
    first, *others = review.items(case)
    given = [Given(item.key, Mark.MET) for item in others]
    mark(case=case, actor=bureau_reviewer, version=1, given=[Given(first.key, Mark.NOT_MET), *given])
    (section,) = page_of(bureau_reviewer, "application_act", case.pk, "refuse").sections
    facts = {fact.label: fact.value for fact in section.facts}
    assert facts["审核清单"] == [Link(f"已审 {every} 项，未审 0 项", desk)]
    assert facts["不符合的项目"] == [str(first.words)]


def test_a_decision_says_that_the_time_is_over_and_that_it_cannot_be_taken_back(
    provider: Actor, bureau_reviewer: Actor, programme: Programme
) -> None:
    case = builders.submitted(provider)
    programme.rules.filter(key="revert_seconds").update(value=0)
    world.at("2019-04-22 09:00")
    (section,) = page_of(bureau_reviewer, "application_act", case.pk, "refuse").sections
    found = [(fact.value, fact.hint) for fact in section.facts]
    assert (found[0], found[-1]) == ((date(2019, 4, 19), "已逾期"), ("办理后不能撤销", ""))
