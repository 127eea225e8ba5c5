"""Opening a stored form for a reader: who read which form, and why unmasked, is on record."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import UnmaskReason
from filings.models import VerificationForm
from filings.services.storage import open_form
from pilot.actors import Actor
from pilot.errors import ContentDestroyed, Refused
from pilot.services import audit


@transaction.atomic
def read_form(*, actor: Actor, form: VerificationForm) -> dict[str, Any] | None:
    """The record of a form, after an audit row was written; pages show it masked. None: its content is destroyed."""
    audit.record(action="form.read", actor=actor, subject=form)
    return _opened(form)


@transaction.atomic
def unmask_form(*, actor: Actor, form: VerificationForm, reason: str) -> dict[str, Any] | None:
    """The record of a form to be shown in full; the reason is on record. None: its content is destroyed.

    Raises :class:`Refused` for anything but an :class:`UnmaskReason`. Whether this actor may see the form in full at
    all, the caller knows.
    """
    if reason not in UnmaskReason.values:
        raise Refused(_("请选择查看完整内容的理由"))
    audit.record(action="form.unmask", actor=actor, subject=form, detail={"reason": reason})
    return _opened(form)


def _opened(form: VerificationForm) -> dict[str, Any] | None:
    try:
        return open_form(form)
    except ContentDestroyed:
        return None
