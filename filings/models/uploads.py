"""An upload job (上报批次): one file or request of forms on its way through the door."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from filings.enums import JobState
from filings.rules import render
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, StateField, machine, never_deleted, step
from pilot.models import PilotUnit

BY_REQUEST = "api"  # the name of what came in without a file; no file is kept under it


@machine
class UploadJob(Case):
    """What came in, when, and what became of every row. The file waits in an encrypted spool until it is done."""

    number_prefix = "SB"
    state = StateField(default=JobState.RECEIVED, choices=JobState.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="jobs")
    source_name = models.CharField(max_length=255)
    format = models.CharField(max_length=8)
    encoding = models.CharField(max_length=16, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    received_at = models.DateTimeField()
    dry_run = models.BooleanField(default=False)
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected_rows = models.PositiveIntegerField(default=0)
    code_counts: Any = models.JSONField(default=dict)
    taken_rows = models.PositiveIntegerField(
        default=0
    )  # rows whose chunk is committed: where a restart goes on
    heartbeat_at = models.DateTimeField(null=True, blank=True)  # security time
    attempts = models.PositiveSmallIntegerField(default=0)  # since the last committed chunk
    fault_code = models.CharField(max_length=40, blank=True, default="", db_default="")
    fault_params: Any = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # Of jobs that failed before codes were kept.
    fault_words = models.CharField(max_length=255, blank=True, db_column="fault")

    class Meta(Case.Meta):
        indexes = [
            models.Index(fields=["unit", "-received_at"]),
            models.Index(
                fields=["state"], condition=Q(state__in=["received", "processing"]), name="jobs_waiting"
            ),
            # The few among the thousands of a unit whose system hands in form by form.
            models.Index(fields=["unit"], condition=Q(state="failed"), name="jobs_failed"),
            models.Index(fields=["unit"], condition=Q(duplicates__gt=0), name="jobs_with_repeats"),
            models.Index(fields=["id"], condition=Q(dry_run=True), name="jobs_tried"),
        ]
        triggers = (never_deleted(),)  # stored forms refer to it, which have no foreign keys

    def __str__(self) -> str:
        return self.source_name

    @property
    def called(self) -> str:
        """What became of its rows; the file's name is destroyed with its month."""
        words = [(_("接收"), self.accepted), (_("重复"), self.duplicates), (_("拒收"), self.rejected_rows)]
        return " ".join(f"{word} {number:,}" for word, number in words if number)

    @property
    def is_marred(self) -> bool:
        """Whether rows were refused, which have to be corrected and sent again."""
        return self.state == JobState.DONE and self.rejected_rows > 0

    @property
    def fault(self) -> str:
        """Why the job failed, in the reader's language; empty for one that did not."""
        if not self.fault_code:
            return self.fault_words
        return render(self.fault_code, get_language() or "zh", **self.fault_params)

    @property
    def by_request(self) -> bool:
        """Whether it stands for a request, which was answered itself, and for no file."""
        return self.source_name == BY_REQUEST

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(unit__province=actor.province)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING

    @step(JobState.RECEIVED, JobState.PROCESSING, _("开始处理"))
    def start(self) -> None:
        """A worker has claimed the job."""

    @step(JobState.PROCESSING, JobState.DONE, _("完成"))
    def finish(self) -> None:
        """Every row has its outcome."""

    @step([JobState.RECEIVED, JobState.PROCESSING], JobState.FAILED, _("失败"))
    def fail(self) -> None:
        """The file as a whole, or the rest of it, cannot be taken."""
