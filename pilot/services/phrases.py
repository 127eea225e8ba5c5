"""Keeping standing phrases, for oneself or for the office (R03)."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Phrase
from pilot.services import audit

LIMIT: Final = 100  # phrases of one person in one office


@transaction.atomic
def keep(*, actor: Actor, text: str, shared: bool = False) -> Phrase:
    """Keep a phrase; one that the actor has already is only shared, or no longer.

    Raises :class:`Refused` with too many phrases.
    """
    own = Phrase.unscoped.filter(person=actor.acting_person, organisation=actor.acting_organisation)
    if own.exclude(text=text).count() >= LIMIT:
        raise Refused(_("每人最多保存 %(n)s 条常用语") % {"n": LIMIT})
    phrase, _made = Phrase.unscoped.update_or_create(
        person_id=actor.acting_person,
        organisation_id=actor.acting_organisation,
        text=text,
        defaults={"shared": shared},
    )
    audit.record(action="phrase.kept", actor=actor, subject=phrase, detail={"shared": shared})
    return phrase


@transaction.atomic
def forget(*, actor: Actor, phrase: Phrase) -> None:
    """Forget a phrase. Raises :class:`Refused` when it is somebody else's."""
    if phrase.person_id != actor.acting_person:
        raise Refused(_("只能删除自己的常用语"))
    audit.record(action="phrase.forgotten", actor=actor, subject=phrase, detail={"shared": phrase.shared})
    phrase.delete()
