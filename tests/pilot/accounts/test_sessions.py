"""Sessions end at once: one by one, with the password, the role, the account; dormant accounts; two reopen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from pilot import clock, polling, tasks
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import AuditEntry, Notice, Organisation, Person, RoleChange
from pilot.services import accounts, people
from tests.factories import world
from tests.factories.audited import audited
from tests.pilot.accounts.helpers import (
    GOOD,
    approve,
    browser,
    give_factor,
    login,
    mailed_links,
    person_of,
    status,
)


@pytest.fixture
def two(ministry_officer: Actor) -> list[Any]:
    """Two browsers of one person."""
    return [login(person_of(ministry_officer).username)[0] for _ in range(2)]


def test_one_session_ends_and_the_other_goes_on(two: list[Any], ministry_officer: Actor) -> None:
    first, second = two
    mine = UserSession.objects.get(session_key=first.session.session_key)
    foreign = browser(world.ministry())
    assert foreign.post(reverse("session_end", args=[mine.pk])).status_code == 404
    assert second.post(reverse("session_end", args=[mine.pk])).status_code == 302
    who = ministry_officer.person_id
    assert audited("account.session-end") == ("done", who, "person", str(who))
    assert [status(one) for one in two] == [302, 200]


def test_ending_the_others_leaves_the_own_one(two: list[Any]) -> None:
    two[1].post(reverse("usersessions_list"))
    assert [status(one) for one in two] == [302, 200]


def test_a_new_password_ends_the_other_sessions(two: list[Any]) -> None:
    fields = {"oldpassword": world.PASSWORD, "password1": GOOD, "password2": GOOD}
    assert two[1].post(reverse("account_change_password"), fields).status_code == 302
    assert [status(one) for one in two] == [302, 200]
    assert AuditEntry.objects.filter(action="account.password").count() == 1


def test_a_taken_role_ends_the_sessions(two: list[Any], ministry_officer: Actor) -> None:
    change = people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=person_of(ministry_officer),
        organisation=Organisation.objects.get(pk=ministry_officer.organisation_id),
        role=Role.MINISTRY_OFFICER,
        grant=False,
        reason="示例",
    )
    assert [status(one) for one in two] == [200, 200]
    approve(change)
    assert [status(one) for one in two] == [302, 302]


def test_the_security_administrator_disables_and_two_reopen(two: list[Any], ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    Person.objects.filter(pk=person.pk).update(email="o@example.cn")
    give_factor(person)
    guard = world.ministry(Role.SECURITY_ADMIN)
    address = reverse("person_disable", args=[person.pk])
    assert browser(guard).post(address, {"reason": ""}).status_code == 422
    assert browser(guard).post(address, {"reason": "示例"}).status_code == 302
    assert browser(guard).post(address, {"reason": "示例"}).status_code == 422  # already
    assert [status(one) for one in two] == [302, 302]
    assert login(person.username)[1]["Location"] == reverse("account_inactive")

    asked = browser(guard).post(reverse("person_reopen", args=[person.pk]), {"reason": "示例"})
    assert asked.status_code == 302
    change: RoleChange = RoleChange.unscoped.get()
    assert (change.reopen, str(change.what), mailed_links()) == (True, "恢复账号", [])
    approve(change, by=Role.SYSTEM_ADMIN)
    reopened = person_of(ministry_officer)
    assert (reopened.is_active, reopened.has_usable_password()) == (True, False)
    assert Authenticator.objects.filter(user=person).count() == 0
    assert len(mailed_links()) == 1


def test_nobody_disables_the_own_account_or_reopens_one_in_use(programme: Any) -> None:
    guard = world.ministry(Role.SECURITY_ADMIN)
    with pytest.raises(Refused, match="不能停用自己的账号"):
        accounts.disable(actor=guard, person=person_of(guard), reason="示例")
    with pytest.raises(Refused, match="账号未停用"):
        accounts.request_reopening(actor=guard, person=person_of(world.ministry()), reason="示例")
    gone = Person.objects.create_user("gone", name="示例")
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    gone.refresh_from_db()
    with pytest.raises(Refused, match="该人员没有角色，请先申请授予角色"):
        accounts.request_reopening(actor=guard, person=gone, reason="示例")
    with pytest.raises(Refused, match="只有角色已生效、尚未设置密码的账号可以重发邀请"):
        accounts.invite_again(actor=guard, person=person_of(guard))


def test_sessions_are_ended_by_the_security_administrator(two: list[Any], ministry_officer: Actor) -> None:
    address = reverse("person_sessions", args=[ministry_officer.person_id])
    assert browser(world.ministry(Role.SECURITY_ADMIN)).post(address).status_code == 302
    assert [status(one) for one in two] == [302, 302]
    assert AuditEntry.objects.get(action="person.sessions-end").detail == {"ended": 2}


def test_accounts_unused_for_ninety_days_are_disabled(ministry_officer: Actor) -> None:
    guard, idle, signing_in = (
        world.ministry(role) for role in (Role.SECURITY_ADMIN, *[Role.MINISTRY_OFFICER] * 2)
    )
    now = clock.security_now()
    long_ago = now - timedelta(days=91)
    Person.objects.filter(pk__in=[idle.person_id, signing_in.person_id]).update(active_since=long_ago)
    Person.objects.filter(pk=idle.person_id).update(last_login=long_ago)
    Person.objects.filter(pk=signing_in.person_id).update(last_login=now - timedelta(days=89))
    assert [tasks.disable_dormant(), tasks.disable_dormant()] == [1, 0]
    assert set(Person.objects.filter(is_active=False).values_list("pk", flat=True)) == {idle.person_id}
    entry = AuditEntry.objects.get(action="person.disable")
    assert (entry.role, entry.object_id, entry.detail) == (
        Role.SYSTEM,
        str(idle.person_id),
        {"reason": "dormant"},
    )
    notice = Notice.objects.get()
    assert (notice.person_id, notice.subject, notice.url) == (
        guard.person_id,
        "1 个账号因长期未使用已停用",
        "/people/?state=disabled",
    )


def test_the_last_administrator_of_each_kind_is_spared(programme: Any) -> None:
    """Of two security administrators gone quiet the later one stays, the only auditor too; others go."""
    now = clock.security_now()
    guards = [world.ministry(Role.SECURITY_ADMIN) for _ in range(2)]
    auditor, officer = world.ministry(Role.AUDIT_ADMIN), world.ministry()
    for days, actor in ((200, guards[0]), (100, guards[1]), (300, auditor), (91, officer)):
        Person.objects.filter(pk=actor.person_id).update(active_since=now - timedelta(days=days))
    assert [tasks.disable_dormant(), tasks.disable_dormant()] == [2, 0]
    off = Person.objects.filter(is_active=False).values_list("pk", flat=True)
    assert set(off) == {guards[0].person_id, officer.person_id}


def _passed(client: Client, seconds: float) -> None:
    """The session was prolonged so long ago."""
    session = client.session
    session[polling.RENEWED] = clock.security_now().timestamp() - seconds
    session.save()


def test_a_page_that_asks_by_itself_keeps_no_session_alive(ministry_officer: Actor) -> None:
    client, _answer = login(person_of(ministry_officer).username)
    rows = Session.objects.filter(pk=client.session.session_key)
    client.get(reverse("notice_list"))  # what was said at sign-in is read
    long_ago = clock.security_now() + timedelta(minutes=1)
    poll = {"X-Poll": "1", "HX-Request": "true", "HX-Current-URL": "http://testserver/audit/checks/7/"}
    rows.update(expire_date=long_ago)
    answer = client.get(reverse("notice_list"), headers=poll)
    renewed = settings.SESSION_COOKIE_NAME in answer.cookies
    assert (answer.status_code, renewed, rows.get().expire_date) == (200, False, long_ago)
    _passed(client, polling.STEP - 1)
    rows.update(expire_date=long_ago)
    assert (client.get(reverse("notice_list")).status_code, rows.get().expire_date) == (200, long_ago)
    _passed(client, polling.STEP)
    rows.update(expire_date=long_ago)
    answer = client.get(reverse("notice_list"))
    assert settings.SESSION_COOKIE_NAME in answer.cookies
    assert rows.get().expire_date > long_ago + timedelta(minutes=28)
    rows.update(expire_date=clock.security_now())
    answer = client.get(reverse("notice_list"), headers=poll)
    where = f"{reverse('account_login')}?next=/audit/checks/7/"
    assert (answer.status_code, answer["HX-Redirect"]) == (204, where)
    answer = client.get(reverse("notice_list"), headers={**poll, "HX-Current-URL": "http://["})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"{reverse('account_login')}?next=/")
