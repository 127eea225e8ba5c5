"""Alerts (预警): a condition of a unit's figures that somebody has to look at, once per state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from filings.enums import AlertKind, AlertState
from filings.models.figures import AccuracyResult
from filings.periods import TO_DATE
from pilot.actors import Actor
from pilot.machines import Case, StateField, machine, step
from pilot.models import PilotUnit

S = AlertState


@machine
class Alert(Case):
    """One condition of one unit over one period, from when it was found until it no longer holds.

    ``period`` is a month, ``to-date``, or, for a silence, the day since which nothing came. ``figures`` are the whole
    numbers it was about when it was opened, ``result`` the recount they were read from, ``basis`` the rule.
    """

    number_prefix = "YJ"
    state = StateField(default=S.OPEN, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(_("预警事项"), max_length=16, choices=AlertKind.choices)
    period = models.CharField(_("期间"), max_length=10)
    figures: Any = models.JSONField()
    result = models.ForeignKey(AccuracyResult, on_delete=models.PROTECT, null=True, related_name="alerts")
    basis = models.CharField(_("依据"), max_length=255)
    acknowledged_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "kind", "period"], condition=Q(state="open"), name="one_open_alert"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.unit}"

    @property
    def cleared_at(self) -> datetime | None:
        """Since when it no longer holds; None while it does."""
        return self.state_since if self.state == S.CLEARED else None

    @property
    def period_words(self) -> str:
        """The period as people read it."""
        if self.period == TO_DATE:
            return str(_("累计（截至预警时）"))
        if self.kind == AlertKind.SILENCE:
            return gettext("自 %(day)s 起") % {"day": self.period}
        return self.period

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        """Whoever reads all figures of a unit."""
        return AccuracyResult.visibility(actor)

    @step(S.OPEN, S.CLEARED, _("解除预警"))
    def clear(self) -> None:
        """The condition no longer holds."""
