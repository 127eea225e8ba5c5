"""Signing in by the pages, the mails that left, a second factor that the test holds."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client
from django.urls import reverse

from pilot import workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import BusinessClock, Person, RoleChange
from pilot.services import outbox
from tests.factories import world

GOOD = "Kernel-Harbour-41"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DEAD_MAIL_SERVER = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
    }
}
"""Mailers for a port where nothing listens."""


def person_of(actor: Actor) -> Person:
    return Person.objects.get(pk=actor.person_id)


def browser(actor: Actor) -> Client:
    """A browser in which this person is signed in already."""
    client = Client()
    client.force_login(person_of(actor), backend=BACKEND)
    return client


def login(username: str, password: str = world.PASSWORD, **extra: Any) -> tuple[Client, Any]:
    client = Client()
    answer = client.post(reverse("account_login"), {"login": username, "password": password}, **extra)
    return client, answer


def status(client: Client, name: str = "notice_list") -> int:
    """What a page for everybody who is signed in answers: 200, or 302 to the sign-in."""
    return client.get(reverse(name)).status_code


def mailed_links() -> list[str]:
    """Send what waits; the paths of the links in all mails so far."""
    outbox.relay()
    return [
        path
        for message in mail.outbox
        for path in re.findall(r"http://[^/\s]+(/access/[\w-]+/)", str(message.body))
    ]


def give_factor(person: Person) -> tuple[str, list[str]]:
    """A second factor: the secret of the codes, and the recovery codes."""
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret, RecoveryCodes.activate(person).get_unused_codes()


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def leave_demonstration() -> None:
    """From here on the portal asks for the second factor, and again before an act that is signed."""
    BusinessClock.objects.update(demo=False)


def approve(change: RoleChange, by: str = Role.SECURITY_ADMIN) -> RoleChange:
    done: RoleChange = workflow.fire(change, "approve", actor=world.ministry(by))
    return done


def shown(answer: Any, username: str) -> tuple[int, str]:
    """Status and page without what differs by nature: the login typed, tokens, numbers and times."""
    text = answer.content.decode().replace(username, "LOGIN").replace(answer.headers["X-Request-Id"], "")
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    return answer.status_code, re.sub(r"\d\d:\d\d:\d\d(\.\d+)?", "", text)
