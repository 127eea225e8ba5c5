"""How allauth fits the portal: nobody signs up alone, logins ignore case, sign-ins are audited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from pilot.actors import Actor
from pilot.middleware import client_address
from pilot.models import AuditEntry
from pilot.selectors import people
from pilot.services import audit


class AccountAdapter(DefaultAccountAdapter):
    """Closed registration: officials are invited, providers come through their bureau."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return username.lower()


@receiver(user_logged_in)
def record_login(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """A sign-in, with the role it begins in."""
    address = client_address(request) if request else None
    actor = people.actor_of(user, address=address) or Actor(role="", person_id=user.pk, name=user.name)
    with transaction.atomic():
        audit.record(action="account.login", actor=actor, object_type="person", object_id=str(user.pk))


@receiver(user_login_failed)
def record_failed_login(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """A failed sign-in. The login tried is not kept: people type passwords into that field."""
    actor = Actor(role="", name="anonymous", address=client_address(request) if request else None)
    with transaction.atomic():
        audit.record(action="account.login", actor=actor, outcome=AuditEntry.Outcome.FAILED)
