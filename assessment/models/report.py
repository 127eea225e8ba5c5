"""The provincial report (汇总报送): one bureau's applicants, frozen and versioned; a nil return is an act."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models import Application
from assessment.enums import ReportState
from pilot.actors import Actor
from pilot.enums import Province
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, append_only, frozen, machine, step
from pilot.rules import local_day

S = ReportState


@machine
class ProvincialReport(Case):
    """One report of a bureau; ``number`` 2 and on are supplements, ``version`` counts what was sent."""

    state = StateField(default=S.OPEN, choices=S.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT)
    bureau = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="reports")
    province = models.PositiveSmallIntegerField(choices=Province.choices)
    sequence = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=0)
    nil = models.BooleanField(_("零报告"), default=False)
    digest = models.CharField(max_length=64, blank=True)
    filled_in_by = models.CharField(_("填报人"), max_length=64, blank=True)
    phone = models.CharField(_("联系电话"), max_length=32, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    late = models.BooleanField(default=False)

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(fields=["programme", "bureau", "sequence"], name="report_sequence_once"),
            models.UniqueConstraint(
                fields=["programme", "bureau"], condition=Q(state="open"), name="one_open_report"
            ),
        ]
        triggers = (
            frozen(
                "version",
                "nil",
                "digest",
                "filled_in_by",
                "phone",
                "sent_at",
                "late",
                states=[S.SENT, S.RECEIVED],
            ),
        )

    def __str__(self) -> str:
        return str(self.bureau)

    @property
    def title(self) -> str:
        return str(_("汇总报送 · %(bureau)s") % {"bureau": self.bureau})

    @property
    def number(self) -> str:
        return f"HZ-{local_day(self.opened_at).year}-{self.province}-{self.sequence}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(province=actor.province) if actor.is_bureau else NOTHING

    @step(S.OPEN, S.SENT, _("报送"))
    def send(self) -> None:
        """The lead freezes the list with a digest and sends it; nil is allowed."""

    @step(S.SENT, S.RECEIVED, pgettext_lazy("act", "接收"))
    def receive(self) -> None:
        """The officer takes it; its applications stand as reported."""

    @step(S.SENT, S.OPEN, _("退回"))
    def return_to_bureau(self) -> None:
        """The officer returns it with a reason; the next sending is the next version."""


class ReportLine(Owned):
    """One applicant on one version of a report, as it stood when the list was frozen."""

    report = models.ForeignKey(ProvincialReport, on_delete=models.PROTECT, related_name="lines")
    version = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="report_lines")
    recommended = models.BooleanField()
    snapshot: Any = models.JSONField()

    class Meta(Owned.Meta):
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["report", "version", "position"], name="report_position_once"),
            models.UniqueConstraint(
                fields=["report", "version", "application"], name="report_applicant_once"
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.report} {self.position}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(report__province=actor.province) if actor.is_bureau else NOTHING
