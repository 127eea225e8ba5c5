"""Coordination cases (协调事项): the notice's clause 四(一), threads between unit, bureau and ministry."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import CoordinationState
from filings.models.naming import readable_number
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, append_only, machine, step
from pilot.models import PilotUnit

S = CoordinationState


@machine
class CoordinationCase(Case):
    """A problem raised by one side and owned by another until it is closed."""

    state = StateField(default=S.OPEN, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="coordination_cases")
    subject = models.CharField(_("事项"), max_length=255)
    opened_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    opener = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="owned_cases")

    class Meta(Case.Meta):
        pass

    def __str__(self) -> str:
        return self.subject

    @property
    def number(self) -> str:
        return readable_number("XT", self)

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            return Q(unit__province=actor.province) | Q(owner=actor.organisation_id)
        return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING

    @step(S.OPEN, S.ANSWERED, _("答复"))
    def reply(self) -> None:
        """The owner answers."""

    @step(S.ANSWERED, S.CLOSED, _("办结"))
    def close(self) -> None:
        """Settled."""

    @step(S.ANSWERED, S.OPEN, _("继续协调"))
    def reopen(self) -> None:
        """Whoever opened it is not satisfied."""


class CoordinationMessage(Owned):
    """One message of a thread."""

    case = models.ForeignKey(CoordinationCase, on_delete=models.PROTECT, related_name="messages")
    person = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["at", "pk"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.case_id} {self.at:%Y-%m-%d}"
