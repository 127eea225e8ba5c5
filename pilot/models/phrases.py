"""Standing phrases kept for opinions, notices and answers: by somebody for himself, or for everyone in the office."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q

from pilot.actors import Actor
from pilot.machines import NOTHING, Owned

LONGEST: Final = 500


class Phrase(Owned):
    """A text to put into a form. Only its owner changes or forgets it."""

    person = models.ForeignKey("pilot.Person", on_delete=models.CASCADE, related_name="phrases")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=LONGEST)
    shared = models.BooleanField(default=False)

    class Meta(Owned.Meta):
        ordering = ["text", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "organisation", "text"], name="phrase_once"),
            models.CheckConstraint(condition=~Q(text=""), name="phrase_says_something"),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.organisation_id is None:
            return NOTHING
        return Q(organisation=actor.organisation_id) & (Q(person=actor.person_id) | Q(shared=True))
