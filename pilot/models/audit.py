"""What makes the audit log provable to others: its tree, the signed heads, and the checks of the whole."""

from __future__ import annotations

from django.db import models

from pilot.machines import append_only


class AuditBlock(models.Model):
    """The root over one full block of seals (``pilot.services.audit.BLOCK`` of them), so that proofs stay cheap."""

    number = models.BigIntegerField(primary_key=True)  # from 0
    root = models.CharField(max_length=64)

    class Meta:
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.number} {self.root[:12]}"


class AuditHead(models.Model):
    """A signed statement about the first ``size`` entries: the root of their tree, the digest of their chain.

    Whoever keeps one can find out later whether anything before it was touched.
    """

    size = models.BigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)  # of seal number ``size``
    at = models.DateTimeField()  # security time, whole seconds
    key = models.CharField(max_length=64)  # Ed25519 public key, hex
    signature = models.CharField(max_length=128)  # hex

    class Meta:
        ordering = ["size"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.size} {self.root[:12]}"


class AuditCheck(models.Model):
    """A check of the whole log: asked for by a person or by the calendar, done by a job. Security time.

    Without ``finished_at`` it waits, or ``seen_at`` says since when a job is at it.
    """

    requested_at = models.DateTimeField()
    person = models.ForeignKey(
        "pilot.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    seen_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    entries = models.BigIntegerField(default=0)
    unsealed = models.BigIntegerField(default=0)
    heads = models.BigIntegerField(default=0)
    fault = models.CharField(max_length=255, blank=True)  # the first thing that is wrong; empty: nothing

    class Meta:
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M:%S} {self.fault}"
