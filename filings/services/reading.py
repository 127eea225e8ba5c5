"""Opening a stored form for a reader: who read which form, and why unmasked, is on record."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from filings.models import VerificationForm
from filings.services.storage import open_form
from pilot.actors import Actor
from pilot.enums import DataGroup
from pilot.errors import ContentDestroyed
from pilot.services import audit, disclosure


@transaction.atomic
def read_form(*, actor: Actor, form: VerificationForm) -> dict[str, Any] | None:
    """The record of a form, after an audit row was written; pages show it masked. None: its content is destroyed."""
    audit.record(action="form.read", actor=actor, subject=form)
    return opened(form)


def unmask_form(*, actor: Actor, form: VerificationForm, reason: str) -> dict[str, Any] | None:
    """The record of a form to be shown in full; the reason is on record. None: its content is destroyed.

    Raises as ``disclosure.unmask``. Whether this actor may see the form in full at all, the caller knows.
    """
    disclosure.unmask(actor=actor, subject=form, group=DataGroup.FORM, reason=reason)
    return opened(form)


def opened(form: VerificationForm) -> dict[str, Any] | None:
    """The record of a form whose reading is on record by now. None: its content is destroyed."""
    try:
        return open_form(form)
    except ContentDestroyed:
        return None
