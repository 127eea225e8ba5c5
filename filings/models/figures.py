"""Computed figures: daily buckets, the queue of changes that are folded into them, and append-only results."""

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
    # [form id, 1 for an M1 error or 0, [finding ids]] of every counted version with an M2 error, by form
    errors: Any = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    # fold number, and highest ids of forms, comparisons and steps of findings and inspections: all taken beforehand
    marks: Any = models.JSONField()
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


class Tally(models.Model):
    """What the chains of one unit, day, province and subject kind add to the figures: whole numbers that add up.

    The counts are those of ``filings.accuracy.counting.Counts`` without what never became a chain.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    day = models.DateField()
    subject_province = models.PositiveSmallIntegerField(choices=Province.choices)
    subject_kind = models.CharField(max_length=8)
    forms = models.IntegerField()  # every stored form whose own province and kind these are
    versions = models.IntegerField()
    m1_n = models.IntegerField()
    m1_errors = models.IntegerField()
    m2_n = models.IntegerField()
    m2_errors = models.IntegerField()
    pending = models.IntegerField()
    undeterminable = models.IntegerField()
    m1_provisional = models.IntegerField()
    m2_provisional = models.IntegerField()
    errors_corrected = models.IntegerField()
    first_pass_m1_n = models.IntegerField()
    first_pass_m1_errors = models.IntegerField()
    first_pass_m2_n = models.IntegerField()
    first_pass_m2_errors = models.IntegerField()
    late = models.IntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day} {self.subject_province}"


class CountDelta(Tally):
    """By how much one write changed a bucket: appended in the writer's own transaction, deleted when folded.

    Append-only until then, so that writers never wait for each other or for the fold.
    """

    class Meta:
        indexes = [models.Index(fields=["unit", "day"], name="filings_delta_unit_day")]


class OwnedTally(Tally, Owned):
    """Buckets that people read: each their own part."""

    class Meta(Owned.Meta):
        abstract = True

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return _part(actor)


class DailyTally(OwnedTally):
    """One bucket as far as changes were folded into it. Folds take changes in any order, so that a count may be
    below zero for a moment; what is shown is always :class:`LiveTally`.
    """

    class Meta(OwnedTally.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "day", "subject_province", "subject_kind"], name="one_tally_per_bucket"
            )
        ]


class LiveTally(OwnedTally):
    """Buckets and what waits to be folded into them, as one view: summed up, it is always what was committed.

    A single reading of one statement, so that no fold can fall between the two halves.
    """

    class Meta(OwnedTally.Meta):
        managed = False
        db_table = "filings_livetally"


class MonthTally(OwnedTally):
    """The buckets of a month as one, whose ``day`` is its first: sums to date read a thirtieth of the rows.

    Written by the statements that write the buckets, and as little to be shown by itself: see :class:`LiveMonth`.
    """

    class Meta(OwnedTally.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "day", "subject_province", "subject_kind"], name="one_tally_per_month"
            )
        ]


class LiveMonth(OwnedTally):
    """What :class:`LiveTally` is to days: months and what waits to be folded into them, in one reading."""

    class Meta(OwnedTally.Meta):
        managed = False
        db_table = "filings_livemonth"


class FoldMark(models.Model):
    """How many folds have changed a unit's buckets: the mark up to which a computed result counts."""

    unit = models.OneToOneField(
        PilotUnit, on_delete=models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    number = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.unit_id}: {self.number}"


def _part(actor: Actor) -> Q:
    """A bureau counts its own units whole, and its own province's part of all others."""
    if actor.sees_everything:
        return EVERYTHING
    if actor.is_bureau:
        return Q(subject_province=actor.province) | Q(unit__province=actor.province)
    return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING
