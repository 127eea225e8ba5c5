"""The national V3.0 service (SOAP) of a unit: whether it is on, its secret, its sequence, and every accepted file."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from filings.models.uploads import UploadJob
from pilot.actors import Actor
from pilot.machines import NOTHING, Owned
from pilot.models import PilotUnit


class V3Access(Owned):
    """A unit's access by the V3.0 service. The secret can be shown again, so it is kept encrypted, never as a digest.

    ``hours_from``/``hours_until`` (Asia/Shanghai, half-open, may pass midnight): when calls are taken; both or none.
    The counters hold the calls of the current minute (security time): of the unit, and those refused at the door.
    """

    unit = models.OneToOneField(PilotUnit, on_delete=models.PROTECT, related_name="v3_access")
    enabled = models.BooleanField(default=False)
    sealed_secret = models.BinaryField()
    master_version = models.PositiveSmallIntegerField()
    secret_at = models.DateTimeField()  # security time
    networks: Any = ArrayField(models.CharField(max_length=43), default=list, blank=True)  # empty: anywhere
    hours_from = models.TimeField(null=True, blank=True)
    hours_until = models.TimeField(null=True, blank=True)
    last_sequence = models.PositiveBigIntegerField(default=0)  # of the last accepted file
    calls_started = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    denials_started = models.DateTimeField(null=True, blank=True)
    denials = models.PositiveIntegerField(default=0)

    class Meta(Owned.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(hours_from__isnull=True, hours_until__isnull=True)
                | Q(hours_from__isnull=False, hours_until__isnull=False),
                name="v3_hours_both_or_none",
            )
        ]

    def __str__(self) -> str:
        return f"V3.0 {self.unit_id}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


class V3Upload(Owned):
    """A file accepted by ``isp_upload``: its number is used up, and its result waits until it is acknowledged.

    ``records`` holds per record the kind of its result and the id it answers. A file refused at its head has no job
    but the ``refusal``, a national code. ``digest`` (SHA-256, hex) of the XML tells a repeat from another file.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="v3_uploads")
    sequence = models.PositiveBigIntegerField()
    job = models.OneToOneField(UploadJob, on_delete=models.PROTECT, null=True, related_name="v3_upload")
    refusal = models.PositiveSmallIntegerField(null=True)
    digest = models.CharField(max_length=64)
    package_digest = models.CharField(max_length=32)  # beianInfoHash
    cipher = models.PositiveSmallIntegerField()  # the result is packed as the upload was
    records: Any = models.JSONField(default=list)
    received_at = models.DateTimeField()  # business time
    fetched_at = models.DateTimeField(null=True, blank=True)  # security time, the last time
    acknowledged_at = models.DateTimeField(null=True, blank=True)  # security time

    class Meta(Owned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["unit", "sequence"], name="v3_sequence_once"),
            models.CheckConstraint(
                condition=Q(job__isnull=True) ^ Q(refusal__isnull=True), name="v3_job_or_refusal"
            ),
        ]
        indexes = [
            models.Index(
                fields=["unit", "sequence"],
                condition=Q(acknowledged_at__isnull=True),
                name="v3_results_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"V3.0 {self.unit_id}:{self.sequence}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING
