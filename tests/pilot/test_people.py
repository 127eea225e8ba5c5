"""Registration of providers, role changes by two people, who acts as whom."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from pilot import clock, workflow
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import NotPermitted, Refused
from pilot.models import Membership, Organisation, Person, ProviderRegistration, RoleChange
from pilot.selectors import people as selectors
from pilot.services import accounts, people
from tests.factories import world

CODE = world.uscc(777)


def request(**changes: object) -> ProviderRegistration:
    fields = {
        "name": "示例登记有限公司",
        "uscc": CODE,
        "province": Province.GUANGDONG,
        "contact": "示例联系人",
        "email": "a@example.cn",
        "phone": "020-00000001",
    }
    return people.request_registration(actor=world.SETUP, **{**fields, **changes})  # type: ignore[arg-type]


def test_a_confirmed_registration_makes_organisation_person_and_membership(bureau_reviewer: Actor) -> None:
    workflow.fire(request(), "confirm", actor=bureau_reviewer)
    organisation = Organisation.objects.get(uscc=CODE)
    membership = Membership.objects.get(organisation=organisation)
    assert (membership.role, membership.person.name) == (Role.PROVIDER_ADMIN, "示例联系人")
    assert membership.person.has_usable_password() is False


def test_only_the_bureau_of_the_province_confirms(programme: object) -> None:
    with pytest.raises(Refused, match="只能办理本省的事项"):
        workflow.fire(request(), "confirm", actor=world.bureau(province=Province.BEIJING))


def test_a_provider_registered_meanwhile_is_not_made_twice(bureau_reviewer: Actor) -> None:
    asked = request()
    people.add_organisation(
        actor=world.SETUP, kind="provider", name="示例", province=Province.GUANGDONG, uscc=CODE, phone=""
    )
    with pytest.raises(Refused, match="该统一社会信用代码已登记"):
        workflow.fire(asked, "confirm", actor=bureau_reviewer)
    assert Organisation.objects.filter(uscc=CODE).count() == 1


def test_a_rejection_needs_a_reason(bureau_reviewer: Actor) -> None:
    with pytest.raises(Refused, match="请填写理由"):
        workflow.fire(request(), "reject", actor=bureau_reviewer)


@pytest.mark.parametrize(
    ("code", "words"),
    [("91440000000007770A", "统一社会信用代码不正确，请核对"), ("", "统一社会信用代码不正确，请核对")],
)
def test_a_wrong_code_is_refused(programme: object, code: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        request(uscc=code)


def test_one_request_at_a_time_and_none_for_a_known_provider(
    programme: object, bureau_reviewer: Actor
) -> None:
    first = request()
    with pytest.raises(Refused, match="正在由通信管理局确认"):
        request()
    workflow.fire(first, "confirm", actor=bureau_reviewer)
    with pytest.raises(Refused, match="该单位已登记"):
        request()


@pytest.fixture
def change(ministry_officer: Actor) -> RoleChange:
    person = Person.objects.get(pk=ministry_officer.person_id)
    return people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=person,
        organisation=Organisation.objects.get(pk=ministry_officer.organisation_id),
        role=Role.MINISTRY_APPROVER,
        grant=True,
        reason="示例",
    )


def test_a_role_change_takes_effect_when_another_administrator_approves(change: RoleChange) -> None:
    workflow.fire(change, "approve", actor=world.ministry(Role.SECURITY_ADMIN))
    roles = set(selectors.memberships(change.person).values_list("role", flat=True))
    assert roles == {Role.MINISTRY_OFFICER, Role.MINISTRY_APPROVER}


def test_a_revoked_role_ends_at_once(change: RoleChange, ministry_officer: Actor) -> None:
    revoke = people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=change.person,
        organisation=change.organisation,
        role=Role.MINISTRY_OFFICER,
        grant=False,
        reason="示例",
    )
    workflow.fire(revoke, "approve", actor=world.ministry(Role.SECURITY_ADMIN))
    assert selectors.actor_of(change.person) is None


def test_the_last_administrator_of_a_kind_stays(programme: Any) -> None:
    auditor, asking, approving = (
        world.ministry(role) for role in (Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
    )
    person = Person.objects.get(pk=auditor.person_id)
    revoke = people.request_role_change(
        actor=asking, person=person, organisation=Organisation.objects.get(pk=auditor.organisation_id),
        role=Role.AUDIT_ADMIN, grant=False, reason="示例",
    )  # fmt: skip
    with pytest.raises(Refused, match="唯一的审计管理员"):
        workflow.fire(revoke, "approve", actor=approving)
    with pytest.raises(Refused, match="唯一的审计管理员"):
        accounts.disable(actor=approving, person=person, reason="示例")
    world.ministry(Role.AUDIT_ADMIN)
    workflow.fire(RoleChange.unscoped.get(pk=revoke.pk), "approve", actor=approving)
    assert selectors.actor_of(person) is None


def _take_away(how: str, actor: Actor, from_: Actor) -> None:
    """Take an administrator's account or role away, as another administrator or the timetable does."""
    person = Person.objects.get(pk=from_.person_id)
    if how == "role":
        organisation = Organisation.objects.get(pk=from_.organisation_id)
        with transaction.atomic():
            people.end_role(person=person, organisation=organisation, role=from_.role, at=clock.now())
    elif how == "account":
        accounts.disable(actor=actor, person=person, reason="示例")
    else:
        long_ago = clock.security_now() - timedelta(days=200)
        Person.objects.filter(pk=from_.person_id).update(active_since=long_ago)
        accounts.disable_dormant()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ways", [("account", "account"), ("role", "dormancy"), ("dormancy", "role")])
def test_two_administrators_who_take_each_other_away_do_not_both_go(ways: tuple[str, str]) -> None:
    world.install()
    one, two = (world.ministry(Role.SYSTEM_ADMIN) for _ in range(2))
    ended: list[str] = []

    def meanwhile() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            _take_away(ways[1], two, from_=one)
            ended.append("done")
        except OperationalError:
            ended.append("waits")
        finally:
            connection.close()

    with transaction.atomic():
        _take_away(ways[0], one, from_=two)
        other = Thread(target=meanwhile)
        other.start()
        other.join(timeout=60)
    assert ended == ["waits"]
    with nullcontext() if ways[1] == "dormancy" else pytest.raises(Refused, match="唯一的系统管理员"):
        _take_away(ways[1], two, from_=one)
    left = selectors.in_force().filter(role=Role.SYSTEM_ADMIN).values_list("person", flat=True)
    assert list(left) == [one.person_id]


def test_a_role_that_is_not_held_is_not_taken(change: RoleChange, ministry_officer: Actor) -> None:
    def ask(role: str) -> RoleChange:
        return people.request_role_change(
            actor=world.ministry(Role.SYSTEM_ADMIN), person=Person.objects.get(pk=ministry_officer.person_id),
            organisation=change.organisation, role=role, grant=False, reason="示例",
        )  # fmt: skip

    with pytest.raises(Refused, match="该人员没有此角色"):
        ask(Role.MINISTRY_APPROVER)
    asked = [ask(Role.MINISTRY_OFFICER) for _twice in range(2)]
    approver = world.ministry(Role.SECURITY_ADMIN)
    workflow.fire(asked[0], "approve", actor=approver)
    with pytest.raises(Refused, match="该人员没有此角色"):
        workflow.fire(asked[1], "approve", actor=approver)


def test_nobody_approves_an_own_request(change: RoleChange) -> None:
    requester = Actor(role=Role.SYSTEM_ADMIN, person_id=change.requested_by_id)
    with pytest.raises(Refused, match="四眼原则"):
        workflow.fire(change, "approve", actor=requester)
    with pytest.raises(IntegrityError, match="role_change_four_eyes"), transaction.atomic():
        RoleChange.unscoped.filter(pk=change.pk).update(approved_by=change.requested_by_id)


def test_a_role_must_fit_the_organisation(provider: Actor) -> None:
    with pytest.raises(Refused, match="该角色不适用于此类单位"):
        people.add_person(
            actor=world.SETUP,
            username="x",
            name="x",
            password=world.PASSWORD,
            organisation=Organisation.objects.get(pk=provider.organisation_id),
            role=Role.BUREAU_LEAD,
            valid_from=clock.now(),
        )


def test_a_membership_outside_its_dates_gives_no_role(provider: Actor) -> None:
    Membership.objects.filter(pk=provider.membership_id).update(
        valid_until=clock.now() - timedelta(seconds=1)
    )
    assert selectors.actor_of(Person.objects.get(pk=provider.person_id)) is None


def test_administrators_touch_no_case(programme: object) -> None:
    with pytest.raises(NotPermitted):
        workflow.fire(request(), "confirm", actor=world.ministry(Role.SYSTEM_ADMIN))
