"""A question and answer's life: drafted by one official, published by another, withdrawn when it no longer holds."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from filings.models import FaqEntry
from filings.selectors import faq
from pilot.actors import Actor
from pilot.models import Membership
from pilot.selectors import people
from pilot.transitions import another_person
from pilot.workflow import Act, on


def same_office(entry: FaqEntry, actor: Actor, at: datetime) -> str | None:
    """Guard: a bureau answers for what was written in it; the ministry for all."""
    mine = FaqEntry.unscoped.filter(faq.of_office(actor), pk=entry.pk).exists()
    return None if mine else _("由起草单位或部机关办理")


def writer(entry: FaqEntry) -> QuerySet[Membership]:
    """Audience: whoever wrote it."""
    return people.person(entry.drafted_by_id)


@on(FaqEntry, "publish", guards=[same_office, another_person("drafted_by")], tell=[writer])
def publish(entry: FaqEntry, act: Act) -> None:
    """Another person than the writer has read it."""
    entry.published_by_id = act.actor.person_id


@on(FaqEntry, "withdraw", guards=[same_office], tell=[writer], reason_required=True)
def withdraw(entry: FaqEntry, act: Act) -> None:
    """It stays on record with the reason."""
