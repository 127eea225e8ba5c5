"""A ministry decision that lets one provider apply after the window."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, StateField, four_eyes, machine, step
from pilot.models import ProposalState


@machine
class LateAdmission(Case):
    """One provider may hand in until a moment after the window; proposed and approved by two people."""

    number_prefix = "YQ"
    state = StateField(default=ProposalState.PROPOSED, choices=ProposalState.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT)
    provider = models.ForeignKey(
        "pilot.Organisation", on_delete=models.PROTECT, related_name="late_admissions"
    )
    until = models.DateTimeField()
    reason = models.TextField()
    proposed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        "pilot.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Case.Meta):
        constraints = [four_eyes("proposed_by", "approved_by", name="late_admission_four_eyes")]

    def __str__(self) -> str:
        return self.provider.name

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(provider__province=actor.province)
        return Q(provider=actor.organisation_id) if actor.is_provider else NOTHING

    @step(ProposalState.PROPOSED, ProposalState.GRANTED, _("批准"))
    def approve(self) -> None:
        """Another person than the proposer grants it."""

    @step(ProposalState.PROPOSED, ProposalState.REJECTED, _("不批准"))
    def reject(self) -> None:
        """It is turned down."""
