"""Opening a stored form for a reader: who read which form is on record."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from filings.models import VerificationForm
from filings.services.storage import open_form
from pilot.actors import Actor
from pilot.errors import ContentDestroyed
from pilot.services import audit


@transaction.atomic
def read_form(*, actor: Actor, form: VerificationForm) -> dict[str, Any] | None:
    """The record of a form, after an audit row was written; pages show it masked. None: its content is destroyed."""
    audit.record(action="form.read", actor=actor, subject=form)
    try:
        return open_form(form)
    except ContentDestroyed:
        return None
