"""Reads around objections: who had a part in the decision and may not review it."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q

from pilot.machines import NOTHING
from pilot.models import Objection, TransitionRecord
from pilot.signals import decision_hands


def had_part(person_id: int | None) -> Q:
    """The objections to decisions in which a person had a part: on the case's own timeline, or where an app knows.

    A filter, so that whoever works through a list asks once however long it is.
    """
    if person_id is None:
        return NOTHING
    steps = TransitionRecord.objects.filter(case_key=OuterRef("case_key"), person=person_id)
    found = Q(Exists(steps.exclude(machine=Objection.slug())))
    answers: Any = decision_hands.send(sender=Objection, person_id=person_id)
    for _receiver, elsewhere in answers:
        found |= elsewhere
    return found
