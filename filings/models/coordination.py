"""Coordination cases (协调事项): the notice's clause 四(一), threads between unit, bureau and ministry."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import CoordinationCategory, CoordinationState, FaqState
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
from pilot.models import PilotUnit

S = CoordinationState
F = FaqState


def _category() -> models.CharField[str, str]:
    return models.CharField(
        _("类别"),
        max_length=16,
        choices=CoordinationCategory.choices,
        default=CoordinationCategory.OTHER,
        db_default=CoordinationCategory.OTHER.value,
    )


@machine
class CoordinationCase(Case):
    """A problem raised by one side and owned by another until it is closed."""

    number_prefix = "XT"
    state = StateField(default=S.OPEN, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="coordination_cases")
    category = _category()
    subject = models.CharField(_("事项"), max_length=255)
    opened_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    opener = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="owned_cases")
    reminded_due_at = models.DateTimeField(null=True, blank=True)  # the deadline the owner was reminded of

    class Meta(Case.Meta):
        pass

    def __str__(self) -> str:
        return self.subject

    @property
    def called(self) -> str:
        return str(self.unit)

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau:
            own = Q(unit__province=actor.province) | Q(owner=actor.organisation_id)
            written = CoordinationMessage.unscoped.filter(organisation=actor.organisation_id)
            return own | Q(pk__in=written.values("case"))  # asked, or handed over
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


@machine
class FaqEntry(Case):
    """A question and its answer for everyone who is signed in, rewritten from a closed case without names.

    Its words never change; what is no longer right is withdrawn and written anew.
    """

    number_prefix = "WD"
    state = StateField(default=F.DRAFTED, choices=F.choices)
    category = _category()
    question = models.CharField(_("问题"), max_length=255)
    answer = models.TextField(_("解答"))
    source = models.ForeignKey(CoordinationCase, on_delete=models.PROTECT, related_name="faq_entries")
    drafted_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    # Where it was written: it stays there when the writer moves to another office.
    # Whose draft it is. Null only where migration 0016 found no office of the writer: then it is the ministry's.
    organisation = models.ForeignKey(
        "pilot.Organisation", on_delete=models.PROTECT, null=True, related_name="+"
    )
    published_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Case.Meta):
        constraints = [four_eyes("drafted_by", "published_by", name="faq_four_eyes")]
        triggers = (frozen("question", "answer", "category", states=F.values, name="words"),)

    def __str__(self) -> str:
        return self.question

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        official = actor.sees_everything or actor.is_bureau
        return EVERYTHING if official else Q(state=F.PUBLISHED)

    @step(F.DRAFTED, F.PUBLISHED, _("发布问答"))
    def publish(self) -> None:
        """Another person than the writer has read it."""

    @step([F.DRAFTED, F.PUBLISHED], F.WITHDRAWN, _("撤下问答"))
    def withdraw(self) -> None:
        """No longer shown."""
