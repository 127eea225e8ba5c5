"""One desk at a time: claiming, releasing, stale desks, and fifty reviewers at once (R05)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import localtime

from applications.models import Application, Claim
from applications.selectors import review as selector
from applications.services import claims
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry
from pilot.selectors import people
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.test_races import at_once
from tests.factories import world


@pytest.fixture
def case(provider: Actor) -> Application:
    return builders.submitted(provider)


def grow_stale(case: Application) -> None:
    Claim.unscoped.filter(application=case).update(
        seen_at=clock.security_now() - selector.STALE - timedelta(seconds=1)
    )


def test_a_claimed_case_is_named_to_others_and_closed_to_their_word(case: Application) -> None:
    mine = world.person(people.bureau_of(Province.GUANGDONG), Role.BUREAU_REVIEWER, name="王示例")
    other = world.bureau()
    claim = claims.claim(case=case, actor=mine)
    since = localtime(clock.business(claim.claimed_at)).strftime("%H:%M")
    assert selector.on_another_desk(case, other) == f"王*例 正在审核 {since}"
    assert selector.on_another_desk(case, mine) is None
    with pytest.raises(Refused, match="正在审核"):
        claims.claim(case=case, actor=other)
    for name, data in {
        "accept": {},
        "return_for_correction": {"items": builders.ITEMS},
        "refuse": {"condition": 1, "reason": "示例"},
    }.items():
        with pytest.raises(Refused, match="正在审核"):
            fire(case, name, actor=other, **data)
    assert fire(case, "accept", actor=mine).state == "accepted"


def test_claiming_again_is_a_sign_of_life(case: Application, bureau_reviewer: Actor) -> None:
    first = claims.claim(case=case, actor=bureau_reviewer)
    grow_stale(case)
    again = claims.claim(case=case, actor=bureau_reviewer)
    assert (again.pk, again.claimed_at) == (first.pk, first.claimed_at)
    assert selector.claim_of(case) == again
    assert AuditEntry.objects.filter(action="application.claim").count() == 1


def test_a_desk_without_a_sign_of_life_is_free_and_a_touch_keeps_it(
    case: Application, bureau_reviewer: Actor
) -> None:
    other = world.bureau()
    claims.claim(case=case, actor=bureau_reviewer)
    grow_stale(case)
    assert selector.on_another_desk(case, other) is None
    claims.touch(case=case, actor=other)
    assert selector.claim_of(case) is None
    claims.touch(case=case, actor=bureau_reviewer)
    with pytest.raises(Refused):
        claims.claim(case=case, actor=other)
    grow_stale(case)
    assert claims.claim(case=case, actor=other).person_id == other.person_id
    assert Claim.unscoped.count() == 1


def test_it_is_put_back_by_its_holder_or_by_the_lead(
    case: Application, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    claims.release(case=case, actor=bureau_reviewer)
    claims.claim(case=case, actor=bureau_reviewer)
    with pytest.raises(Refused, match="须由其本人或省局负责人释放"):
        claims.release(case=case, actor=world.bureau())
    claims.release(case=case, actor=bureau_lead)
    assert Claim.unscoped.count() == 0
    claims.claim(case=case, actor=bureau_reviewer)
    claims.release(case=case, actor=bureau_reviewer)
    assert Claim.unscoped.count() == 0
    assert AuditEntry.objects.filter(action="application.release").count() == 2


def test_only_what_waits_for_the_bureau_is_claimed_and_only_by_its_people(
    case: Application, provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    for actor in (provider, ministry_officer, world.bureau(province=Province.ZHEJIANG)):
        with pytest.raises(NotPermitted):
            claims.claim(case=case, actor=actor)
    rows = AuditEntry.objects.filter(action="application.claim", outcome="denied").order_by("pk")
    assert [(row.role, row.object_id, row.detail) for row in rows] == [
        (role, str(case.pk), {"code": "permission"})
        for role in (Role.PROVIDER_ADMIN, Role.MINISTRY_OFFICER, Role.BUREAU_REVIEWER)
    ]
    fire(case, "accept", actor=bureau_reviewer)
    with pytest.raises(Refused, match="只有待受理"):
        claims.claim(case=case, actor=bureau_reviewer)


@pytest.mark.django_db(transaction=True)
def test_of_fifty_reviewers_exactly_one_gets_it() -> None:
    world.install()
    case = builders.submitted(world.provider())
    reviewers = [world.bureau() for _ in range(50)]
    jobs = [lambda actor=actor: claims.claim(case=case, actor=actor) for actor in reviewers]
    assert at_once(jobs) == {"done": 1, "condition": 49}
    assert AuditEntry.objects.filter(action="application.claim").count() == Claim.unscoped.count() == 1
