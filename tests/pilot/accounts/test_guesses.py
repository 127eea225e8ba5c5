"""Guessing at length: the account locks, and then not even the right password or the right code opens it."""

from __future__ import annotations

import os
from collections import Counter

from django.urls import reverse

from pilot.actors import Actor
from pilot.models import AuditEntry
from tests.factories import world
from tests.pilot.accounts.helpers import code_now, give_factor, login, person_of

GUESSES = int(os.environ.get("PILOT_GUESSES", "40"))
EVERY = 20  # so often the guess is right


def test_guessing_passwords_opens_nothing(ministry_officer: Actor) -> None:
    """From ever new addresses, as a forged header says, and in other spellings of the name."""
    name, seen = person_of(ministry_officer).username, Counter[int]()
    for turn in range(1, GUESSES + 1):
        password = world.PASSWORD if turn % EVERY == 0 else f"guess-{turn}"
        spoofed = {"X-Forwarded-For": f"203.0.{turn // 250}.{turn % 250}"}
        client, answer = login(name.upper() if turn % 2 else name, password, headers=spoofed)
        seen[answer.status_code] += 1
        assert "_auth_user_id" not in client.session
    assert seen == {200: 9, 429: GUESSES - 9}
    assert not AuditEntry.objects.filter(action="account.login", outcome="done").exists()


def test_guessing_codes_opens_nothing(ministry_officer: Actor) -> None:
    """Who knows the password guesses the second factor; the right code comes when it no longer counts."""
    person = person_of(ministry_officer)
    secret, _codes = give_factor(person)
    client, _answer = login(person.username)
    for turn in range(1, GUESSES + 1):
        code = code_now(secret) if turn % EVERY == 0 else f"{turn:06d}"
        answer = client.post(reverse("mfa_authenticate"), {"code": code})
        assert "_auth_user_id" not in client.session, (turn, answer.status_code)
