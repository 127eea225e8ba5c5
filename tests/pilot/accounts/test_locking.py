"""Guessing: wrong passwords and wrong codes lock the account, whoever asks from where; nobody learns who exists."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from pilot import tasks
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import AuditEntry
from tests.factories import world
from tests.pilot.accounts.helpers import browser, code_now, give_factor, login, person_of, shown, status

WRONG = "wrong-password"


def lock(username: str) -> None:
    for turn in range(10):
        login(
            username.upper() if turn % 2 else username,
            WRONG,
            headers={"X-Forwarded-For": f"203.0.113.{turn}"},
        )


def test_neither_a_forged_address_nor_another_spelling_gives_more_tries(ministry_officer: Actor) -> None:
    username = person_of(ministry_officer).username
    lock(username)
    answers = [
        login(name, headers={"X-Forwarded-For": "198.51.100.7"})[1].status_code
        for name in (username, username.upper(), f" {username}")
    ]
    assert answers == [429, 429, 429]
    AccessAttempt.objects.update(
        attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(minutes=16)
    )
    assert login(username)[1].status_code == 302  # the time is over


def test_the_security_administrator_unlocks(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    lock(person.username)
    address = reverse("person_unlock", args=[person.pk])
    assert browser(world.ministry(Role.SYSTEM_ADMIN)).post(address).status_code == 403
    assert browser(world.ministry(Role.SECURITY_ADMIN)).post(address).status_code == 302
    assert login(person.username)[1].status_code == 302
    assert AuditEntry.objects.get(action="person.unlock").object_id == str(person.pk)


def test_wrong_codes_count_like_wrong_passwords(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    secret, _codes = give_factor(person)
    client, _answer = login(person.username)
    for _ in range(10):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})
    assert client.get(reverse("notice_list"))["Location"].startswith(reverse("account_login"))
    assert login(person.username)[1].status_code == 429


def test_a_code_opens_once(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    secret, _codes = give_factor(person)
    code = code_now(secret)
    places = []
    for _ in range(2):
        client, _answer = login(person.username)
        places.append(client.post(reverse("mfa_authenticate"), {"code": code}).headers.get("Location"))
    assert places == ["/", None]


def test_sign_in_says_the_same_of_known_invited_disabled_and_unknown(ministry_officer: Actor) -> None:
    invited, disabled = (person_of(world.ministry()) for _ in range(2))
    invited.set_unusable_password()
    invited.save()
    disabled.is_active = False
    disabled.save()
    names = [person_of(ministry_officer).username, invited.username, disabled.username, "nobody"]
    pages = [shown(login(name, WRONG)[1], name) for name in names]
    assert pages == pages[:1] * 4


def test_no_secret_of_a_second_factor_lies_open_and_a_new_master_key_takes_over(
    ministry_officer: Actor, settings: Any
) -> None:
    settings.PILOT_MASTER_KEY = "1:old"
    person = person_of(ministry_officer)
    secret, codes = give_factor(person)
    settings.PILOT_MASTER_KEY = "2:new,1:old"
    assert [tasks.reseal_second_factors(), tasks.reseal_second_factors()] == [2, 0]
    settings.PILOT_MASTER_KEY = "2:new"
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert [text in kept for text in (secret, *codes)] == [False] * 11
    client, _answer = login(person.username)
    client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})
    assert status(client) == 200


@pytest.mark.slow
def test_sign_in_takes_the_same_time_for_known_and_unknown(ministry_officer: Actor) -> None:
    """CPU time of this process, in turns, with the real hasher: medians within 5 %."""
    hasher = "django.contrib.auth.hashers.Argon2PasswordHasher"
    names = [person_of(ministry_officer).username, "nobody"]
    with override_settings(PASSWORD_HASHERS=[hasher], AXES_ENABLED=False):
        person = person_of(ministry_officer)
        person.set_password(world.PASSWORD)
        person.save()
        took: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(40):
            for name in names:
                begun = time.process_time()
                login(name, WRONG)
                took[name].append(time.process_time() - begun)
    known, unknown = (statistics.median(took[name]) for name in names)
    assert abs(known - unknown) / known < 0.05


def test_a_code_opens_once_over_all_processes(ministry_officer: Actor) -> None:
    person = person_of(ministry_officer)
    secret, _codes = give_factor(person)
    code, places = code_now(secret), []
    for _ in range(2):
        client, _answer = login(person.username)
        places.append(client.post(reverse("mfa_authenticate"), {"code": code}).headers.get("Location"))
        cache.clear()  # another process has a cache of its own
    assert places == ["/", None]


def test_what_is_typed_as_login_is_not_kept(
    ministry_officer: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    typed = "Geheim-Passwort-7"
    with caplog.at_level("DEBUG", logger="axes"):
        for _ in range(11):
            login(typed, typed)
    assert login(f" {typed.upper()}")[1].status_code == 429
    kept = repr(list(AccessAttempt.objects.values())) + caplog.text
    assert typed.lower() not in kept.lower()


def test_where_a_login_leads_to_may_be_nonsense(provider: Actor) -> None:
    """An address that is none leads home; it is no fault of the server."""
    page = f"{reverse('account_login')}?next=//["
    assert Client().get(page).status_code == 200
    fields = {"login": person_of(provider).username, "password": world.PASSWORD, "next": "//["}
    assert Client().post(reverse("account_login"), fields)["Location"] == "/"
