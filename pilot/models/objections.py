"""Objections (申诉) against any decided case, by reference."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, StateField, machine, step


class ObjectionState(models.TextChoices):
    FILED = "filed", _("已提出")
    UNDER_REVIEW = "under_review", _("复核中")
    UPHELD = "upheld", _("申诉成立")
    DISMISSED = "dismissed", _("维持原决定")


@machine
class Objection(Case):
    """An applicant or unit objects to a decision; an officer who had no part in it reviews. Both results are kept."""

    number_prefix = "SS"
    state = StateField(default=ObjectionState.FILED, choices=ObjectionState.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT)
    against_machine = models.CharField(max_length=48)
    against_id = models.BigIntegerField()
    against_state = models.CharField(max_length=32)
    organisation = models.ForeignKey(
        "pilot.Organisation", on_delete=models.PROTECT, related_name="objections"
    )
    province = models.PositiveSmallIntegerField()
    grounds = models.TextField()
    finding = models.TextField(blank=True)
    reviewer = models.ForeignKey(
        "pilot.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["against_machine", "against_id", "against_state"],
                condition=Q(state__in=["filed", "under_review"]),
                name="one_open_objection",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["filed", "under_review"]) | Q(reviewer__isnull=False) & ~Q(finding=""),
                name="objection_decided_with_finding",
            ),
        ]

    def __str__(self) -> str:
        return str(self.organisation)

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(province=actor.province)
        return Q(organisation=actor.organisation_id) if actor.is_provider else NOTHING

    @step(ObjectionState.FILED, ObjectionState.UNDER_REVIEW, _("受理复核"))
    def take(self) -> None:
        """An officer without a part in the decision takes the case."""

    @step(ObjectionState.UNDER_REVIEW, ObjectionState.UPHELD, pgettext_lazy("act", "申诉成立"))
    def uphold(self) -> None:
        """The decision is changed by the app that made it."""

    @step(ObjectionState.UNDER_REVIEW, ObjectionState.DISMISSED, pgettext_lazy("act", "维持原决定"))
    def dismiss(self) -> None:
        """The decision stands; reason on record."""
