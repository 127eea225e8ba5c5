"""Computed figures: append-only results that pin what they counted."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Owned, append_only
from pilot.models import PilotUnit


class AccuracyResult(Owned):
    """The figures of one unit over one period as of one moment; a new computation is a new row.

    ``period`` is ``YYYY-MM-DD``, ``YYYY-MM`` or ``to-date``; ``counts`` are integers only (house rule 7).
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="results")
    period = models.CharField(max_length=10)
    rule_version = models.CharField(max_length=16)
    counts: Any = models.JSONField()
    marks: Any = models.JSONField()  # highest ids counted: forms, comparisons, steps of findings, judged items
    as_of = models.DateTimeField()
    computed_at = models.DateTimeField(auto_now_add=True)

    class Meta(Owned.Meta):
        indexes = [models.Index(fields=["unit", "period", "-id"])]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.unit_id} {self.period} {self.as_of:%Y-%m-%d %H:%M}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(unit__province=actor.province)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING
