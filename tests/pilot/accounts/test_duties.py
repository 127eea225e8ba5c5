"""三员分立: system, security and audit administration exclude one another and all work on cases."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pilot import clock, policy
from pilot.enums import ADMIN_ROLES, OrganisationKind, Role
from pilot.errors import Refused
from pilot.machines import MACHINES
from pilot.models import Membership, Organisation, RoleChange
from pilot.services import people
from tests.factories import world
from tests.pilot.accounts.helpers import approve, person_of

ADMINS = sorted(ADMIN_ROLES)


def test_no_administrator_may_do_anything_to_a_case() -> None:
    acts = {act for act, roles in policy.acts().items() if roles & ADMIN_ROLES}
    assert acts == {"role-change.approve", "role-change.reject"}
    seen = {
        slug for slug in MACHINES if policy.pages()[f"{slug}_detail"] & ADMIN_ROLES and slug != "role-change"
    }
    assert seen == set()


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        *combinations(ADMINS, 2),
        *((admin, Role.MINISTRY_APPROVER) for admin in ADMINS),
        (Role.MINISTRY_OFFICER, Role.AUDIT_ADMIN),
    ],
)
def test_duties_exclude_one_another(programme: Any, held: str, wanted: str) -> None:
    person = person_of(world.ministry(held))
    ministry = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    change = people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=person,
        organisation=ministry,
        role=wanted,
        grant=True,
        reason="示例",
    )
    with pytest.raises(Refused, match="三员分立"):
        approve(change)
    assert RoleChange.unscoped.get(pk=change.pk).state == "requested"
    with pytest.raises(IntegrityError, match="duties_apart"), transaction.atomic():
        Membership.objects.create(person=person, organisation=ministry, role=wanted, valid_from=clock.now())


def test_a_duty_that_has_ended_bars_nothing(programme: Any) -> None:
    officer = world.ministry()
    Membership.objects.filter(pk=officer.membership_id).update(valid_until=clock.now())
    ministry = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    granted = people.grant_role(
        person=person_of(officer), organisation=ministry, role=Role.AUDIT_ADMIN, at=clock.now()
    )
    assert granted.role == Role.AUDIT_ADMIN
    with pytest.raises(Refused, match="该人员已有此角色"):
        people.grant_role(
            person=person_of(officer), organisation=ministry, role=Role.AUDIT_ADMIN, at=clock.now()
        )


def test_nobody_asks_for_or_approves_an_own_role(programme: Any) -> None:
    ministry = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    first, second = (world.ministry(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN))
    wanted: Any = {"organisation": ministry, "role": Role.SYSTEM_ADMIN, "grant": False, "reason": "示例"}
    with pytest.raises(Refused, match="不能申请变更自己的角色"):
        people.request_role_change(actor=first, person=person_of(first), **wanted)
    change = people.request_role_change(actor=second, person=person_of(first), **wanted)
    from pilot import workflow

    with pytest.raises(Refused, match="四眼原则"):
        workflow.fire(change, "approve", actor=first)
