"""Spreadsheets of long lists, written in the background for one person (C08)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.machines import NOTHING, Owned


class Export(Owned):
    """A list as a spreadsheet: asked for, written by a job, fetched by whoever asked, kept for some days.

    It belongs to a membership, not to a person alone: in another role the same person sees other rows. All times are
    security time. Where it stands follows from them: no ``finished_at`` and no ``failed`` means still under way.
    """

    class Failure(models.TextChoices):
        ROLE_OVER = "role", _("申请导出时的身份已失效")
        BROKEN = "broken", _("写入文件时出错，请重新导出；仍不成功的，请联系系统管理员")

    membership = models.ForeignKey("pilot.Membership", on_delete=models.CASCADE, related_name="exports")
    machine = models.CharField(max_length=48)
    query = models.CharField(max_length=2000, blank=True)
    columns = models.CharField(max_length=1000, blank=True)  # keys joined by commas; empty: all
    language = models.CharField(max_length=16)
    total = models.PositiveIntegerField()  # rows when it was asked for
    written = models.PositiveIntegerField(default=0)  # rows so far
    requested_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)  # last sign of life of the job
    taken_by = models.CharField(
        max_length=64, blank=True, db_default=""
    )  # the task that is at it; empty: a sweep
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often it was begun
    finished_at = models.DateTimeField(null=True, blank=True)
    failed = models.CharField(max_length=8, choices=Failure.choices, blank=True)
    name = models.CharField(max_length=128)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)  # bytes

    class Meta(Owned.Meta):
        ordering = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["requested_at"])]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(membership=actor.membership_id) if actor.membership_id else NOTHING
