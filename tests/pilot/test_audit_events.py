"""Who did what, when, from where, on what, with which outcome: the events that are no transition leave their rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from applications.models import ApplicationVersion
from pilot import console
from pilot.actors import Actor
from pilot.models import AuditEntry, Membership, Person
from tests.applications import builders
from tests.factories import world
from tests.filings import builders as run
from tests.pilot.accounts.helpers import code_now
from tests.pilot.test_door import login

type Rows = list[tuple[Any, ...]]
HERE = "127.0.0.1"


def rows(*fields: str, since: int = 0) -> Rows:
    return list(
        AuditEntry.objects.filter(pk__gt=since).order_by("pk").values_list("action", "outcome", *fields)
    )


def last() -> int:
    entry = AuditEntry.objects.order_by("-pk").first()
    return entry.pk if entry else 0


def test_what_a_person_does_at_the_door(provider: Actor) -> None:
    person, client = Person.objects.get(pk=provider.person_id), Client()
    membership = Membership.objects.get(person=person)
    since = last()
    login(client, person.username, "wrong-password")
    login(client, person.username, world.PASSWORD)
    client.get(reverse("audit_list"))
    client.post(reverse("switch_membership"), {"membership": membership.pk})
    client.post(reverse("account_logout"))
    client.post(reverse("account_logout"))  # nobody is signed in any more
    pk = person.pk
    assert rows("person_id", "address", "object_type", "object_id", since=since) == [
        ("account.login", "failed", None, HERE, "", ""),
        ("account.login", "done", pk, HERE, "person", str(pk)),
        ("page.denied", "denied", pk, HERE, "url", "audit_list"),
        ("account.role", "done", pk, HERE, "membership", str(membership.pk)),
        ("account.logout", "done", pk, HERE, "person", str(pk)),
    ]


def test_a_second_factor_comes_and_goes(provider: Actor, django_capture_on_commit_callbacks: Any) -> None:
    person, client = Person.objects.get(pk=provider.person_id), Client()
    login(client, person.username, world.PASSWORD)
    client.post(reverse("account_reauthenticate"), {"password": world.PASSWORD})
    client.get(reverse("mfa_activate_totp"))
    since, secret = last(), client.session["mfa.totp.secret"]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert set(rows("person_id", since=since)) == {("account.factor-added", "done", person.pk)}
    since = last()
    client.post(reverse("mfa_deactivate_totp"))
    assert set(rows("person_id", since=since)) == {("account.factor-removed", "done", person.pk)}


def test_setting_up_and_handing_in(programme: Any, provider: Actor) -> None:
    kinds = {"programme.install", "organisation.add", "person.add"}
    assert [row for row in rows("object_type") if row[0] in kinds][-2:] == [
        ("organisation.add", "done", "organisation"),
        ("person.add", "done", "person"),
    ]
    assert AuditEntry.objects.filter(action="programme.install", object_id=programme.pk).count() == 1
    since = last()
    case = builders.submitted(provider)
    version = ApplicationVersion.unscoped.get(application=case)
    found = rows("person_id", "object_type", "object_id", since=since)
    who = ("done", provider.person_id)
    files = version.application.files.count()
    assert found == [
        ("application.open", *who, "application", str(case.pk)),
        ("application.save_draft", *who, "application", str(case.pk)),
        *[("application.add_file", *who, "application", str(case.pk))] * files,
        ("application.hand_in", *who, "applicationversion", str(version.pk)),
        ("application.submit", *who, "application", str(case.pk)),
    ]


def test_what_is_tried_without_the_right_is_on_record(
    programme: Any, provider: Actor, bureau_reviewer: Actor
) -> None:
    """A role that never may is refused before the act itself is reached, and so is one that may not do a task."""
    case = builders.submitted(provider)
    finding = run.found(run.form(run.enrol(programme, provider), "F-1"))
    tried = (
        (provider, case, "application_act", "accept", 403),
        (bureau_reviewer, finding, "finding_task", "record_cause", 404),
    )
    for actor, subject, page, name, status in tried:
        client, since = builders.client_of(actor), last()
        answer = client.post(reverse(page, args=[subject.pk, name]))
        who = (actor.person_id, str(subject.pk), {"code": "permission"})
        assert answer.status_code == status
        assert rows("person_id", "object_id", "detail", since=since) == [
            (f"{subject.slug()}.{name}", "denied", *who)
        ]


@pytest.fixture
def at_the_console(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ends by closing the connections, which here hold the test's transaction."""
    monkeypatch.setattr(connections, "close_all", lambda: None)
    monkeypatch.setenv("LOGNAME", "ops")


@pytest.mark.usefixtures("at_the_console")
def test_commands_are_on_record_with_the_systems_user_and_without_their_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.run(["manage.py", "clearsessions"])
    with pytest.raises(SystemExit):
        console.run(["manage.py", "load_authority", "/nowhere/张三.csv"])
    console.run(["manage.py", "register"])
    console.run(["manage.py"])
    with pytest.raises(SystemExit):
        console.run(["manage.py", "load_authority", "--help"])
    assert rows("actor", "channel", "object_type", "object_id", "detail") == [
        ("command.run", "done", "ops@console", "console", "command", "clearsessions", {}),
        ("command.run", "failed", "ops@console", "console", "command", "load_authority", {}),
    ]


@pytest.mark.usefixtures("at_the_console")
def test_a_command_before_there_are_tables_says_that_it_is_not_on_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(AuditEntry._meta, "db_table", "not_yet_there")
    console.run(["manage.py", "clearsessions"])
    assert capsys.readouterr().err == (
        "数据库尚未建表，本次未记入审计日志，请先运行 migrate / no tables yet: not on record, migrate first\n"
    )
