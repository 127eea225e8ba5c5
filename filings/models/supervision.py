"""What follows from figures: rectification orders and sanctions, with the unit's rights kept."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from filings.enums import RectificationState, SanctionKind, SanctionState
from filings.models.findings import Finding
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, StateField, four_eyes, machine, step
from pilot.models import PilotUnit

R = RectificationState
S = SanctionState


def _of_unit(actor: Actor) -> Q:
    if actor.sees_everything:
        return EVERYTHING
    if actor.is_bureau:
        return Q(unit__province=actor.province)
    return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


@machine
class Rectification(Case):
    """A rectification order (整改通知): reasons from findings, measures, deadline in working days."""

    number_prefix = "ZG"
    state = StateField(default=R.DRAFTED, choices=R.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="rectifications")
    findings = models.ManyToManyField(Finding, related_name="rectifications", blank=True)
    reasons = models.TextField(_("整改事由"))
    measures = models.TextField(_("整改要求"))
    days = models.PositiveSmallIntegerField(_("整改期限（工作日）"))
    round = models.PositiveSmallIntegerField(default=1)
    drafted_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    issued_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    answer_text = models.TextField(_("整改报告"), blank=True)
    # A fresh sample by which the answer is checked, and the earlier order that was about the same cause.
    recheck = models.ForeignKey(
        "filings.Inspection", on_delete=models.PROTECT, null=True, related_name="rechecked_orders"
    )
    repeat_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="repeats")

    class Meta(Case.Meta):
        constraints = [four_eyes("drafted_by", "issued_by", name="rectification_four_eyes")]

    def __str__(self) -> str:
        return str(self.unit)

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        scope = _of_unit(actor)
        return scope & ~Q(state=R.DRAFTED) if actor.is_provider else scope

    @step(R.DRAFTED, R.ISSUED, _("签发整改通知"))
    def issue(self) -> None:
        """A lead, another person than the drafter, issues it; the deadline starts."""

    @step([R.ISSUED, R.OVERDUE], R.ANSWERED, _("提交整改报告"))
    def answer(self) -> None:
        """The unit reports what it did."""

    @step(R.ANSWERED, R.CLOSED, _("整改通过"))
    def accept(self) -> None:
        """The lead is satisfied."""

    @step(R.ANSWERED, R.ISSUED, _("整改不通过"))
    def reject(self) -> None:
        """A new round with a new deadline."""

    @step(R.ISSUED, R.OVERDUE, _("逾期"))
    def pass_due(self) -> None:
        """The deadline passed without an answer."""

    @step([R.DRAFTED, R.ISSUED, R.ANSWERED, R.OVERDUE], R.CANCELLED, _("取消整改"))
    def cancel(self) -> None:
        """Its findings were overturned."""


@machine
class Sanction(Case):
    """Suspension or removal of a unit; exists only where the programme holds such a rule."""

    number_prefix = "CZ"
    state = StateField(default=S.PROPOSED, choices=S.choices)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="sanctions")
    kind = models.CharField(_("措施"), max_length=16, choices=SanctionKind.choices)
    grounds = models.TextField(_("事实和理由"))
    basis = models.CharField(_("依据"), max_length=255)
    proposed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    proposer_organisation = models.ForeignKey(
        "pilot.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    statement = models.TextField(_("陈述申辩"), blank=True)
    # How the official who received the statement judged it; from then on it is on record.
    hearing_opinion = models.TextField(_("复核意见"), blank=True, db_default="")
    heard_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    effect_from = models.DateTimeField(_("生效时间"), null=True)

    class Meta(Case.Meta):
        constraints = [
            four_eyes("proposed_by", "approved_by", name="sanction_four_eyes"),
            models.CheckConstraint(
                condition=~Q(state__in=["imposed", "lifted", "annulled"])
                | Q(approved_by__isnull=False, effect_from__isnull=False),
                name="imposed_sanction_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.unit}"

    @property
    def stated_reason(self) -> str:
        return self.grounds

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        scope = _of_unit(actor)
        return scope & ~Q(state=S.PROPOSED) if actor.is_provider else scope

    @step(S.PROPOSED, S.HEARING, _("告知陈述申辩权"))
    def notify(self) -> None:
        """The unit is told and may state its case; time runs."""

    @step(S.HEARING, S.HEARD, _("陈述申辩结束"))
    def close_hearing(self) -> None:
        """The unit stated its case, or the time is over."""

    @step(S.HEARD, S.IMPOSED, _("作出决定"))
    def impose(self) -> None:
        """An approver, another person than the proposer, decides with an effect date."""

    @step([S.PROPOSED, S.HEARING, S.HEARD], S.DROPPED, pgettext_lazy("act", "不予处理"))
    def drop(self) -> None:
        """The proposal is given up."""

    @step(S.IMPOSED, S.LIFTED, _("恢复试点"))
    def lift(self) -> None:
        """A suspension ends."""

    @step(S.IMPOSED, S.ANNULLED, _("撤销决定"))
    def annul(self) -> None:
        """An objection was upheld; a new range of the register starts."""
