"""Tables that carry the machinery: business clock, numbers, history, audit, outbox, notices, documents."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pilot.machines import append_only


class BusinessClock(models.Model):
    """The one row that says how far business time is ahead of real time, and whether this is a demonstration."""

    offset = models.DurationField()
    demo = models.BooleanField(default=False)
    stage = models.CharField(max_length=16, blank=True)  # of the demonstration, once it stands

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_business_clock")]

    def __str__(self) -> str:
        return str(self.offset)


class NumberSequence(models.Model):
    """The last number given out in a series, e.g. application numbers of one province and year."""

    series = models.CharField(max_length=64, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.series}: {self.last}"


class TransitionRecord(models.Model):
    """One step in the life of a case, for good. ``number`` counts the steps of one object, so none can be forged in."""

    machine = models.CharField(max_length=48)
    object_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    case_key = models.UUIDField(db_index=True)
    name = models.CharField(max_length=48)
    source = models.CharField(max_length=32)
    target = models.CharField(max_length=32)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    person = models.ForeignKey(
        "pilot.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    organisation = models.ForeignKey(
        "pilot.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    role = models.CharField(max_length=32)
    reason = models.TextField(blank=True)
    internal = models.BooleanField(default=False)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "object_id", "number"], name="transition_number_once")
        ]
        # Four eyes ask of every case that waits whether the reader acted on it before.
        indexes = [models.Index(fields=["person", "case_key", "machine"], name="transition_by_person")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.machine} {self.object_id}: {self.source} –{self.name}→ {self.target}"


class AuditEntry(models.Model):
    """Who did what, when, from where, on what, with which outcome. Written in the act's own transaction."""

    class Outcome(models.TextChoices):
        DONE = "done", _("成功")
        DENIED = "denied", _("拒绝")
        FAILED = "failed", _("失败")

    at = models.DateTimeField()  # security time, always real
    business_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    person_id = models.BigIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=128)
    role = models.CharField(max_length=32)
    organisation_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=16)
    address = models.GenericIPAddressField(null=True, blank=True)
    object_type = models.CharField(max_length=48, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    detail: Any = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id"]),
            models.Index(fields=["at"]),
            # Each way of searching, newest first (``pilot.selectors.audit``).
            models.Index(fields=["action", "at"], name="audit_by_action"),
            models.Index(fields=["person_id", "at"], name="audit_by_person"),
            models.Index(fields=["actor", "at"], name="audit_by_actor"),
            models.Index(fields=["address", "at"], name="audit_by_address"),
            models.Index(fields=["outcome", "at"], name="audit_by_outcome"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome}"


class AuditSeal(models.Model):
    """A link of the hash chain: entry number ``seq`` with the digest over its content and the previous digest."""

    seq = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.seq} {self.digest[:12]}"


class OutboxMessage(models.Model):
    """Something that must leave the database (task, mail): written with its cause, sent after commit or swept."""

    class Kind(models.TextChoices):
        TASK = "task", _("后台任务")
        MAIL = "mail", _("邮件")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    target = models.CharField(max_length=128)
    payload: Any = models.JSONField(default=dict)
    not_before = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=255, blank=True)
    source = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=Q(sent_at__isnull=True, cancelled_at__isnull=True),
                name="outbox_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


class Notice(models.Model):
    """A message to one person inside the portal. No personal data: a subject and a link to the case."""

    person = models.ForeignKey("pilot.Person", on_delete=models.CASCADE, related_name="notices")
    subject = models.CharField(max_length=255)
    url = models.CharField(max_length=255)
    at = models.DateTimeField()
    visible_from = models.DateTimeField()  # security time: notices of a revertible act are held back
    source = models.CharField(max_length=64, blank=True, db_index=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-visible_from", "-pk"]
        indexes = [models.Index(fields=["person", "-visible_from"])]

    def __str__(self) -> str:
        return self.subject


class Document(models.Model):
    """A PDF (or table) made by the portal for a case; the file lies under ``PILOT_VAR`` by its hash."""

    machine = models.CharField(max_length=48)
    object_id = models.BigIntegerField()
    case_key = models.UUIDField(db_index=True)
    kind = models.SlugField(max_length=48)
    title = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=96, default="application/pdf")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["made_at", "pk"]
        indexes = [models.Index(fields=["machine", "object_id"])]
        triggers = append_only()

    def __str__(self) -> str:
        return self.title
