"""Whoever works for an applicant, or ever did, has no say in its case (R09)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from applications.models import Application
from applications.services import claims, review
from applications.services.review import Given
from pilot import clock, workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Membership, Organisation, Person
from pilot.services import people
from pilot.workflow import fire
from tests.applications import builders
from tests.assessment import builders as opinions
from tests.factories import world

BARRED = "在申请单位任职或曾任职，应予回避"


def tie(actor: Actor, organisation: int, *, over: bool) -> Actor:
    """The person also works for an organisation, or did until now."""
    person = Person.objects.get(pk=actor.acting_person)
    firm = Organisation.objects.get(pk=organisation)
    start = world.moment("2019-01-01 00:00")
    member = people.grant_role(person=person, organisation=firm, role=Role.PROVIDER_OPERATOR, at=start)
    if over:
        Membership.objects.filter(pk=member.pk).update(valid_until=clock.now())
    return actor


def allowed(case: Any, actor: Actor) -> dict[str, bool]:
    return {action.name: action.allowed for action in workflow.available_actions(case, actor)}


@pytest.mark.parametrize(("role", "over"), [(Role.BUREAU_REVIEWER, True), (Role.BUREAU_LEAD, False)])
def test_a_tie_bars_every_word_on_the_case_and_no_other(
    provider: Actor, bureau_reviewer: Actor, role: str, over: bool
) -> None:
    case, other = builders.submitted(provider), builders.submitted(world.provider())
    tied, free = tie(world.bureau(role), case.provider_id, over=over), world.bureau(role)
    words: dict[str, dict[str, Any]] = {
        "accept": {},
        "return_for_correction": {"items": builders.ITEMS},
        "refuse": {"condition": 1, "reason": "示例"},
    }
    assert allowed(case, tied) == dict.fromkeys(words, False)
    assert allowed(other, tied) == allowed(case, free) == dict.fromkeys(words, True)
    acts: list[Callable[[], Any]] = [
        *(partial(fire, case, name, actor=tied, **data) for name, data in words.items()),
        partial(claims.claim, case=case, actor=tied),
        partial(review.mark, case=case, actor=tied, version=1, given=[Given("product", "met")]),
    ]
    for act in acts:
        with pytest.raises(Refused, match=BARRED):
            act()
    page = builders.client_of(tied).get(reverse("application_review", args=[case.pk])).content.decode()
    assert (page.count('value="claim"'), page.count(f"<p>{BARRED}")) == (0, 1)
    assert claims.claim(case=other, actor=tied).person_id == tied.person_id
    assert Application.unscoped.get(pk=case.pk).state == "submitted"


def test_nor_in_the_opinion(provider: Actor) -> None:
    staff = opinions.desk()
    case = builders.accepted(provider, staff.reviewer)
    opinion = opinions.opinion_of(case)
    tied = tie(world.bureau(), case.provider_id, over=True)
    with pytest.raises(Refused, match=BARRED):
        fire(opinion, "draft", actor=tied, checklist=opinions.MET, remark="示例")
    opinions.drafted(case, staff)
    lead = tie(world.bureau(Role.BUREAU_LEAD), case.provider_id, over=False)
    assert allowed(opinions.opinion_of(case), lead) == {"sign": False, "send_back": False}
    assert allowed(opinions.opinion_of(case), staff.lead) == {"sign": True, "send_back": True}
