"""Invitations and forgotten passwords: by a link that comes by mail, once, in time, with the second factor."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import F
from django.test import Client
from django.urls import reverse

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Province, Role
from pilot.errors import Refused
from pilot.models import (
    AccessLink,
    AuditEntry,
    Notice,
    Organisation,
    OutboxMessage,
    Person,
    ProviderRegistration,
    RoleChange,
)
from pilot.services import accounts, outbox
from tests.architecture.test_urls import address
from tests.factories import world
from tests.factories.audited import audited
from tests.pilot.accounts.helpers import (
    DEAD_MAIL_SERVER,
    GOOD,
    approve,
    browser,
    code_now,
    give_factor,
    leave_demonstration,
    login,
    mailed_links,
    person_of,
    shown,
)

ENROLMENT = ("account_", "mfa_")


@pytest.fixture
def system_admin(programme: Any) -> Actor:
    return world.ministry(Role.SYSTEM_ADMIN)


@pytest.fixture
def change(system_admin: Actor) -> RoleChange:
    """Somebody is to become an official: asked for on the page, not yet approved."""
    fields = {
        "name": "示例新人",
        "username": "New.Official",
        "email": "new@example.cn",
        "organisation": Organisation.objects.get(kind=OrganisationKind.MINISTRY).name,
        "role": Role.MINISTRY_OFFICER,
        "reason": "示例",
    }
    answer = browser(system_admin).post(reverse("person_invite"), fields)
    change: RoleChange = RoleChange.unscoped.get()
    assert answer["Location"] == reverse("person_detail", args=[change.person_id])
    return change


def test_an_invitation_leads_to_an_account_with_two_factors_and_to_no_page_before(change: RoleChange) -> None:
    assert mailed_links() == []  # one administrator alone invites nobody
    approve(change)
    (path,) = mailed_links()
    assert (mail.outbox[0].to, len(path)) == (["new@example.cn"], len("/access//") + 43)  # 256 bits
    kept = json.dumps([*OutboxMessage.objects.values_list("payload", flat=True)]) + str(
        [*AccessLink.objects.values()]
    )
    assert path.split("/")[2] not in kept

    visitor = Client()
    assert visitor.post(path, {"password": GOOD, "again": "other"}).status_code == 422
    assert visitor.post(path, {"password": GOOD, "again": GOOD})["Location"] == reverse("account_login")
    assert (visitor.get(path).status_code, visitor.post(path, {}).status_code) == (404, 404)

    leave_demonstration()
    official, answer = login("new.official", GOOD)
    assert answer["Location"] == "/"
    reached = [
        name
        for name in policy.pages()
        if not policy.is_public(name)
        and not name.startswith(ENROLMENT)
        and policy.may_open(name, Role.MINISTRY_OFFICER)
        and official.get(address(name)).headers.get("Location") != reverse("mfa_index")
    ]
    assert reached == []
    give_factor(change.person)
    assert official.get(reverse("dashboard")).status_code == 200


@pytest.mark.parametrize("case", ["late", "disabled", "newer"])
def test_a_link_ends(change: RoleChange, case: str) -> None:
    approve(change)
    (path,) = mailed_links()
    link = AccessLink.objects.get()
    assert link.expires_at - link.made_at == timedelta(hours=72)
    if case == "late":
        AccessLink.objects.update(expires_at=clock.security_now())
    elif case == "disabled":
        accounts.disable(actor=world.SETUP, person=change.person, reason="示例")
    else:
        accounts.invite_again(actor=world.SETUP, person=change.person)
        assert len(mailed_links()) == 2
        assert audited("person.invite") == ("done", None, "person", str(change.person_id))
    assert Client().get(path).status_code == 404
    with pytest.raises(Refused, match="链接无效、已使用或已过期"):
        accounts.use_link(actor=world.SETUP, secret=path.split("/")[2], password=GOOD)


def test_a_login_is_given_once(change: RoleChange, system_admin: Actor) -> None:
    with pytest.raises(Refused, match="登录名已存在"):
        accounts.invite(
            actor=system_admin,
            name="示例",
            username="NEW.official",
            email="x@example.cn",
            organisation=change.organisation,
            role=Role.MINISTRY_OFFICER,
            reason="示例",
        )


def test_a_confirmed_provider_is_sent_its_link(bureau_reviewer: Actor) -> None:
    from pilot import workflow
    from pilot.services import people

    registration = people.request_registration(
        actor=world.SETUP,
        name="示例登记有限公司",
        uscc=world.uscc(778),
        province=Province.GUANGDONG,
        contact="示例联系人",
        email="a@example.cn",
        phone="020-00000001",
    )
    workflow.fire(registration, "confirm", actor=bureau_reviewer)
    (path,) = mailed_links()
    assert Client().get(path).status_code == 200


def test_asking_for_an_account_says_the_same_of_every_provider(provider: Actor) -> None:
    known = Organisation.objects.get(pk=provider.organisation_id).uscc
    fields = {"name": "示例", "province": "44", "contact": "示例", "email": "a@example.cn", "phone": "1"}
    address = reverse("provider-registration_create")
    told = []
    for code in (world.uscc(779), world.uscc(779), known):
        client = Client()
        answer = client.post(address, {**fields, "uscc": code})
        words = re.search(
            r'<div class="notice.*?</div>', client.get(answer["Location"]).content.decode(), re.DOTALL
        )
        told.append((answer.status_code, answer["Location"], words and words[0]))
    assert told[0][2] is not None
    assert told == told[:1] * 3
    assert ProviderRegistration.unscoped.count() == 1
    assert [notice.person_id for notice in Notice.objects.all()] == [provider.person_id]
    assert audited("provider-registration.known") == (
        "denied",
        None,
        "organisation",
        str(provider.organisation_id),
    )


# --- forgotten ------------------------------------------------------------------------------------
def forget(username: str) -> Any:
    return Client().post(reverse("password_forgotten"), {"username": username})


@pytest.fixture
def official(ministry_officer: Actor) -> Person:
    Person.objects.filter(pk=ministry_officer.person_id).update(email="o@example.cn")
    return person_of(ministry_officer)


def test_asking_for_a_link_says_the_same_of_everybody(official: Person) -> None:
    names = (official.username, "nobody", official.username)
    pages = [shown(forget(name), name) for name in names]
    assert pages == pages[:1] * 3
    assert OutboxMessage.objects.count() == 3  # the same work for each
    assert audited("account.reset-asked") == ("done", None, "person", str(official.pk))
    assert len(mailed_links()) == 1  # and one mail: the mailbox is not flooded
    assert [message.to for message in mail.outbox] == [["o@example.cn"]]


def test_a_forgotten_password_needs_the_second_factor(official: Person) -> None:
    secret, recovery = give_factor(official)
    forget(official.username)
    (path,) = mailed_links()
    new = {"password": GOOD, "again": GOOD}
    assert [Client().post(path, {**new, **more}).status_code for more in ({}, {"code": "000000"})] == [
        422,
        422,
    ]
    assert person_of(Actor(role="", person_id=official.pk)).check_password(world.PASSWORD) is True
    assert Client().post(path, {**new, "code": recovery[0]})["Location"] == reverse("account_login")
    client, answer = login(official.username, GOOD)
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert AuditEntry.objects.filter(action="account.password").count() == 1


def later(delta: timedelta) -> None:
    """As if that much time had passed for the mail that waits, and for the links."""
    OutboxMessage.objects.filter(sent_at=None).update(not_before=F("not_before") - delta)
    AccessLink.objects.update(made_at=F("made_at") - delta)


def test_a_link_leaves_though_the_mail_server_was_away_once(official: Person, settings: Any) -> None:
    """What did not leave was no link: it neither ends one that did nor keeps the next one back."""
    forget(official.username)
    (known,) = mailed_links()
    later(accounts.NEXT_RESET)
    forget(official.username)
    working, settings.MAILERS = settings.MAILERS, DEAD_MAIL_SERVER
    assert (mailed_links(), AccessLink.objects.count()) == ([known], 1)
    assert Client().get(known).status_code == 200
    settings.MAILERS = working
    later(outbox.SERVER_AGAIN)
    _known, new = mailed_links()
    assert [Client().get(path).status_code for path in (known, new)] == [404, 200]


@pytest.mark.parametrize("used", [False, True])
def test_a_mail_that_left_as_its_worker_died_leaves_again_unless_its_link_was_used(
    change: RoleChange, monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    """The link was there before the mail left; the second mail has another, which ends it."""
    plain = outbox.send_mail

    class Killed(BaseException):
        pass

    def send(*words: Any) -> None:
        plain(*words)
        raise Killed

    approve(change)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "send_mail", send)
        with pytest.raises(Killed):
            mailed_links()
    (first,) = mailed_links()
    assert Client().get(first).status_code == 200
    if used:
        Client().post(first, {"password": GOOD, "again": GOOD})
    later(outbox.MAIL_LEASE)
    paths = mailed_links()
    assert (paths[0], len(paths), AccessLink.objects.count()) == (first, 1 if used else 2, 1)
    assert [Client().get(path).status_code for path in paths] == ([404] if used else [404, 200])
    assert OutboxMessage.objects.filter(sent_at=None).count() == 0


@pytest.mark.parametrize("state", ["disabled", "no address", "not yet opened"])
def test_no_link_where_there_is_nothing_to_reset(official: Person, state: str) -> None:
    if state == "disabled":
        official.is_active = False
    elif state == "no address":
        official.email = ""
    else:
        official.set_unusable_password()
    official.save()
    assert forget(official.username).status_code == 200
    assert mailed_links() == []
