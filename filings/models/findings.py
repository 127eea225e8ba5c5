"""What is known to be right or wrong about stored forms: comparisons with the authority, and findings (差错)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import FIELD_LABELS, Comparison, FindingKind, FindingSource, FindingState, Undetermined
from filings.models import guarded
from filings.models.forms import VerificationForm
from pilot.actors import Actor
from pilot.enums import Province
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, append_only, machine, step
from pilot.models import PilotUnit

S = FindingState


class Determination(Owned):
    """The outcome of comparing one form; a later comparison of an undeterminable one is a new row."""

    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="determinations", db_constraint=False
    )
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT)
    number = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=16, choices=Comparison.choices)
    fields: Any = models.JSONField(
        default=list
    )  # which persons differ: subject, principal, website principal
    differences: Any = models.JSONField(  # of each person that differs, what does: name, cert_type, cert_no
        default=dict, db_default=models.Value({}, models.JSONField())
    )
    cause = models.CharField(  # why it is undeterminable
        max_length=16, choices=Undetermined.choices, blank=True, default="", db_default=""
    )
    authority = models.CharField(max_length=16, blank=True, default="", db_default="")  # the source asked
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="determination_number_once")]
        indexes = [models.Index(fields=["unit", "outcome"]), models.Index(fields=["unit", "-form"])]
        triggers = (*append_only(), guarded.insert())

    def __str__(self) -> str:
        return f"{self.form_id}: {self.outcome}"


class FindingCause(Owned):
    """Why findings of one unit came about, in the unit's words: recorded once, whatever the number of findings."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="finding_causes")
    text = models.TextField(_("差错原因"))
    recorded_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta(Owned.Meta):
        triggers = append_only()

    def __str__(self) -> str:
        return self.text

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return Q(
            models.Exists(
                models.QuerySet(Finding).filter(Finding.visibility(actor), cause=models.OuterRef("pk"))
            )
        )


@machine
class Finding(Case):
    """A fault found in one form: by comparison it counts at once, from other sources once confirmed or upheld."""

    number_prefix = "CW"
    state = StateField(default=S.OPEN, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="findings")
    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="findings", db_constraint=False
    )
    chain_no = models.CharField(max_length=160)
    day = models.DateField()
    subject_province = models.PositiveSmallIntegerField(choices=Province.choices)
    source = models.CharField(max_length=16, choices=FindingSource.choices)
    kind = models.CharField(max_length=16, choices=FindingKind.choices)
    field = models.CharField(_("数据项"), max_length=64)
    description = models.TextField(_("说明"))
    found_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    dispute = models.TextField(_("异议理由"), blank=True)
    cause = models.ForeignKey(FindingCause, on_delete=models.PROTECT, null=True, related_name="findings")

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(fields=["form", "source", "field"], name="one_finding_per_fault"),
            models.CheckConstraint(
                name="finding_decided_by_another",
                condition=Q(found_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(found_by=models.F("decided_by")),
            ),
        ]
        indexes = [models.Index(fields=["unit", "day"])]
        triggers = (
            guarded.insert(),
            guarded.change("state"),
        )

    def __str__(self) -> str:
        return f"{self.form.form_no} · {self.field}"

    @property
    def called(self) -> str:
        return self.form.form_no

    @property
    def title(self) -> str:
        return f"{self.form.form_no} · {FIELD_LABELS.get(self.field, self.field)}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(subject_province=actor.province) | Q(unit__province=actor.province)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING

    @step(S.OPEN, S.CONFIRMED, _("确认差错"))
    def confirm(self) -> None:
        """The unit agrees, or the time to dispute is over."""

    @step(S.OPEN, S.DISPUTED, _("提出异议"))
    def dispute_finding(self) -> None:
        """The unit disputes with proof."""

    @step(S.DISPUTED, S.UPHELD, _("维持差错"))
    def uphold(self) -> None:
        """Another official than the finder keeps it."""

    @step(S.DISPUTED, S.OVERTURNED, _("撤销差错"))
    def overturn(self) -> None:
        """Another official than the finder removes it from the figures."""
