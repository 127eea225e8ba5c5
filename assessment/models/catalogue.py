"""The criteria catalogue (评估指标): what an assessment scores, edition by edition; an edition never changes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language

from pilot.machines import append_only


class CatalogueEdition(models.Model):
    """One version of a programme's catalogue: who put it in force when, and why.

    The newest holds for assessments whose assessors are asked from then on; others keep the version they began with.
    """

    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    reason = models.TextField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "version"], name="catalogue_edition_once")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.programme} {self.version}"


class Criterion(models.Model):
    """One criterion of one version: its weight in points, and the least points without which the whole fails."""

    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="criteria")
    version = models.PositiveIntegerField(default=1)
    code = models.SlugField(max_length=32)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=128)
    title_en = models.CharField(max_length=128)
    # What to look at and which evidence to name; empty where the title says it all.
    guidance = models.CharField(max_length=500, blank=True, default="", db_default="")
    guidance_en = models.CharField(max_length=500, blank=True, default="", db_default="")
    points = models.PositiveSmallIntegerField()
    must_pass = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "version", "code"], name="criterion_once")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.title_en if get_language() == "en" else self.title

    @property
    def hint(self) -> str:
        """The guidance in the reader's language."""
        return self.guidance_en if get_language() == "en" else self.guidance
