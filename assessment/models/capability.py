"""Capability assessment: assignments with declarations of interest, independent scores, conclusion."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from assessment.enums import AssessmentState, DeclarationState
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, append_only, frozen, machine, step

LEAST_ASSESSORS = 2

S = AssessmentState
D = DeclarationState


@machine
class CapabilityAssessment(Case):
    """The technical capability of one applicant, scored independently by at least two assessors."""

    state = StateField(default=S.PLANNED, choices=S.choices)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="assessments")
    # The version of the catalogue this case is scored by, fixed when assessors are asked; None before.
    catalogue_version = models.PositiveIntegerField(null=True)
    passed = models.BooleanField(_("达到要求"), null=True)
    points = models.PositiveSmallIntegerField(null=True)  # mean of the scores that count, rounded down
    conclusion = models.TextField(_("评估结论"), blank=True)
    concluded_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=~Q(state="cancelled"), name="one_living_assessment"
            ),
            models.CheckConstraint(
                condition=~Q(state="concluded")
                | Q(passed__isnull=False, points__isnull=False, concluded_by__isnull=False),
                name="concluded_assessment_complete",
            ),
        ]
        triggers = (
            frozen(
                "catalogue_version", "passed", "points", "conclusion", "concluded_by_id", states=[S.CONCLUDED]
            ),
            pgtrigger.Trigger(
                name="concluded_by_no_assessor",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.state = 'concluded'"),
                func="IF EXISTS (SELECT 1 FROM assessment_interestdeclaration d WHERE d.assessment_id = NEW.id "
                "AND d.assessor_id = NEW.concluded_by_id) THEN "
                "RAISE EXCEPTION 'whoever assessed does not conclude' USING ERRCODE = 'check_violation'; "
                "END IF; RETURN NEW;",
            ),
        )

    def __str__(self) -> str:
        return str(self.application)

    @property
    def number(self) -> str:
        return self.application.number

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_assessor:
            # The case opens only after declaring no interest; until then the declaration page shows three facts.
            return Q(pk__in=InterestDeclaration.cleared(actor))
        return NOTHING

    @step(S.PLANNED, S.ASSIGNED, _("分派评估人员"))
    def assign(self) -> None:
        """At least two assessors without organisation ties are asked for their interests."""

    @step(S.ASSIGNED, S.IN_PROGRESS, _("开始评估"))
    def start(self) -> None:
        """All declared, none conflicted."""

    @step([S.ASSIGNED, S.IN_PROGRESS], S.ASSIGNED, _("改派"))
    def reassign(self) -> None:
        """An assessor is replaced after recusal."""

    @step([S.IN_PROGRESS, S.IN_MODERATION], S.CONCLUDED, _("作出结论"))
    def conclude(self) -> None:
        """The scores agree, or the moderator has scored; an officer signs the conclusion."""

    @step(S.IN_PROGRESS, S.IN_MODERATION, _("提交复议"))
    def moderate(self) -> None:
        """The scores are further apart than the margin; a third assessor is called in."""

    @step(S.IN_MODERATION, S.IN_MODERATION, _("指派复议人员"))
    def replace(self) -> None:
        """The moderator is replaced after recusal, or appointed."""

    @step([S.PLANNED, S.ASSIGNED, S.IN_PROGRESS, S.IN_MODERATION], S.CANCELLED, _("取消评估"))
    def cancel(self) -> None:
        """The application was withdrawn."""


@machine
class InterestDeclaration(Case):
    """One assessor's assignment to one case, and what the assessor declares before it opens."""

    state = StateField(default=D.ASKED, choices=D.choices)
    assessment = models.ForeignKey(
        CapabilityAssessment, on_delete=models.PROTECT, related_name="declarations"
    )
    assessor = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="declarations")
    agency = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="+")
    moderator = models.BooleanField(default=False)
    statement = models.TextField(_("说明"), blank=True)
    released_at = models.DateTimeField(
        null=True
    )  # taken off the case without an interest: somebody else was asked

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(fields=["assessment", "assessor"], name="assessor_once_per_case")
        ]

    def __str__(self) -> str:
        return f"{self.assessment} · {self.assessor}"

    @property
    def called(self) -> str:
        return self.assessment.called

    @property
    def number(self) -> str:
        return self.assessment.number

    @classmethod
    def cleared(cls, actor: Actor) -> models.QuerySet[Any]:
        """The assessments that stand open to an assessor: no interest declared, not taken off the case."""
        own = cls.unscoped.filter(assessor=actor.person_id, state=D.CLEAR, released_at__isnull=True)
        return own.values("assessment")

    @classmethod
    def waiting_for_scores(cls) -> models.QuerySet[Any]:
        """The assessments in which somebody of the first round has still to score."""
        silent = cls.unscoped.filter(moderator=False, released_at__isnull=True, score_sheet__isnull=True)
        return silent.exclude(state=D.CONFLICTED).values("assessment")

    @classmethod
    def staffed(cls) -> models.QuerySet[Any]:
        """The assessments with enough assessors of the first round on the case."""
        members = cls.unscoped.filter(moderator=False, released_at__isnull=True).exclude(state=D.CONFLICTED)
        counted = members.order_by().values("assessment").annotate(n=models.Count("pk"))
        return counted.filter(n__gte=LEAST_ASSESSORS).values("assessment")

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(assessor=actor.person_id) if actor.is_assessor else NOTHING

    @step(D.ASKED, D.CLEAR, _("声明无利害关系"))
    def declare_none(self) -> None:
        """The assessor declares no interest; the case opens."""

    @step(D.ASKED, D.CONFLICTED, _("申报利害关系"))
    def declare(self) -> None:
        """The assessor declares an interest and never sees the case."""

    @step(D.CLEAR, D.CONFLICTED, _("回避"))
    def recuse(self) -> None:
        """An interest became known later; possible until the conclusion."""


class ScoreSheet(Owned):
    """One assessor's independent scores, hidden from others until all are in."""

    declaration = models.OneToOneField(
        InterestDeclaration, on_delete=models.PROTECT, related_name="score_sheet"
    )
    scores: Any = models.JSONField()  # criterion code → points
    # criterion code → {"words", "source", "page"}; a source is "file:<kind>" or "run:<number>"
    evidence: Any = models.JSONField(default=dict, db_default={}, blank=True)
    total = models.PositiveSmallIntegerField()
    must_pass_met = models.BooleanField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.declaration}: {self.total}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.is_system:
            return EVERYTHING
        compared = Q(declaration__assessment__state__in=[S.IN_MODERATION, S.CONCLUDED])
        # While a place of the panel is vacant its scores are not in, even if everybody else's are.
        staffed = compared | Q(declaration__assessment__in=InterestDeclaration.staffed())
        complete = staffed & ~Q(declaration__assessment__in=InterestDeclaration.waiting_for_scores())
        if actor.is_ministry:
            return complete
        if not actor.is_assessor:
            return NOTHING
        # Others' sheets open to those of the case once scoring is over or goes to moderation.
        of_case = Q(declaration__assessment__in=InterestDeclaration.cleared(actor))
        return Q(declaration__assessor=actor.person_id) | (complete & compared & of_case)
