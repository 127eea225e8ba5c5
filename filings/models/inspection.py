"""Inspection (抽查): a sample drawn so that anyone can repeat the draw."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import InspectionState, InspectionStrata
from filings.models import guarded
from filings.models.forms import VerificationForm
from filings.periods import TO_DATE
from pilot.actors import Actor
from pilot.machines import (
    EVERYTHING,
    NOTHING,
    Case,
    Owned,
    StateField,
    four_eyes,
    frozen,
    machine,
    never_deleted,
    step,
)  # fmt: skip
from pilot.models import PilotUnit

S = InspectionState
# What changes with a step of the machine or not at all.
PLAN = (
    "unit_id", "period", "size", "strata",
    "risk_ppm", "tolerated_ppm", "accepted_errors", "second_share", "claimed_ppm",
)  # fmt: skip
DRAW = ("seed", "seed_hash", "frame_size", "frame_digest", "allocation", "result", "conclusion")


def _ppm(label: Any, value: int) -> Any:
    """A share in parts per million."""
    return models.PositiveIntegerField(label, default=value, db_default=value)


def _small(label: Any) -> Any:
    return models.PositiveSmallIntegerField(label, default=0, db_default=0)


@machine
class Inspection(Case):
    """A plan, a committed seed, a frozen frame, the drawn forms and the conclusion."""

    number_prefix = "CC"
    state = StateField(default=S.PLANNED, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="inspections")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    period = models.CharField(_("抽查期间"), max_length=10)
    size = models.PositiveIntegerField(_("样本量"))
    strata = models.CharField(
        _("分层"),
        max_length=16,
        blank=True,
        choices=InspectionStrata.choices,
        default=InspectionStrata.NONE,
        db_default=InspectionStrata.NONE.value,
    )
    risk_ppm = _ppm(_("抽样风险"), 50_000)  # one-sided: 1 − confidence; it set the size
    tolerated_ppm = _ppm(_("可容忍差错率"), 500)
    accepted_errors = _small(_("允许差错数"))
    second_share = _small(_("二次检查比例"))  # percent of the sample that a second person reads
    claimed_ppm = _ppm(_("声称差错率"), 500)
    seed = models.CharField(max_length=64, editable=False)
    seed_hash = models.CharField(_("种子摘要"), max_length=64, blank=True)
    frame_size = models.PositiveIntegerField(_("总体数量"), null=True)
    frame_digest = models.CharField(_("总体摘要"), max_length=64, blank=True)
    drawn_at = models.DateTimeField(null=True)
    # [{key, frame, drawn}] per stratum as drawn; and the figures as they stood at the conclusion.
    allocation: Any = models.JSONField(null=True, editable=False)
    result: Any = models.JSONField(null=True, editable=False)
    planned_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    concluded_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    conclusion = models.TextField(_("抽查结论"), blank=True)

    class Meta(Case.Meta):
        constraints = [four_eyes("planned_by", "concluded_by", name="inspection_four_eyes")]
        triggers = (
            guarded.change("state", to="cancelled"),
            frozen(*PLAN, *DRAW, states=S.values, name="law"),
        )

    def __str__(self) -> str:
        return f"{self.unit} · {self.period_words}"

    @property
    def title(self) -> str:
        return _("抽查 · %(what)s") % {"what": self}

    @property
    def period_words(self) -> str:
        """The period as people read it."""
        return str(_("截至目前")) if self.period == TO_DATE else self.period

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

    @step([S.PLANNED, S.COMMITTED, S.DRAWN, S.IN_PROGRESS], S.CANCELLED, _("取消抽查"))
    def cancel(self) -> None:
        """Given up, with the reason on record."""


class InspectionItem(Owned):
    """One drawn form and what came of reading it; the readings themselves are :class:`InspectionReading`."""

    inspection = models.ForeignKey(Inspection, on_delete=models.PROTECT, related_name="items")
    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    rank = models.PositiveIntegerField()
    stratum = models.CharField(max_length=16, blank=True, default="", db_default="")
    second = models.BooleanField(default=False, db_default=False)  # a second person reads it, too
    held_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    held_until = models.DateTimeField(null=True)
    # The verdict that counts: of the only reading, of two that agree, or of the one that settled them.
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
        triggers = (guarded.insert(), guarded.change("identity_right"))

    def __str__(self) -> str:
        return f"{self.inspection_id} #{self.rank}"


class InspectionReading(Owned):
    """What one person found in one drawn form. ``turn``: 1 first, 2 blind second, 3 settles two that differ.

    ``fields``: {name of a field: right or not}, all that were judged. A row is law once written; retention alone may
    take the words of ``remark`` away.
    """

    item = models.ForeignKey(InspectionItem, on_delete=models.PROTECT, related_name="readings")
    turn = models.PositiveSmallIntegerField()
    fields: Any = models.JSONField()
    identity_right = models.BooleanField()
    form_right = models.BooleanField()
    remark = models.TextField(blank=True)
    read_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["item", "turn"]
        constraints = [
            models.UniqueConstraint(fields=["item", "turn"], name="inspection_turn_once"),
            models.UniqueConstraint(fields=["item", "read_by"], name="inspection_reader_once"),
            models.CheckConstraint(condition=Q(turn__range=(1, 3)), name="inspection_three_turns"),
        ]
        triggers = (
            pgtrigger.ReadOnly(name="facts", exclude=["remark"]),
            never_deleted(),
        )

    def __str__(self) -> str:
        return f"{self.item_id} · {self.turn}"
