"""Drills: each key that rotates, until the portal has the new one alone; nothing is lost on the way."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from filings.models import AuthorityRecord, V3Access, VerificationForm
from filings.services import rotation, spool, storage, uploads, v3_access
from pilot import clock, keyring
from pilot.models import AuditEntry, Person, WebhookEndpoint
from pilot.services import audit, audit_checks, audit_heads, second_factors, webhooks
from tests.filings import builders
from tests.filings.api.caller import admin_of
from tests.pilot.accounts.helpers import give_factor
from tests.pilot.test_audit_offline import offline

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Portal:
    """A portal whose secrets lie in its own folder; ``start`` reads them as a process does that starts now."""

    def __init__(self, settings: Any, var: Path) -> None:
        self.settings, self.var = settings, var
        self.start()

    def start(self) -> None:
        self.settings.SECRET_KEY, *self.settings.SECRET_KEY_FALLBACKS = keyring.newest_first(
            keyring.load("PILOT_SECRET_KEY", self.var)
        )
        for name in ("PILOT_MASTER_KEY", "PILOT_INDEX_KEY", "PILOT_AUDIT_KEY"):
            setattr(self.settings, name, keyring.load(name, self.var))


@pytest.fixture
def portal(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Portal:
    settings.VAR = tmp_path / "var"
    for secret in keyring.SECRETS:
        monkeypatch.delenv(secret.variable, raising=False)
    return Portal(settings, settings.VAR)


def keys(*words: str) -> Any:
    out = io.StringIO()
    call_command("rotate_keys", *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        keys(*words)
    return str(caught.value)


def hook(admin: Any, unit: Any) -> webhooks.Secret:
    event = webhooks.events()[0][0]
    return webhooks.register(actor=admin, unit=unit, url="https://hooks.example.com/pilot", events=[event])


def test_the_master_key_is_replaced_under_everything_it_protects(
    unit: Any, portal: Portal, ministry_officer: Any
) -> None:
    admin = admin_of(unit)
    form = builders.form(unit, "A-1", content={"form_no": "A-1"})
    factor, _codes = give_factor(Person.objects.get(pk=ministry_officer.person_id))
    sealed = second_factors.versions_in_use().total()
    access = v3_access.switch_on(actor=admin, unit=unit)
    shown = v3_access.reveal(actor=admin, unit=unit)
    endpoint = hook(admin, unit)
    waiting = uploads.receive_upload(
        actor=builders.SYSTEM, unit=unit, source=io.BytesIO(b'{"form_no":"A"}\n'), name="a.ndjson"
    )
    assert keys("--new", "master") == {"master": {"added": 2}}
    assert AuditEntry.objects.get(action="keys.add").detail == {"key": "master", "version": 2}
    portal.start()
    assert refused("--drop", "master:1") == "master 第 1 版仍在使用或未生效，不能移除"  # the spooled file
    report = keys()["master"]
    assert (report["current"], report["spooled_files"], report["removable"]) == (2, {"1": 1}, [])
    assert AuditEntry.objects.filter(action="keys.rotate").first().detail == {
        "master": 2,
        "data_keys": 1,
        "v3_secrets": 1,
        "webhook_secrets": 1,
        "second_factors": 2,
    }
    assert uploads.process(job_id=waiting.pk).state == "done"
    spool.remove(waiting.case_key)
    assert keys()["master"]["removable"] == [1]
    assert keys("--drop", "master:1") == {"master": {"dropped": 1}}
    assert AuditEntry.objects.get(action="keys.drop").detail == {"key": "master", "version": 1}
    portal.start()

    assert keyring.versions(portal.settings.PILOT_MASTER_KEY).keys() == {2}
    assert storage.open_form(VerificationForm.unscoped.get(pk=form.pk)) == {"form_no": "A-1"}
    assert second_factors.versions_in_use() == {2: sealed}
    assert second_factors.unseal(Authenticator.objects.get(type="totp").data["secret"]) == factor
    assert v3_access.secret_of(V3Access.unscoped.get(pk=access.pk)) == shown
    assert webhooks.secrets_of(WebhookEndpoint.unscoped.get(), at=clock.security_now()) == [endpoint.secret]


def test_a_secret_that_stayed_behind_holds_its_key(unit: Any, portal: Portal) -> None:
    hook(admin_of(unit), unit)
    WebhookEndpoint.unscoped.update(sealed_secret=b"0" * 90)
    keys("--new", "master")
    portal.start()
    report = keys()["master"]
    assert (report["left"], report["removable"]) == ({"1": 1}, [])


def test_the_index_key_is_replaced_once_nothing_was_made_with_the_old_one(portal: Portal) -> None:
    person = (2, "440101199001010011", "示例甲")
    builders.on_record(person)
    keys("--new", "index")
    portal.start()
    assert refused("--drop", "index:1") == "index 第 1 版仍在使用或未生效，不能移除"
    AuthorityRecord.objects.all().delete()  # what loading the extract anew does
    builders.on_record(person)
    assert keys("--drop", "index:1") == {"index": {"dropped": 1}}
    portal.start()
    index = keys()["index"]
    assert [index[name] for name in ("current", "configured", "missing", "removable")] == [2, [2], [], []]


def test_the_audit_key_is_replaced_and_the_old_one_vouches_for_the_new(portal: Portal) -> None:
    audit.seal()
    keys()
    audit.seal()
    first = audit_heads.sign()
    keys("--new", "audit")
    portal.start()
    report = keys()["audit"]
    assert report == {
        "current": 2,
        "configured": [1, 2],
        "key": audit_heads.public_key(),
        "vouched_for": True,
        "removable": [1],
    }
    keys("--drop", "audit:1")
    portal.start()
    audit.seal()
    second = audit_heads.sign()
    assert first is not None
    assert second is not None
    assert (first.key == second.key, second.key) == (False, audit_heads.public_key())
    assert audit_checks.verify()["ok"] is True
    [row] = audit_heads.handovers()
    assert AuditEntry.objects.get(action="audit.key").detail == row
    assert offline.trusted(first.key, [row]) == [first.key, second.key]
    assert offline.trusted(first.key, [row | {"new": "ab" * 32}]) == [first.key]
    assert keys()["audit"]["vouched_for"] is True
    portal.settings.PILOT_AUDIT_KEY = "one that nobody announced"
    assert keys()["audit"]["vouched_for"] is False


def test_djangos_key_is_replaced_and_sessions_last_until_the_old_one_goes(
    portal: Portal, bureau_reviewer: Any
) -> None:
    person = Person.objects.get(pk=bureau_reviewer.person_id)
    used, idle = Client(), Client()

    def led_to(client: Client) -> str:
        return client.get(reverse("home"))["Location"].split("?")[0]

    for client in (used, idle):
        client.force_login(person, backend=BACKEND)
    keys("--new", "django")
    portal.start()
    inside = led_to(used)
    assert (inside == reverse("dashboard"), keys()["django"]["removable"]) == (True, [1])
    keys("--drop", "django:1")
    portal.start()
    assert (led_to(used), led_to(idle)) == (inside, reverse("account_login"))


def test_a_portal_that_runs_with_older_keys_is_restarted_first(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys("--new", "master")
    monkeypatch.setattr("pilot.supervisor.Claim.runs_since_before", lambda claim, moment: True)
    assert refused() == "PILOT_SECRET_KEY 已改变，而门户还在用旧密钥运行；请先重启"


def test_a_key_stays_when_its_end_cannot_be_put_on_record(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(**_row: object) -> None:
        raise ZeroDivisionError

    keys("--new", "django")
    monkeypatch.setattr(rotation, "rotate_keys", lambda *, actor: {"django": {"removable": [1]}})
    monkeypatch.setattr(audit, "record", breaks)
    with pytest.raises(ZeroDivisionError):
        keys("--drop", "django:1")
    kept = keyring.load("PILOT_SECRET_KEY", portal.settings.VAR)
    assert keyring.versions(kept).keys() == {1, 2}
    monkeypatch.setattr(rotation, "rotate_keys", lambda *, actor: {})
    with pytest.raises(KeyError, match="django"):  # nothing said about a key: it is not for the taking
        keys("--drop", "django:1")


@pytest.mark.parametrize(
    ("words", "status"), [("master", 2), ("digest:1", 2), ("master:x", 2), ("django:1", 1)]
)
def test_what_cannot_be_dropped(portal: Portal, words: str, status: int) -> None:
    with pytest.raises(CommandError) as caught:
        keys("--drop", words)
    assert caught.value.returncode == status
