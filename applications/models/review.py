"""A bureau's work on one application: who has it on the desk, and the checklist. Private to the bureau."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from applications.enums import Mark
from applications.models.application import Application, ApplicationFile
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Owned


class BureauWork(Owned):
    """Something only the bureau of the application's province sees."""

    class Meta(Owned.Meta):
        abstract = True

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.is_system:
            return EVERYTHING
        return Q(application__province=actor.province) if actor.is_bureau else NOTHING


class Claim(BureauWork):
    """One reviewer has the application on the desk; others read. ``seen_at`` (security time): last sign of life."""

    application = models.OneToOneField(Application, on_delete=models.CASCADE, related_name="claim")
    person = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.application}: {self.person}"


class ChecklistMark(BureauWork):
    """The mark on one item of the checklist for one version of the application, with where it was seen."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="marks")
    version = models.PositiveIntegerField()
    item = models.CharField(max_length=48)
    mark = models.CharField(max_length=16, choices=Mark.choices)
    text = models.TextField(blank=True)  # what is wrong; goes into the completeness notice
    file = models.ForeignKey(
        ApplicationFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    page = models.PositiveIntegerField(null=True, blank=True)
    marked_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["application", "version", "item"], name="one_mark_per_item")
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.get_mark_display()}"
