"""Withdrawal, what is set from above, and a refusal undone by an objection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from applications import signals
from applications.services import claims
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.models import Notice
from pilot.services import objections
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

PATHS: dict[str, list[str]] = {
    "draft": [],
    "submitted": ["submit"],
    "returned": ["submit", "return_for_correction"],
    "accepted": ["submit", "accept"],
    "recommended": ["submit", "accept", "recommend"],
    "not_recommended": ["submit", "accept", "disrecommend"],
    "reported": ["submit", "accept", "recommend", "report"],
}


def walk(provider: Actor, reviewer: Actor, names: list[str]) -> Any:
    """An application led through transitions from the draft on."""
    case: Any = builders.drafted(provider)
    data: dict[str, Any] = {
        "submit": {"actor": provider, "declaration": True},
        "accept": {"actor": reviewer},
        "return_for_correction": {"actor": reviewer, "items": builders.ITEMS},
    }
    for name in names:
        case = fire(case, name, **data.get(name, {"actor": builders.system()}))
    return case


@pytest.fixture
def obstacle() -> Iterator[None]:
    """An app above that knows of a prepared list."""

    def on_prepared_list(application: Any) -> str:
        return "该申请已列入待批准的试点单位名单，不能撤回"

    signals.withdrawal_obstacle(on_prepared_list)
    yield
    signals._withdrawal_obstacles.remove(on_prepared_list)


@pytest.mark.parametrize("state", PATHS)
def test_withdrawal_is_free_from_every_living_state(
    provider: Actor, bureau_reviewer: Actor, state: str
) -> None:
    case = walk(provider, bureau_reviewer, PATHS[state])
    assert case.state == state
    told = Notice.objects.count()
    case = fire(case, "withdraw", actor=provider, reason="示例")
    assert (case.state, case.due_at) == ("withdrawn", None)
    # Nobody knew of the draft; later the reviewer has it on the desk.
    assert Notice.objects.count() - told == (0 if state == "draft" else 1)


def test_the_ministry_hears_of_a_withdrawal_once_it_was_reported(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = walk(provider, bureau_reviewer, PATHS["reported"])
    fire(case, "withdraw", actor=provider, reason="示例")
    told = Notice.objects.filter(subject__endswith="撤回申请").values_list("person", flat=True)
    assert sorted(told) == sorted([bureau_reviewer.person_id, ministry_officer.person_id])


@pytest.mark.parametrize("begun", ["claim", "accept", "answer"])
def test_once_the_bureau_is_at_work_a_withdrawal_takes_a_reason(
    provider: Actor, bureau_reviewer: Actor, begun: str
) -> None:
    """P13: free until then, asked afterwards; in words at the button, in the form and by the law itself."""
    case = builders.submitted(provider)
    client = builders.client_of(provider)
    page, form = f"/applications/{case.pk}/progress/", f"/cases/application/{case.pk}/do/withdraw/"
    assert client.get(page).context["page"].withdraw_note == "通信管理局开始审核之前，撤回无须说明理由"
    assert client.get(form).context["page"].form.fields["reason"].required is False
    match begun:
        case "claim":
            claims.claim(case=case, actor=bureau_reviewer)
        case "accept":
            case = fire(case, "accept", actor=bureau_reviewer)
        case "answer":
            case = fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
            builders.corrected(case, provider)
            case = fire(case, "resubmit", actor=provider, declaration=True)
    assert client.get(page).context["page"].withdraw_note == "通信管理局已开始审核，撤回须说明理由"
    assert client.get(form).context["page"].form.fields["reason"].required is True
    with pytest.raises(Refused) as refusal:
        fire(case, "withdraw", actor=provider)
    assert str(refusal.value) == "通信管理局已开始审核，撤回须说明理由"
    assert fire(case, "withdraw", actor=provider, reason="示例").state == "withdrawn"


def test_only_the_provider_withdraws(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "withdraw", actor=world.provider())
    assert str(refusal.value) == "只能办理本单位的申请"
    with pytest.raises(NotPermitted):
        fire(case, "withdraw", actor=bureau_reviewer)


@pytest.mark.usefixtures("obstacle")
def test_withdrawal_ends_where_an_app_above_says_so(provider: Actor) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "withdraw", actor=provider, reason="示例")
    assert str(refusal.value) == "该申请已列入待批准的试点单位名单，不能撤回"


@pytest.mark.parametrize(
    ("names", "state", "told"),
    [
        (["recommend"], "recommended", 0),
        (["disrecommend"], "not_recommended", 0),
        (["recommend", "reopen"], "accepted", 0),
        (["disrecommend", "reopen"], "accepted", 0),
        (["recommend", "report"], "reported", 1),
        (["disrecommend", "report"], "reported", 1),
        (["recommend", "report", "admit"], "listed", 2),
        (["recommend", "report", "decline"], "not_listed", 2),
        (["recommend", "report", "decline", "admit"], "listed", 3),
    ],
)
def test_what_is_set_from_above(
    provider: Actor, bureau_reviewer: Actor, names: list[str], state: str, told: int
) -> None:
    case = builders.accepted(provider, bureau_reviewer)
    before = Notice.objects.filter(person=provider.person_id).count()
    for name in names:
        case = fire(case, name, actor=bureau_reviewer.downward())
    assert case.state == state
    assert Notice.objects.filter(person=provider.person_id).count() - before == told


@pytest.mark.parametrize("name", ["recommend", "disrecommend"])
def test_nobody_sets_it_by_hand(provider: Actor, bureau_lead: Actor, name: str) -> None:
    case = builders.accepted(provider, bureau_lead)
    with pytest.raises(NotPermitted):
        fire(case, name, actor=bureau_lead)


# --- objection --------------------------------------------------------------------------------------
def test_an_upheld_objection_reinstates_with_a_fresh_clock(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.refused(provider, bureau_reviewer)
    objection = objections.file_objection(
        actor=provider, machine="application", object_id=case.pk, grounds="授权已附"
    )
    objection = fire(objection, "take", actor=ministry_officer)
    at = world.moment("2019-04-23 10:00")
    fire(objection, "uphold", actor=ministry_officer, at=at, reason="授权文件在附件第3页")
    case.refresh_from_db()
    assert (case.state, case.due_at) == ("submitted", world.moment("2019-04-30 00:00"))
    assert fire(case, "accept", actor=bureau_reviewer, at=at).state == "accepted"


def test_a_dismissed_objection_leaves_the_refusal(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.refused(provider, bureau_reviewer)
    objection = objections.file_objection(
        actor=provider, machine="application", object_id=case.pk, grounds="授权已附"
    )
    objection = fire(objection, "take", actor=ministry_officer)
    fire(objection, "dismiss", actor=ministry_officer, reason="未见授权文件")
    case.refresh_from_db()
    assert case.state == "refused"


def test_a_refused_application_does_not_come_back_over_a_new_one(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.refused(provider, bureau_reviewer)
    objection = objections.file_objection(
        actor=provider, machine="application", object_id=case.pk, grounds="授权已附"
    )
    objection = fire(objection, "take", actor=ministry_officer)
    builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(objection, "uphold", actor=ministry_officer, reason="成立")
    assert str(refusal.value) == "该单位已有在办申请（SQ2019-44-00002）"
    objection.refresh_from_db()
    assert objection.state == "under_review"
