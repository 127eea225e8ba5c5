"""Inspection (抽查): a sample drawn so that anyone can repeat the draw."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import InspectionState
from filings.models import dirty
from filings.models.forms import VerificationForm
from filings.models.naming import readable_number
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, four_eyes, machine, step
from pilot.models import PilotUnit

S = InspectionState


@machine
class Inspection(Case):
    """A plan, a committed seed, a frozen frame, the drawn forms and the conclusion."""

    state = StateField(default=S.PLANNED, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="inspections")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    period = models.CharField(_("抽查期间"), max_length=10)
    size = models.PositiveIntegerField(_("样本量"))
    seed = models.CharField(max_length=64, editable=False)
    seed_hash = models.CharField(_("种子摘要"), max_length=64, blank=True)
    frame_size = models.PositiveIntegerField(_("总体数量"), null=True)
    frame_digest = models.CharField(_("总体摘要"), max_length=64, blank=True)
    drawn_at = models.DateTimeField(null=True)
    planned_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    concluded_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    conclusion = models.TextField(_("结论"), blank=True)

    class Meta(Case.Meta):
        constraints = [four_eyes("planned_by", "concluded_by", name="inspection_four_eyes")]
        triggers = (dirty.on_inspections(),)

    def __str__(self) -> str:
        return f"{self.unit} · {self.period}"

    @property
    def number(self) -> str:
        return readable_number("CC", self)

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(unit__province=actor.province)
        return (
            Q(unit__organisation=actor.organisation_id) & ~Q(state=S.PLANNED)
            if actor.is_provider
            else NOTHING
        )

    @step(S.PLANNED, S.COMMITTED, _("公布种子摘要"))
    def commit(self) -> None:
        """The hash of the seed is published before the frame is frozen."""

    @step(S.COMMITTED, S.DRAWN, _("抽取样本"))
    def draw(self) -> None:
        """The frame is frozen with its digest, the seed revealed, the sample drawn."""

    @step(S.DRAWN, S.IN_PROGRESS, _("开始检查"))
    def begin(self) -> None:
        """Reading of the drawn forms begins."""

    @step(S.IN_PROGRESS, S.CONCLUDED, _("作出结论"))
    def conclude(self) -> None:
        """Every drawn form has a verdict; a lead or approver concludes."""

    @step([S.PLANNED, S.COMMITTED, S.DRAWN, S.IN_PROGRESS], S.CANCELLED, _("取消"))
    def cancel(self) -> None:
        """Given up, with the reason on record."""


class InspectionItem(Owned):
    """One drawn form and what the reader found."""

    inspection = models.ForeignKey(Inspection, on_delete=models.PROTECT, related_name="items")
    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    rank = models.PositiveIntegerField()
    identity_right = models.BooleanField(null=True)
    form_right = models.BooleanField(null=True)
    remark = models.TextField(blank=True)
    read_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["inspection", "form"], name="inspected_form_once"),
            models.UniqueConstraint(fields=["inspection", "rank"], name="inspection_rank_once"),
        ]
        triggers = (dirty.on_items(),)

    def __str__(self) -> str:
        return f"{self.inspection_id} #{self.rank}"
