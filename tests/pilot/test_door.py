"""The door: sign-in, lock-out, second factor, language, refusals as pages and as problem documents, documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import AuditEntry, BusinessClock, Membership, Person, Window
from pilot.services import documents, operations, programmes
from tests.factories import world
from tests.factories.audited import audited

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def login(client: Client, username: str, password: str) -> Any:
    return client.post(reverse("account_login"), {"login": username, "password": password})


def test_sign_in_is_audited_and_leads_to_the_first_page(ministry_officer: Actor) -> None:
    person = Person.objects.get(pk=ministry_officer.person_id)
    response = login(Client(), person.username.upper(), world.PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")
    entry = AuditEntry.objects.get(action="account.login")
    assert (entry.outcome, entry.role, entry.person_id) == ("done", Role.MINISTRY_OFFICER, person.pk)


def test_ten_wrong_passwords_lock_the_account_even_for_the_right_one(ministry_officer: Actor) -> None:
    client, person = Client(), Person.objects.get(pk=ministry_officer.person_id)
    for _ in range(10):
        login(client, person.username, "wrong-password")
    assert login(client, person.username, world.PASSWORD).status_code == 429
    assert AuditEntry.objects.filter(action="account.login", outcome="failed").exists() is True


def test_unknown_and_known_logins_get_the_same_answer(ministry_officer: Actor) -> None:
    known = Person.objects.get(pk=ministry_officer.person_id).username
    pages = [
        login(Client(), name, "wrong-password").content.decode().replace(name, "x")
        for name in (known, "nobody")
    ]
    assert ["登录名或密码不正确" in page for page in pages] == [True, True]
    assert len({page.count("alert") + page.count("error") for page in pages}) == 1


def test_officials_need_a_second_factor_outside_the_demonstration(
    ministry_officer: Actor, provider: Actor
) -> None:
    BusinessClock.objects.update(demo=False)
    response = signed_in(ministry_officer).get(reverse("dashboard"))
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_index"))
    assert signed_in(provider).get(reverse("dashboard")).status_code == 200


def test_a_refused_page_is_audited(provider: Actor) -> None:
    assert signed_in(provider).get(reverse("audit_list")).status_code == 403
    entry = AuditEntry.objects.get(action="page.denied")
    assert (entry.outcome, entry.object_id, entry.person_id) == ("denied", "audit_list", provider.person_id)


def test_a_person_who_lost_every_role_sees_why(provider: Actor) -> None:
    client = signed_in(provider)
    Membership.objects.filter(pk=provider.membership_id).update(valid_until=clock.now())
    response = client.get(reverse("dashboard"))
    assert response.status_code == 403


@pytest.mark.parametrize(("header", "cookie", "lang"), [("en-US", "", "zh-CN"), ("zh-CN", "en", "en")])
def test_chinese_first(programme: Any, header: str, cookie: str, lang: str) -> None:
    client = Client(headers={"accept-language": header})
    if cookie:
        client.cookies["django_language"] = cookie
    assert f'<html lang="{lang}"' in client.get(reverse("account_login")).content.decode()


def test_a_lost_race_is_a_409_in_words(ministry_officer: Actor, ministry_approver: Actor) -> None:
    extension = programmes.propose_extension(
        actor=ministry_officer,
        window=Window.objects.get(kind="application"),
        closes=world.moment("2019-04-20 00:00"),
        reason="示例",
    )
    client = signed_in(ministry_approver)
    url = reverse("window-extension_act", args=[extension.pk, "approve"])
    assert client.post(url, {"seen": "proposed"}).status_code == 302
    again = client.post(url, {"seen": "proposed"}, follow=True)
    assert "当前状态为“已批准”，不能批准" in again.content.decode()


def test_refusals_are_problem_documents_where_json_is_wanted(provider: Actor) -> None:
    response = signed_in(provider).get(reverse("audit_list"), headers={"accept": "application/json"})
    body = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert (body["type"], body["status"], body["title"]) == ("/api/problems/permission/", 403, "无权办理")
    assert body["instance"] == response["X-Request-Id"]


def test_pages_are_not_stored_and_carry_a_strict_policy(provider: Actor) -> None:
    response = signed_in(provider).get(reverse("dashboard"))
    assert "no-store" in response["Cache-Control"]
    assert "unsafe-inline" not in response["Content-Security-Policy"]


def test_a_document_is_a_sandboxed_download_for_those_who_see_its_case(
    ministry_officer: Actor, provider: Actor
) -> None:
    extension = programmes.propose_extension(
        actor=ministry_officer,
        window=Window.objects.get(kind="application"),
        closes=world.moment("2019-04-20 00:00"),
        reason="示例",
    )
    kept = documents.keep(case=extension, kind="test", title="示例", content=b"%PDF-1.7 test")
    response = signed_in(ministry_officer).get(reverse("document", args=[kept.pk]))
    assert (response.status_code, response.content) == (200, b"%PDF-1.7 test")
    assert audited("document.read") == ("done", ministry_officer.person_id, "document", str(kept.pk))
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Disposition"].startswith("attachment;")
    assert signed_in(provider).get(reverse("document", args=[kept.pk])).status_code == 404


def test_a_changed_file_is_not_handed_out(ministry_officer: Actor) -> None:
    digest = documents.put_bytes(b"content")
    documents.path_of(digest).write_bytes(b"forged")
    with pytest.raises(OSError, match="was changed"):
        documents.read_bytes(digest)
    documents.path_of(digest).unlink()


def test_probes(programme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        operations, "STARTED", clock.security_now()
    )  # no timetable runs here, and need not yet
    assert Client().get("/livez").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"status": "ok", "missing": [], "alarms": []}
