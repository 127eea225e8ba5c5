"""Before an act that is signed the portal asks again who it is; old passwords; the two password policies."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import reverse
from lxml import html

from pilot import clock, passwords, policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Person, RoleChange
from pilot.services import people
from tests.factories import world
from tests.pilot.accounts.helpers import (
    GOOD,
    browser,
    code_now,
    give_factor,
    leave_demonstration,
    person_of,
)
from tests.pilot.lists.helpers import find

QUERIES = 11
RECORDS = "account_authentication_methods"


@pytest.fixture
def change(ministry_officer: Actor) -> RoleChange:
    return people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=person_of(ministry_officer),
        organisation=person_of(ministry_officer).memberships.get().organisation,
        role=Role.MINISTRY_APPROVER,
        grant=True,
        reason="示例",
    )


@pytest.fixture
def guard(change: RoleChange) -> tuple[Client, str]:
    """A security administrator with a second factor, outside the demonstration; and its secret."""
    actor = world.ministry(Role.SECURITY_ADMIN)
    secret, _codes = give_factor(person_of(actor))
    leave_demonstration()
    return browser(actor), secret


def test_the_acts_that_are_signed_stand_in_the_policy() -> None:
    assert policy.signed() - policy.acts().keys() == set()
    verbs = {act.partition(".")[2] for act in policy.signed()}
    assert {"approve", "publish", "sign", "issue", "impose"} - verbs == set()


def facts_of(page: str) -> list[tuple[str, str]]:
    root = html.document_fromstring(page)
    words = [[one.text_content().strip() for one in find(root, f"dl.facts {part}")] for part in ("dt", "dd")]
    return list(zip(*words, strict=True))


def test_only_an_act_on_a_case_one_may_see_is_named_before_it_is_signed(
    guard: tuple[Client, str], change: RoleChange
) -> None:
    client, _secret = guard
    page = reverse("account_reauthenticate")
    unknown = [
        "/nowhere/",
        "//[",
        reverse("dashboard"),
        reverse("role-change_act", args=[change.pk, "fly"]),
        reverse("role-change_act", args=[change.pk + 1, "approve"]),
    ]
    for address in unknown:
        assert facts_of(client.get(f"{page}?next={address}").content.decode()) == [], address


@pytest.mark.parametrize("way", ["password", "code"])
def test_a_signed_act_asks_who_it_is_and_asks_no_more_for_five_minutes(
    guard: tuple[Client, str], change: RoleChange, way: str
) -> None:
    client, secret = guard
    address = reverse("role-change_act", args=[change.pk, "approve"])
    asked = f"{reverse('account_reauthenticate')}?next={address}"
    for answer in (client.get(address), client.post(address, {})):
        assert (answer.status_code, answer["Location"]) == (302, asked)
    assert client.get(reverse("role-change_act", args=[change.pk, "reject"])).status_code == 200
    page, sent = (
        ("account_reauthenticate", {"password": world.PASSWORD})
        if way == "password"
        else ("mfa_reauthenticate", {"code": code_now(secret)})
    )
    shown = client.get(f"{reverse(page)}?next={address}").content.decode()
    assert "5 分钟" in shown
    assert facts_of(shown) == [("即将办理", "批准"), ("办理对象", f"{change.title} {change.number}")]
    answer = client.post(reverse(page), {**sent, "next": address})
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert client.get(address).status_code == 200

    session = client.session
    session[RECORDS] = [{**record, "at": time.time() - 301} for record in session[RECORDS]]
    session.save()
    assert client.post(address, {})["Location"] == asked
    assert RoleChange.unscoped.get().state == "requested"
    client.post(reverse("account_reauthenticate"), {"password": world.PASSWORD, "next": address})
    assert client.post(address, {"seen": "requested"}).status_code == 302
    assert RoleChange.unscoped.get().state == "effective"


def test_whoever_was_just_asked_gives_no_password_in_the_form(ministry_approver: Actor) -> None:
    from dataclasses import replace

    from pilot.forms import ReauthenticatedForm

    asked = ReauthenticatedForm(actor=ministry_approver)
    confirmed = ReauthenticatedForm(actor=replace(ministry_approver, confirmed=True))
    assert [list(form.fields) for form in (asked, confirmed)] == [["reason", "password"], ["reason"]]


# --- password policy ------------------------------------------------------------------------------
def test_a_password_of_ninety_days_opens_only_the_page_that_changes_it(ministry_officer: Actor) -> None:
    client = browser(ministry_officer)
    due = clock.security_now() - passwords.LONGEST_AGE
    Person.objects.update(password_set_at=due + timedelta(minutes=1))
    assert client.get(reverse("dashboard")).status_code == 200
    Person.objects.update(password_set_at=due)
    assert client.get(reverse("dashboard"))["Location"] == reverse("account_change_password")
    with override_settings(PILOT_PASSWORD_POLICY=passwords.ASVS):
        assert client.get(reverse("dashboard")).status_code == 200
    fields = {"oldpassword": world.PASSWORD, "password1": GOOD, "password2": GOOD}
    client.post(reverse("account_change_password"), fields)
    assert client.get(reverse("dashboard")).status_code == 200


def faults(policy_name: str, password: str, person: Person | None = None) -> list[str]:
    with override_settings(AUTH_PASSWORD_VALIDATORS=passwords.validators(policy_name)):
        try:
            validate_password(password, person)
        except ValidationError as error:
            return [str(fault.code) for fault in error.error_list]
    return []


@pytest.mark.parametrize(
    ("password", "mlps", "asvs"),
    [
        (GOOD, [], []),
        ("Abcdefg-1", ["password_too_short"], ["password_too_short"]),
        ("quiet harbour lanterns", ["password_kinds"], []),
        ("Lantern-41x", [], ["password_too_short"]),
        ("qwertyuiop123", ["password_too_common", "password_kinds"], ["password_too_common"]),
        ("港口灯塔远航2026Kx", [], []),
    ],
)
def test_what_the_two_policies_ask(password: str, mlps: list[str], asvs: list[str]) -> None:
    assert (faults("mlps", password), faults("asvs", password)) == (mlps, asvs)


def test_the_last_five_do_not_come_back(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    used = [f"Harbour-{n}-Lantern" for n in range(6)]
    for password in used:
        person.set_password(password)
        person.save()
    again = [faults("mlps", password, person_of(ministry_officer)) for password in used]
    assert again == [[], *[["password_used_before"]] * 5]
    assert faults("asvs", used[-1], person) == []


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(passwords.UnknownPolicy, match="neither 'mlps' nor 'asvs'"):
        passwords.validators("none")


def test_how_pages_look_follows_the_person_to_another_machine(ministry_officer: Actor) -> None:
    here, there = browser(ministry_officer), browser(ministry_officer)
    here.cookies["ui-contrast"] = "more"
    page = reverse("notice_list")
    assert 'class="contrast-more"' in here.get(page).text
    there.cookies["ui-menu"], there.cookies["ui-density"] = "folded", "compact"
    kept = here.post(reverse("display_keep"), {"on": ["text-large", "contrast-more", "menu-folded", "x"]})
    assert (kept.status_code, person_of(ministry_officer).display) == (204, ["text-large", "contrast-more"])
    assert 'class="menu-folded density-compact text-large contrast-more"' in there.get(page).text
    there.cookies["ui-text"] = "off"  # a browser's own word comes first
    assert 'class="menu-folded density-compact contrast-more"' in there.get(page).text
    here.post(reverse("display_keep"))
    assert 'class="contrast-more"' in here.get(page).text
    del there.cookies["ui-text"]
    assert 'class="menu-folded density-compact"' in there.get(page).text


def test_people_and_roles_on_the_pages(ministry_officer: Actor, django_assert_num_queries: Any) -> None:
    client = browser(world.ministry(Role.SYSTEM_ADMIN))
    listing = f"{reverse('person_list')}?role=ministry_officer&state=active"
    client.get(listing)
    with django_assert_num_queries(QUERIES):
        client.get(listing)
    for _ in range(5):
        world.ministry()
    with django_assert_num_queries(QUERIES):
        page = client.get(listing).content.decode()
    assert page.count(reverse("person_detail", args=[0])[:-2]) >= 6
    detail = client.get(reverse("person_detail", args=[ministry_officer.person_id])).content.decode()
    offers = {name for name in ("变更角色", "停用账号", "解除锁定", "强制下线") if name in detail}
    assert offers == {"变更角色"}
    own = client.get(reverse("my_account")).content.decode()
    assert "请于" in own
