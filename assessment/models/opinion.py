"""The bureau's opinion on one application: drafted by one, signed by another."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from assessment.enums import OpinionState
from pilot.actors import Actor
from pilot.machines import (
    EVERYTHING,
    NOTHING,
    Case,
    Owned,
    StateField,
    append_only,
    four_eyes,
    frozen,
    machine,
    step,
)

S = OpinionState


@machine
class Opinion(Case):
    """The three conditions checked, a recommendation, and remarks: internal ones stay in the bureau."""

    state = StateField(default=S.PENDING, choices=S.choices)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="opinions")
    province = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField(default=1)
    checklist: Any = models.JSONField(default=dict)  # condition number → verdict and evidence
    recommended = models.BooleanField(_("同意推荐"), null=True)
    remark = models.TextField(_("审核意见"), blank=True)
    internal_remark = models.TextField(_("内部备注"), blank=True)
    drafted_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    signed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Case.Meta):
        constraints = [
            four_eyes("drafted_by", "signed_by", name="opinion_four_eyes"),
            models.UniqueConstraint(
                fields=["application"], condition=~Q(state="void"), name="one_living_opinion"
            ),
            models.CheckConstraint(
                condition=~Q(state="signed")
                | Q(drafted_by__isnull=False, signed_by__isnull=False, recommended__isnull=False),
                name="signed_opinion_complete",
            ),
        ]
        triggers = (
            frozen(
                "version",
                "checklist",
                "recommended",
                "remark",
                "drafted_by_id",
                "signed_by_id",
                states=[S.SIGNED],
            ),
        )

    def __str__(self) -> str:
        return str(self.application)

    @property
    def number(self) -> str:
        return self.application.number

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.is_system:
            return EVERYTHING
        if actor.is_ministry:
            return Q(state=S.SIGNED)  # drafts are private to the bureau
        return Q(province=actor.province) if actor.is_bureau else NOTHING

    @step(S.PENDING, S.DRAFTED, _("拟写意见"))
    def draft(self) -> None:
        """A reviewer checks the three conditions and proposes."""

    @step(S.DRAFTED, S.SIGNED, _("签发"))
    def sign(self) -> None:
        """A lead, another person than the drafter, signs."""

    @step(S.DRAFTED, S.PENDING, _("退回重拟"))
    def send_back(self) -> None:
        """The lead sends it back with remarks."""

    @step(S.SIGNED, S.PENDING, _("重新审核"))
    def reopen(self) -> None:
        """A new version; only while the application is on no sent or received report."""

    @step([S.PENDING, S.DRAFTED, S.SIGNED], S.VOID, _("作废"))
    def void(self) -> None:
        """The application was withdrawn or its acceptance reverted."""


class OpinionVersion(Owned):
    """A signed opinion as it was signed."""

    opinion = models.ForeignKey(Opinion, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    checklist: Any = models.JSONField()
    recommended = models.BooleanField()
    remark = models.TextField(blank=True)
    drafted_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["opinion", "number"], name="opinion_version_once"),
            four_eyes("drafted_by", "signed_by", name="opinion_version_four_eyes"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.opinion} v{self.number}"
