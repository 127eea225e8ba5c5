"""People of benchmarks who never type a password: hashing one for each would take longer than everything else."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import get_random_string

from pilot.demo import world
from pilot.models import Membership, Organisation, Person

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def person(login: str, organisation: Organisation, role: str) -> Membership:
    """Somebody with a role in an organisation."""
    made = Person.objects.create_user(login, None, name=f"示例{login}", email=f"{login}@example.cn")
    return Membership.objects.create(
        person=made, organisation=organisation, role=role, valid_from=world.SINCE
    )


def cookies(who: Person, address: str) -> Mapping[str, str]:
    """The cookies of somebody who signed in before, at the portal of this address."""
    session = SessionStore()
    session[SESSION_KEY] = str(who.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = who.get_session_auth_hash()
    session.create()
    port = address.rstrip("/").rpartition(":")[2]  # the names of cookies carry it
    return {f"pilot-session-{port}": str(session.session_key), f"pilot-csrf-{port}": get_random_string(32)}
