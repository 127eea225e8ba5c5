"""A programme (one notice) as data: windows, rules, conditions, working-day calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.machines import EVERYTHING, NOTHING, Case, StateField, append_only, four_eyes, machine, step
from pilot.rules import SHANGHAI, last_moment


def _written(at: datetime) -> str:
    """A moment as the notice means it, whatever time zone the reader's process is in."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


class Programme(models.Model):
    """One pilot project, announced by one notice."""

    code = models.SlugField(max_length=32, unique=True)
    number = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=255)
    title_en = models.CharField(max_length=255)
    issued_on = models.DateField()
    published_on = models.DateField()
    is_current = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"], condition=Q(is_current=True), name="one_current_programme"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def heading(self) -> str:
        """The title in the reader's language, with the number of the notice."""
        title = self.title_en if get_language() == "en" else self.title
        return str(_("%(title)s（%(number)s）") % {"title": title, "number": self.number})


class Window(models.Model):
    """A phase of a programme, half-open ``[opens, closes)`` in Asia/Shanghai."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="windows")
    kind = models.CharField(max_length=16, choices=WindowKind.choices)
    opens = models.DateTimeField()
    closes = models.DateTimeField()
    clause = models.CharField(max_length=32)

    class Meta:
        ordering = ["opens"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "kind"], name="one_window_per_kind"),
            models.CheckConstraint(condition=Q(opens__lt=F("closes")), name="window_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {_written(self.opens)} ～ {_written(last_moment(self.closes))}"


class Condition(models.Model):
    """One of the conditions a participant must meet, with the clause that states it."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="conditions")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    text_en = models.TextField()
    clause = models.CharField(max_length=32)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="condition_number_once")]

    def __str__(self) -> str:
        return self.text_en if get_language() == "en" else self.text


class ProgrammeRule(models.Model):
    """A number or switch that the programme sets (days, thresholds, rules that exist or not) and its basis in words.

    A later row of the same key, ``valid_from`` a day, takes the place of the earlier one from that day on; the first
    has none. What is past is judged by what held then.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="rules")
    key = models.SlugField(max_length=48)
    value: Any = models.JSONField()
    basis = models.CharField(max_length=255)
    valid_from = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["key", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "key", "valid_from"], nulls_distinct=False, name="rule_once_from_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class CalendarDay(models.Model):
    """A day that differs from Monday-to-Friday: a holiday off, or a weekend day worked (调休)."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="calendar")
    day = models.DateField()
    working = models.BooleanField()
    name = models.CharField(max_length=32)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["programme", "day"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class CalendarChange(models.Model):
    """One entry in the calendar's history: what changed, when it was announced, and by which document."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="calendar_changes")
    day = models.DateField()
    was_working = models.BooleanField()
    is_working = models.BooleanField()
    announced_on = models.DateField()
    basis = models.CharField(max_length=255)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["announced_on", "day"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.day}: {self.was_working} → {self.is_working}"


class ProposalState(models.TextChoices):
    PROPOSED = "proposed", _("待批准")
    GRANTED = "granted", _("已批准")
    REJECTED = "rejected", _("未批准")


@machine
class WindowExtension(Case):
    """A window's end moved by a decision of two people, with the reason on record."""

    number_prefix = "YC"
    state = StateField(default=ProposalState.PROPOSED, choices=ProposalState.choices)
    window = models.ForeignKey(Window, on_delete=models.PROTECT, related_name="extensions")
    closes = models.DateTimeField()
    reason = models.TextField()
    proposed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        "pilot.Person", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta(Case.Meta):
        constraints = [four_eyes("proposed_by", "approved_by", name="window_extension_four_eyes")]

    def __str__(self) -> str:
        until = _written(last_moment(self.closes))
        return gettext("%(window)s延长至 %(until)s") % {
            "window": self.window.get_kind_display(),
            "until": until,
        }

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return EVERYTHING if actor.sees_everything or actor.is_bureau else NOTHING

    @step(ProposalState.PROPOSED, ProposalState.GRANTED, _("批准"))
    def approve(self) -> None:
        """The window closes later; another person than the proposer decides."""

    @step(ProposalState.PROPOSED, ProposalState.REJECTED, _("不批准"))
    def reject(self) -> None:
        """The window stays as it was."""
