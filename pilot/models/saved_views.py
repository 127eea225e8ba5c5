"""Filters of a list that somebody keeps under a name, for himself or for everyone in the office (C06)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from pilot.actors import Actor
from pilot.machines import NOTHING, Owned


class SavedView(Owned):
    """A named filter and order of one machine's list. Its owner's default opens with the list."""

    person = models.ForeignKey("pilot.Person", on_delete=models.CASCADE, related_name="saved_views")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.CASCADE, related_name="+")
    machine = models.CharField(max_length=48)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=2000)  # of the list's address, e.g. "state=submitted&sort=-due"
    shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Owned.Meta):
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation", "machine", "name"], name="saved_view_name_once"
            ),
            models.UniqueConstraint(
                fields=["person", "organisation", "machine"],
                condition=Q(is_default=True),
                name="one_default_view",
            ),
            models.CheckConstraint(condition=~Q(query=""), name="saved_view_filters"),
        ]
        indexes = [models.Index(fields=["organisation", "machine"])]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.organisation_id is None:
            return NOTHING
        return Q(organisation=actor.organisation_id) & (Q(person=actor.person_id) | Q(shared=True))
