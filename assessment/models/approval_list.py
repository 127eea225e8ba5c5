"""The approval list (试点单位名单): prepared by one, approved by another, published once; changes are new lists."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from assessment.enums import ListState
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
from pilot.rules import local_day

S = ListState


@machine
class ApprovalList(Case):
    """One numbered list of decisions; publishing enrols the units in the same transaction."""

    state = StateField(default=S.DRAFT, choices=S.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT)
    sequence = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)
    prepared_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(fields=["programme", "sequence"], name="list_sequence_once"),
            four_eyes("prepared_by", "approved_by", name="approval_list_four_eyes"),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "published"])
                | Q(prepared_by__isnull=False, approved_by__isnull=False),
                name="approved_list_has_both_hands",
            ),
        ]
        triggers = (
            frozen(
                "sequence",
                "effective_from",
                "digest",
                "prepared_by_id",
                "approved_by_id",
                "published_at",
                states=[S.PREPARED, S.APPROVED, S.PUBLISHED],
            ),
        )

    def __str__(self) -> str:
        return str(_("试点单位名单（第 %(n)s 号）")) % {"n": self.sequence}

    @property
    def number(self) -> str:
        return f"MD-{local_day(self.opened_at).year}-{self.sequence:02d}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        if actor.is_bureau or actor.is_provider:
            return Q(state=S.PUBLISHED)
        return NOTHING

    @step(S.DRAFT, S.PREPARED, _("提请批准"))
    def prepare(self) -> None:
        """The officer fixes the entries, effects shown."""

    @step(S.PREPARED, S.APPROVED, _("批准"))
    def approve(self) -> None:
        """Another person, re-authenticated, approves."""

    @step(S.APPROVED, S.PUBLISHED, _("公布"))
    def publish(self) -> None:
        """Units are enrolled and applications set in this transaction."""

    @step(S.PREPARED, S.DRAFT, _("退回修改"))
    def send_back(self) -> None:
        """The approver sends it back."""

    @step(S.APPROVED, S.PREPARED, _("撤回批准"))
    def retract(self) -> None:
        """The approver takes the approval back before publication."""


class ApprovalListEntry(Owned):
    """One applicant on the list: taken in or not, and why."""

    approval_list = models.ForeignKey(ApprovalList, on_delete=models.PROTECT, related_name="entries")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="list_entries")
    listed = models.BooleanField()
    reason = models.TextField(blank=True)
    # The scope opened for the unit when it is enrolled: two-digit province codes, and filing types.
    provinces: Any = ArrayField(models.PositiveSmallIntegerField(), default=list, db_default=[])
    filing_types: Any = ArrayField(models.CharField(max_length=16), default=list, db_default=[])

    class Meta(Owned.Meta):
        ordering = ["application__province", "application__acceptance_number"]
        constraints = [
            models.UniqueConstraint(fields=["approval_list", "application"], name="list_applicant_once"),
            models.CheckConstraint(condition=Q(listed=True) | ~Q(reason=""), name="declined_with_reason"),
        ]
        triggers = (
            pgtrigger.Trigger(
                name="fixed_with_its_list",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="IF EXISTS (SELECT 1 FROM assessment_approvallist l WHERE l.state <> 'draft' "
                "AND l.id IN (OLD.approval_list_id, NEW.approval_list_id)) THEN "
                "RAISE EXCEPTION 'entries change only while their list is a draft' "
                "USING ERRCODE = 'restrict_violation'; END IF; RETURN COALESCE(NEW, OLD);",
            ),
        )

    def __str__(self) -> str:
        return f"{self.application}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        # Who was taken in is public; who was not, and why, concerns the applicant and its bureau.
        published = Q(approval_list__state=S.PUBLISHED)
        if actor.is_bureau:
            return published & (Q(listed=True) | Q(application__province=actor.province))
        if actor.is_provider:
            return published & (Q(listed=True) | Q(application__provider=actor.organisation_id))
        return NOTHING


class Deferral(Owned):
    """An applicant taken out of a draft for a later list: off this list for good, offered to the next one."""

    approval_list = models.ForeignKey(ApprovalList, on_delete=models.PROTECT, related_name="deferrals")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["decided_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["approval_list", "application"], name="deferred_once_per_list"),
            models.CheckConstraint(condition=~Q(reason=""), name="deferred_with_reason"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.application}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return EVERYTHING if actor.sees_everything else NOTHING
