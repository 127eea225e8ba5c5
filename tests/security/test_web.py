"""S07 and S17: forged requests, frames, hosts, redirects, caches; settings of production, every kind of answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from applications.models import ApplicationFile
from pilot import policy
from pilot.actors import Actor
from pilot.models import OutboxMessage, Person
from tests.applications import builders as intake
from tests.applications.builders import client_of
from tests.factories import world

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://testserver@evil.example/",
    "\thttps://evil.example",
    "///evil.example",
)


def patterns(found: Any = None) -> Iterator[URLPattern]:
    for entry in get_resolver().url_patterns if found is None else found:
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns)
        else:
            yield entry


def test_only_doors_without_a_session_take_a_post_without_a_token() -> None:
    """Django asks every other view's POST for the token; the exceptions know their caller by a key or a digest.

    ``upload-job_create`` asks for it itself, once the size of what comes is known (its own test is beside it).
    """
    exempt = {p.name for p in patterns() if getattr(p.callback, "csrf_exempt", False)}
    assert exempt - policy.api().keys() == {"v3_service", "upload-job_create", *SCHEMAS}


SCHEMAS = {"api_schema"}  # a view of the REST framework, which reads only


def test_a_forged_post_changes_nothing(provider: Actor) -> None:
    client = Client(enforce_csrf_checks=True)
    person = Person.objects.get(pk=provider.person_id)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    names = ["coordination-case_create", "application_create", "account_logout", "account_change_password"]
    names += ["switch_membership", "set_language", "api_key_create", "webhook_create", "upload-job_create"]
    answers = {
        name: client.post(reverse(name), {}, headers={"accept": "text/html"}).status_code for name in names
    }
    assert answers == dict.fromkeys(names, 403)
    foreign = client.post(reverse("account_logout"), headers={"origin": "https://evil.example"})
    assert (foreign.status_code, client.get(reverse("home")).status_code in {200, 302}) == (403, True)


@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_is_led_elsewhere(provider: Actor, where: str) -> None:
    """After login, after the choice of a language and after the choice of an identity."""
    username = Person.objects.get(pk=provider.person_id).username
    client = Client()
    sent = {"login": username, "password": world.PASSWORD, "next": where}
    entered = client.post(f"{reverse('account_login')}", sent)
    assert entered.status_code == 302
    chosen = [
        client.post(reverse("set_language"), {"language": "en", "next": where}),
        client.post(reverse("switch_membership"), {"membership": provider.membership_id, "next": where}),
        client.post(reverse("account_logout"), {"next": where}),
    ]
    led = [response["Location"] for response in (entered, *chosen) if response.has_header("Location")]
    assert [to for to in led if not to.startswith("/") or to.startswith(("//", "/\\"))] == []


def test_a_foreign_host_is_refused_and_reaches_no_mail(provider: Actor, settings: Any) -> None:
    person = Person.objects.get(pk=provider.person_id)
    Person.objects.filter(pk=person.pk).update(email="a@example.cn")
    spoofed = {"host": "testserver", "x-forwarded-host": "evil.example", "x-host": "evil.example"}
    assert Client().get(reverse("guide"), headers={"host": "evil.example"}).status_code == 400
    page = Client().get(reverse("guide"), headers=spoofed).content.decode()
    Client().post(
        reverse("password_forgotten"), {"username": person.username, "email": "a@example.cn"}, headers=spoofed
    )
    written = json.dumps(list(OutboxMessage.objects.values_list("payload", flat=True)))
    assert ("evil.example" in page, "evil.example" in written) == (False, False)
    assert [sent for sent in mail.outbox if "evil.example" in sent.body] == []


EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def test_every_kind_of_answer_carries_the_headers(provider: Actor, ministry_officer: Actor) -> None:
    """A page, a refusal, nothing there, a wrong method, a redirect, JSON, problems, a document, an export."""
    client, officer = client_of(provider), client_of(ministry_officer)
    export = reverse("list_export", args=["application"])
    answers = {
        "page": client.get(reverse("dashboard")),
        "forbidden": client.get(reverse("audit_list")),
        "missing": client.get("/nowhere"),
        "method": client.put(reverse("dashboard")),
        "redirect": Client().get(reverse("dashboard")),
        "probe": Client().get("/livez"),
        "problem": Client().get("/api/v1/nowhere"),
        "guide": Client().get(reverse("guide")),
        "login": Client().get(reverse("account_login")),
        "published": Client().get(reverse("published_list")),
        "export": officer.post(export, {"columns": "", "reason": "示例"}),
        "form": Client().get(reverse("application_form_xlsx")),
    }
    missing = {
        name: {key for key, value in EVERYWHERE.items() if response.get(key) != value}
        for name, response in answers.items()
    }
    assert missing == {name: set() for name in answers}
    policies = {name: response.get("Content-Security-Policy", "") for name, response in answers.items()}
    assert [name for name, rule in policies.items() if "default-src 'none'" not in rule] == []
    assert [
        name for name, rule in policies.items() if "unsafe" in rule or "http:" in rule or "*" in rule
    ] == []
    mine = ("page", "forbidden", "missing", "method", "redirect", "login", "export")
    assert [name for name in mine if "no-store" not in answers[name]["Cache-Control"]] == []


def test_what_people_sent_never_runs_in_the_portals_origin(provider: Actor) -> None:
    """A file leaves as a download in a sandbox."""
    case = intake.drafted(provider)
    file = ApplicationFile.unscoped.filter(application=case).earliest("pk")
    response = client_of(provider).get(reverse("application_file", args=[file.pk]))
    assert response.status_code == 200
    assert (response["Content-Disposition"].partition(";")[0], response["X-Content-Type-Options"]) == (
        "attachment",
        "nosniff",
    )
    assert set(response["Content-Security-Policy"].split("; ")) == {"sandbox", "default-src 'none'"}


PRODUCTION = """
import django, io, json
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
call_command("check", deploy=True, fail_level="WARNING", stdout=io.StringIO())
client = Client(headers={"host": "portal.example.cn"})
plain = client.get("/livez")
safe = client.get("/livez", secure=True)
static = client.get("/static/pilot/tokens.css", secure=True)
print(json.dumps({
    "cookies": [
        (getattr(settings, f"{kind}_COOKIE_NAME"), getattr(settings, f"{kind}_COOKIE_SECURE"),
         getattr(settings, f"{kind}_COOKIE_HTTPONLY"), getattr(settings, f"{kind}_COOKIE_SAMESITE"),
         getattr(settings, f"{kind}_COOKIE_DOMAIN"), getattr(settings, f"{kind}_COOKIE_PATH"))
        for kind in ("SESSION", "CSRF")
    ],
    "debug": settings.DEBUG,
    "plain": [plain.status_code, plain["Location"]],
    "hsts": [safe["Strict-Transport-Security"], static["Strict-Transport-Security"]],
    "static": [static.status_code, static["X-Content-Type-Options"]],
    "forwarded": [settings.USE_X_FORWARDED_HOST, settings.USE_X_FORWARDED_PORT],
}))
"""


@pytest.mark.slow
def test_the_settings_of_production() -> None:
    """``check --deploy`` has nothing to say; cookies bound to the host; HSTS on everything; no plain HTTP."""
    chosen = {
        "PILOT_HTTPS": "1",
        "PILOT_BEHIND_PROXY": "1",
        "PILOT_HOSTS": "portal.example.cn",
        "PILOT_ORIGINS": "https://portal.example.cn",
        "PILOT_EMAIL_HOST": "mail.example.cn",
        "PILOT_SECRET_KEY": "".join(map(chr, range(33, 117))),
        "DJANGO_SETTINGS_MODULE": "pilot.settings",
    }
    plain = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION], cwd=ROOT, env=plain | chosen, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {
        "cookies": [
            ["__Host-session", True, True, "Lax", None, "/"],
            ["__Host-csrf", True, True, "Lax", None, "/"],
        ],
        "debug": False,
        "plain": [301, "https://portal.example.cn/livez"],
        "hsts": ["max-age=31536000; includeSubDomains; preload"] * 2,
        "static": [200, "nosniff"],
        "forwarded": [False, False],
    }
