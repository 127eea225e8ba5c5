"""What the kernel holds about people goes at the moment the inventory names, not before, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session

from pilot import clock, inventory, tasks
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import AccessLink, Notice, OutboxMessage, Person, ProviderRegistration
from pilot.services import accounts, outbox
from pilot.workflow import fire, open_case
from tests.factories import world
from tests.factories.audited import audited
from tests.pilot.accounts.helpers import give_factor, login, person_of

SOON = timedelta(minutes=1)


def around(period: str) -> tuple[Any, Any]:
    """A moment after which the period is not over yet, and one after which it is."""
    bound = clock.security_now() - inventory.period(period)
    return bound + SOON, bound - SOON


def test_links_attempts_notices_and_mails_go_with_their_periods(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    for number, at in enumerate(around("link")):
        AccessLink.objects.create(
            person=person, purpose="reset", digest=str(number), made_at=at, expires_at=at, used_at=at
        )
    for at in around("attempt"):
        row = AccessAttempt.objects.create(username="a", user_agent=str(at), failures_since_start=1)
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=at)
    for at in around("notice"):
        for source in ("", "licence:1:2019-10-01:90"):
            Notice.objects.create(
                person=person, subject="示例", url="/", at=at, visible_from=at, source=source
            )
    for at in around("message"):
        for field in ("sent_at", "cancelled_at"):
            message = outbox.post(kind="mail", target="a@example.cn", payload={"subject": "x", "text": "y"})
            OutboxMessage.objects.filter(pk=message.pk).update(**{field: at})
    waiting = outbox.post(kind="mail", target="a@example.cn", payload={"subject": "x", "text": "y"})
    OutboxMessage.objects.filter(pk=waiting.pk).update(created_at=around("message")[1])
    gone = {"attempt": 1, "link": 1, "notice": 1, "message": 2}
    assert [tasks.forget(), tasks.forget()] == [gone, {}]
    assert (AccessLink.objects.count(), AccessAttempt.objects.count()) == (1, 1)
    assert (Notice.objects.count(), OutboxMessage.objects.count()) == (3, 3)
    assert audited("retention.sweep") == ("done", None, "message", "")


def test_ended_sessions_and_their_browsers_go(ministry_officer: Actor) -> None:
    username = person_of(ministry_officer).username
    ended, alive = (login(username)[0].session.session_key for _ in range(2))
    Session.objects.filter(pk=ended).update(expire_date=clock.security_now() - SOON)
    assert [tasks.forget(), tasks.forget()] == [{"session": 1}, {}]
    assert list(Session.objects.values_list("pk", flat=True)) == [alive]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [alive]


def test_whom_to_call_about_a_registration_goes_after_the_decision(
    programme: Any, bureau_reviewer: Actor
) -> None:
    rows = []
    for number in range(3):
        row = ProviderRegistration(
            name=f"示例{number}", uscc=world.uscc(800 + number), province=44, contact="示例甲",
            email="a@example.cn", phone="020-1", case_key=uuid4(),
        )  # fmt: skip
        open_case(row, actor=world.SETUP)
        rows.append(row)
    for row in rows[:2]:
        fire(row, "reject", actor=bureau_reviewer, reason="示例")
    bound = clock.now() - inventory.period("registration")
    for row, since in zip(rows, (bound + SOON, bound - SOON, bound - SOON), strict=True):
        ProviderRegistration.unscoped.filter(pk=row.pk).update(state_since=since)
    assert [tasks.forget(), tasks.forget()] == [{"registration": 1}, {}]
    kept = ProviderRegistration.unscoped.order_by("pk").values_list("name", "contact", "email", "phone")
    full = ("示例甲", "a@example.cn", "020-1")
    assert list(kept) == [("示例0", *full), ("示例1", "", "", ""), ("示例2", *full)]


def test_how_to_reach_who_left_goes_and_the_name_stays(ministry_officer: Actor) -> None:
    recent, left, working = (person_of(world.ministry()) for _ in range(3))
    for person in (recent, left, working):
        give_factor(person)
    Person.objects.update(email="o@example.cn", phone="010-1")
    after, before = around("account")
    Person.objects.filter(pk=recent.pk).update(is_active=False, active_since=after, last_login=before)
    Person.objects.filter(pk=left.pk).update(is_active=False, active_since=before)
    Person.objects.filter(pk=working.pk).update(active_since=before)
    assert [tasks.forget(), tasks.forget()] == [{"account": 1}, {}]
    name, left = left.name, Person.objects.get(pk=left.pk)
    assert (left.name, left.email, left.phone, left.former_passwords) == (name, "", "", [])
    assert left.has_usable_password() is False
    assert set(Authenticator.objects.values_list("user", flat=True)) == {recent.pk, working.pk}
    assert Person.objects.filter(email="").count() == 1
    assert audited("person.forget") == ("done", None, "person", str(left.pk))
    guard = world.ministry(Role.SECURITY_ADMIN)
    with pytest.raises(Refused, match="联系方式已按保存期限清除"):
        accounts.request_reopening(actor=guard, person=left, reason="示例")
