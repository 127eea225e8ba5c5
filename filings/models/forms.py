"""Stored verification forms (核验单): one encrypted row each, append-only, partitioned by hash of the unit.

The table is made by SQL in the migration (``PARTITION BY HASH (unit_id)``), so that (unit, form_no) is unique
over the whole pilot without a second table (design.md, "Storage of forms"). It has no foreign keys: the rows of a
chunk all refer to the same unit, job and key, which the loader has read (and locked the job) in the same transaction
and which are never deleted; to look them up for every row took the database a third of the time of storing it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from filings.enums import StoredCipher
from filings.models.uploads import UploadJob
from pilot.actors import Actor
from pilot.enums import FilingType, Province
from pilot.machines import EVERYTHING, NOTHING, Owned, append_only, never_deleted
from pilot.models import PilotUnit


class UnitMonthKey(models.Model):
    """The data key of one unit and month, wrapped by a master key; it and its content are sealed with ``cipher``.

    Destroying it (``destroyed_at``, business time) empties ``wrapped`` and with that destroys the month's content.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT)
    month = models.DateField()
    wrapped = models.BinaryField()
    master_version = models.PositiveSmallIntegerField()
    cipher = models.CharField(
        max_length=16, choices=StoredCipher.choices, db_default=StoredCipher.AES_256_GCM
    )
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "month"], name="one_key_per_unit_month"),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True) ^ Q(wrapped=b""), name="destroyed_key_is_gone"
            ),
        ]
        triggers = (never_deleted(),)  # stored forms refer to it, which have no foreign keys

    def __str__(self) -> str:
        return f"{self.unit_id} {self.month:%Y-%m}"


class VerificationForm(Owned):
    """One accepted form. Personal fields and the raw text lie in ``ciphertext``; the rest serves counting."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField()
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="forms", db_constraint=False)
    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="forms", db_constraint=False)
    row = models.PositiveIntegerField()
    form_no = models.CharField(max_length=160)
    chain_no = models.CharField(max_length=160)  # form_no of the chain's first version
    version = models.PositiveSmallIntegerField()
    supersedes = models.CharField(max_length=160, blank=True)
    day = models.DateField()  # of the chain's first receipt, Asia/Shanghai: the day it counts in, for good
    received_at = models.DateTimeField()
    collected_at = models.DateTimeField()
    late = models.BooleanField()
    filing_type = models.CharField(max_length=16, choices=FilingType.choices)
    subject_province = models.PositiveSmallIntegerField(choices=Province.choices)
    subject_kind = models.CharField(max_length=8)
    source = models.CharField(max_length=8)  # the door's format: ndjson, csv, xlsx, v3
    rule_version = models.CharField(max_length=16)
    subject_known = models.BooleanField()  # V3.0 additions may name a subject filed before
    digest = models.BinaryField()  # keyed digest of the normalised content: finds identical repeats
    subject_index = models.BinaryField()  # blind index of the subject's certificate
    key = models.ForeignKey(UnitMonthKey, on_delete=models.PROTECT, db_constraint=False)
    ciphertext = models.BinaryField()

    class Meta(Owned.Meta):
        managed = False
        db_table = "filings_verificationform"
        ordering = ["-received_at", "-id"]

    def __str__(self) -> str:
        return self.form_no

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(subject_province=actor.province) | Q(unit__province=actor.province)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


class FormRefusal(Owned):
    """A row that was refused at the door: its number and codes are kept, its content is not a form."""

    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="refusals")
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="refusals")
    row = models.PositiveIntegerField()
    form_no = models.CharField(max_length=160, blank=True)
    received_at = models.DateTimeField()
    errors: Any = models.JSONField()  # [{code, field}]: never a value

    class Meta(Owned.Meta):
        ordering = ["job", "row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="refusal_once_per_row")]
        indexes = [models.Index(fields=["unit", "received_at"])]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.job_id}:{self.row}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(job__in=models.QuerySet(UploadJob).filter(UploadJob.visibility(actor)))


class FormRepeat(Owned):
    """A row that repeats, word for word, what the unit had handed in before: counted once, so nothing is stored."""

    # The constraint's index finds a job's rows.
    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="repeats", db_index=False)
    row = models.PositiveIntegerField()
    form_no = models.CharField(max_length=160, blank=True)

    class Meta(Owned.Meta):
        ordering = ["job", "row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="repeat_once_per_row")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.job_id}:{self.row}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(job__in=models.QuerySet(UploadJob).filter(UploadJob.visibility(actor)))


class AuthorityRecord(models.Model):
    """One record of the authority's extract, kept as keyed digests: enough to compare, nothing to read."""

    identity = models.BinaryField()  # keyed digest of certificate type and number
    name = models.BinaryField()  # keyed digest of the normalised name
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity", "name", "valid_from", "valid_to"],
                nulls_distinct=False,
                name="authority_record_once",
            )
        ]

    def __str__(self) -> str:
        return f"authority record {self.pk}"
