"""The register of pilot units: who takes part, since when, with which scope."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from pilot.actors import Actor
from pilot.enums import FilingType, Province, UnitStatusKind
from pilot.machines import EVERYTHING, NOTHING, Owned, append_only, never_deleted


class PilotUnit(Owned):
    """A provider on the list of pilot units. ``code`` is unique over all programmes and implies one."""

    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="units")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="units")
    code = models.CharField(max_length=32, unique=True)
    national_id = models.PositiveBigIntegerField(unique=True)  # Qqdwid of the national filing system
    province = models.PositiveSmallIntegerField(choices=Province.choices)
    case_key = models.UUIDField()
    licence_expires_on = models.DateField(null=True, blank=True)
    enrolled_at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "organisation"], name="one_unit_per_provider")
        ]
        triggers = (never_deleted(),)  # stored forms refer to it, which have no foreign keys

    def __str__(self) -> str:
        return f"{self.code} {self.organisation.name}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything or actor.is_bureau:
            # Every bureau receives forms of every unit whose subjects live in its province.
            return EVERYTHING
        return Q(organisation=actor.organisation_id) if actor.is_provider else NOTHING


class UnitStatus(models.Model):
    """The status of a unit over a range of business time; ranges of one unit never overlap."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="statuses")
    kind = models.CharField(max_length=16, choices=UnitStatusKind.choices)
    during = DateTimeRangeField()
    reason = models.CharField(max_length=255)

    class Meta:
        ordering = ["during"]
        constraints = [
            ExclusionConstraint(
                name="unit_status_no_overlap",
                expressions=[("unit", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.kind} {self.during}"


class UnitScope(models.Model):
    """A province and filing type opened for a unit from one moment until another."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="scopes")
    province = models.PositiveSmallIntegerField(choices=Province.choices)
    filing_type = models.CharField(max_length=16, choices=FilingType.choices)
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="unit_scope_no_overlap",
                expressions=[
                    ("unit", RangeOperators.EQUAL),
                    ("province", RangeOperators.EQUAL),
                    ("filing_type", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.province} {self.filing_type}"


class ScopeChange(models.Model):
    """Somebody opened or closed provinces and filing types of a unit from a moment on; the ranges follow from it."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="scope_changes")
    opened = models.BooleanField()
    provinces: Any = ArrayField(models.PositiveSmallIntegerField())
    filing_types: Any = ArrayField(models.CharField(max_length=16))
    effective_from = models.DateTimeField()
    reason = models.CharField(max_length=255)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["decided_at", "pk"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.unit_id} {self.effective_from}"
