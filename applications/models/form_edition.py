"""How the ministry words and orders the application form of a programme."""

from __future__ import annotations

from typing import Any

from django.db import models

from pilot.machines import append_only


class FormEdition(models.Model):
    """One edition of the form: what it changes in the shipped catalogue. The newest edition holds.

    ``settings`` maps a field to any of label, label_en, help, help_en, required and position.
    """

    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    settings: Any = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="form_edition_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.programme} {self.number}"
