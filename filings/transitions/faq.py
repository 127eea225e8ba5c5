"""A question and answer's life: drafted by one official, published by another, withdrawn when it no longer holds."""

from __future__ import annotations

from django.db.models import QuerySet

from filings.models import FaqEntry
from pilot.models import Membership
from pilot.selectors import people
from pilot.transitions import another_person
from pilot.workflow import Act, on


def writer(entry: FaqEntry) -> QuerySet[Membership]:
    """Audience: whoever wrote it."""
    return people.person(entry.drafted_by_id)


@on(FaqEntry, "publish", guards=[another_person("drafted_by")], tell=[writer])
def publish(entry: FaqEntry, act: Act) -> None:
    """Another person than the writer has read it."""
    entry.published_by_id = act.actor.person_id


@on(FaqEntry, "withdraw", tell=[writer], reason_required=True)
def withdraw(entry: FaqEntry, act: Act) -> None:
    """It stays on record with the reason."""
