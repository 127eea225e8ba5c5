"""Computed figures: daily buckets kept up to date by the days that changed, and append-only results."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from pilot.actors import Actor
from pilot.enums import Province
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
    marks: Any = (
        models.JSONField()
    )  # highest ids counted: forms, comparisons, steps of findings and inspections
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


class DirtyDay(models.Model):
    """A unit's day whose bucket no longer holds: queued by triggers in the writer's own transaction.

    The triggers stand at the tables that bear on counts (forms, comparisons, findings, inspected items), so that no
    writer can forget. Rows are taken off the queue by the fold that recounts their day.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["unit", "day"])]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}"


class DailyTally(Owned):
    """What the chains of one unit, day, province and subject kind add to the figures: whole numbers that add up.

    The counts are those of ``filings.accuracy.counting.Counts`` without what never became a chain.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="tallies", db_constraint=False)
    day = models.DateField()
    subject_province = models.PositiveSmallIntegerField(choices=Province.choices)
    subject_kind = models.CharField(max_length=8)
    forms = models.PositiveIntegerField()  # every stored form whose own province and kind these are
    versions = models.PositiveIntegerField()
    m1_n = models.PositiveIntegerField()
    m1_errors = models.PositiveIntegerField()
    m2_n = models.PositiveIntegerField()
    m2_errors = models.PositiveIntegerField()
    pending = models.PositiveIntegerField()
    undeterminable = models.PositiveIntegerField()
    m1_provisional = models.PositiveIntegerField()
    m2_provisional = models.PositiveIntegerField()
    errors_corrected = models.PositiveIntegerField()
    first_pass_m1_n = models.PositiveIntegerField()
    first_pass_m1_errors = models.PositiveIntegerField()
    first_pass_m2_n = models.PositiveIntegerField()
    first_pass_m2_errors = models.PositiveIntegerField()
    late = models.PositiveIntegerField()

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "day", "subject_province", "subject_kind"], name="one_tally_per_bucket"
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day} {self.subject_province}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(subject_province=actor.province) | Q(unit__province=actor.province)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING
