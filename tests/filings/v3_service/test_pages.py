"""The pages on which a unit's administrator manages the V3.0 service."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from filings.models import V3Access
from filings.services import v3_access
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Person
from tests.factories import world
from tests.factories.audited import audited

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def desk(admin: Any) -> Client:
    return signed_in(admin)


def signed_in(actor: Any) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def test_switching_on_reading_the_secret_and_off_again(unit: Any, desk: Client, admin: Any) -> None:
    assert "未启用" in desk.get("/v3-access/").text
    for name in ("off", "rotate", "secret"):
        answer = desk.post(f"/v3-access/{name}/", {"password": world.PASSWORD})
        assert (answer.status_code, "尚未启用" in answer.text) == (422, True)
    assert desk.post("/v3-access/on/").url == "/v3-access/"
    assert desk.post("/v3-access/on/").status_code == 422
    page = desk.get("/v3-access/").text
    secret = v3_access.reveal(actor=admin, unit=unit)
    for text in (
        "已启用",
        "http://testserver/ISPWebService/upDownLoad",
        str(unit.national_id),
        "近 30 天没有调用",
    ):
        assert text in page
    assert secret.password not in page

    wrong = desk.post("/v3-access/secret/", {"password": "guess"})
    assert (wrong.status_code, secret.password in wrong.text) == (422, False)
    for _ in range(2):
        shown = desk.post("/v3-access/secret/", {"password": world.PASSWORD})
        kept_by_nobody = "no-store" in shown["Cache-Control"]
        assert (shown.status_code, kept_by_nobody) == (200, True)
        assert [text in shown.text for text in (secret.password, secret.key, secret.vector)] == [True] * 3
    changed = desk.post("/v3-access/rotate/", {"password": world.PASSWORD}).text
    assert (secret.password in changed, v3_access.reveal(actor=admin, unit=unit).password in changed) == (
        False,
        True,
    )
    desk.post("/v3-access/off/")
    assert "未启用" in desk.get("/v3-access/").text
    kept = v3_access.reveal(actor=admin, unit=unit)
    desk.post("/v3-access/on/")
    assert v3_access.reveal(actor=admin, unit=unit) == kept
    acts = AuditEntry.objects.filter(action__startswith="v3-access.", actor=admin.name).order_by("pk")
    assert [entry.action for entry in acts] == [
        *("v3-access.on", *["v3-access.reveal"] * 3, "v3-access.rotate", "v3-access.reveal"),
        *("v3-access.off", "v3-access.reveal", "v3-access.on", "v3-access.reveal"),
    ]
    assert {str(entry.detail) for entry in acts} == {"{}"}


def test_addresses_and_hours(unit: Any, desk: Client, system: Any, admin: Any) -> None:
    chosen = {"networks": "10.0.0.7\n192.168.0.0/16", "hours_from": "08:00", "hours_until": "20:30"}
    assert desk.post("/v3-access/settings/", chosen).status_code == 302
    access = V3Access.unscoped.get()
    assert (access.networks, access.hours_from, access.hours_until) == (
        ["10.0.0.7/32", "192.168.0.0/16"],
        time(8),
        time(20, 30),
    )
    assert "08:00–20:30" in desk.get("/v3-access/").text
    assert "192.168.0.0/16" in desk.get("/v3-access/settings/").text
    for wrong in (
        {"networks": "here"},
        {"hours_until": ""},
        {"hours_until": "08:00"},
        {"hours_from": "25:00"},
    ):
        assert desk.post("/v3-access/settings/", chosen | wrong).status_code == 422
    access.refresh_from_db()
    assert access.hours_until == time(20, 30)
    assert audited("v3-access.configure") == ("done", admin.person_id, "v3access", str(access.pk))


def test_the_page_shows_where_the_sequence_stands_and_the_last_calls(
    unit: Any, desk: Client, system: Any, document: Any
) -> None:
    desk.get("/v3-access/")
    with CaptureQueriesContext(connection) as none:
        desk.get("/v3-access/")
    for number in (1, 2, 4):
        system.upload(number, document())
    with CaptureQueriesContext(connection) as some:
        page = desk.get("/v3-access/").text
    assert len(some) == len(none)
    assert [text in page for text in ("isp_upload", "14 未受理", "0 操作成功", "127.0.0.1")] == [True] * 4


def test_nobody_but_the_units_administrator(unit: Any, admin: Any, system: Any) -> None:
    stranger, operator = world.provider(), world.provider(role="provider_operator")
    for other in (stranger, operator):
        for act in (v3_access.switch_on, v3_access.switch_off, v3_access.rotate, v3_access.reveal):
            with pytest.raises(NotPermitted):
                act(actor=other, unit=unit)
    with pytest.raises(Refused):
        v3_access.switch_on(actor=admin, unit=unit)
    client = signed_in(stranger)
    assert (client.get("/v3-access/").status_code, client.post("/v3-access/on/").status_code) == (200, 404)
    assert system.password not in client.get("/v3-access/").text
