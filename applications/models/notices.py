"""What a bureau tells an applicant for good: the one-time completeness notice (一次性告知) and the refusal.

``step`` is the number of the act in the history of the application, so that an act taken back can be told apart.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from applications.models.application import Application, PartOfApplication
from pilot.actors import Actor
from pilot.machines import Owned, append_only


class CompletenessNotice(PartOfApplication):
    """What the bureau asks to correct, and until when (business time, working days of the programme)."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="completeness_notices"
    )
    number = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    issued_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="completeness_notice_once")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.application} #{self.number}"


class NoticeItem(Owned):
    """One fault: ``target`` is the field or file kind it is tied to."""

    notice = models.ForeignKey(CompletenessNotice, on_delete=models.PROTECT, related_name="items")
    target = models.CharField(max_length=48)
    text = models.TextField()

    class Meta(Owned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["notice", "target"], name="notice_item_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.target}: {self.text}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        notices: models.QuerySet[CompletenessNotice] = models.QuerySet(CompletenessNotice)
        return Q(notice__in=notices.filter(CompletenessNotice.visibility(actor)))


class Refusal(PartOfApplication):
    """Why an application was not taken on: the condition that is not met, and what was found."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="refusals")
    condition = models.ForeignKey("pilot.Condition", on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    step = models.PositiveIntegerField()
    refused_at = models.DateTimeField()
    refused_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["application", "step"], name="refusal_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.application}: {self.condition.clause}"
