"""An application, its frozen versions and its files."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications import signals
from applications.enums import DEAD_STATES, ApplicationState, FileKind, ScanState
from pilot.actors import Actor
from pilot.enums import Province
from pilot.machines import EVERYTHING, NOTHING, Case, Owned, StateField, append_only, machine, step

S = ApplicationState


@machine
class Application(Case):
    """A provider's application to take part in a programme, from the first draft to the list."""

    state = StateField(default=S.DRAFT, choices=S.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="applications")
    provider = models.ForeignKey("pilot.Organisation", on_delete=models.PROTECT, related_name="applications")
    uscc = models.CharField(max_length=18)
    province = models.PositiveSmallIntegerField(choices=Province.choices)
    draft: Any = models.JSONField(default=dict)  # what is being written; frozen into a version at submit
    revision = models.PositiveIntegerField(default=0)  # of the draft: two tabs never overwrite silently
    # Values read from an uploaded form that nobody has looked at yet: field → {"value", "source"}. Part of no version.
    proposals: Any = models.JSONField(default=dict, db_default={}, blank=True)
    case_number = models.CharField(max_length=32, blank=True)  # 申办流水号, at submit
    acceptance_number = models.CharField(max_length=32, blank=True)  # 受理编号, at acceptance
    submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    late = models.BooleanField(default=False)
    alerted_due_at = models.DateTimeField(null=True, blank=True)  # the deadline people were told of
    warned_due_at = models.DateTimeField(
        null=True, blank=True
    )  # the deadline people were warned of beforehand
    closed_told_at = models.DateTimeField(
        null=True, blank=True
    )  # a draft whose owner was told that the window closed

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "uscc"],
                condition=~Q(state__in=[str(s) for s in DEAD_STATES]),
                name="one_live_application",
            ),
            models.UniqueConstraint(
                fields=["case_number"], condition=~Q(case_number=""), name="case_number_once"
            ),
            models.UniqueConstraint(
                fields=["acceptance_number"],
                condition=~Q(acceptance_number=""),
                name="acceptance_number_once",
            ),
        ]
        indexes = [
            # Holds all that lists order and count by, so that they need not read whole applications.
            models.Index(
                fields=["province", "state", "due_at"],
                include=["submitted_at", "state_since", "id"],
                name="application_desk",
            ),
            models.Index(
                fields=["state", "due_at"], condition=Q(due_at__isnull=False), name="application_clock"
            ),
        ]

    def __str__(self) -> str:
        return self.provider.name

    @property
    def number(self) -> str:
        return self.acceptance_number or self.case_number or str(_("未提交"))

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        handed_in = Q(submitted_at__isnull=False)  # a draft, withdrawn or not, is nobody's but the provider's
        if actor.is_system:
            return EVERYTHING
        if actor.is_ministry:
            return handed_in
        if actor.is_bureau:
            return handed_in & Q(province=actor.province)
        if actor.is_provider:
            return Q(provider=actor.organisation_id)
        return signals.further_visibility(actor) or NOTHING

    @step(S.DRAFT, S.SUBMITTED, _("提交申请"))
    def submit(self) -> None:
        """The provider hands in; the window is open or a late admission was granted."""

    @step(S.SUBMITTED, S.ACCEPTED, _("受理"))
    def accept(self) -> None:
        """The bureau takes the case on."""

    @step(S.SUBMITTED, S.RETURNED, _("一次性告知补正"))
    def return_for_correction(self) -> None:
        """All faults in one notice, each tied to a field or file; the acceptance clock stops."""

    @step(S.RETURNED, S.SUBMITTED, _("提交补正"))
    def resubmit(self) -> None:
        """The provider answers the notice; allowed after the window."""

    @step(S.RETURNED, S.LAPSED, _("逾期未补正"))
    def lapse(self) -> None:
        """The answer is overdue."""

    @step(S.SUBMITTED, S.REFUSED, pgettext_lazy("act", "不予受理"))
    def refuse(self) -> None:
        """A condition is not met; condition and reason are stated."""

    @step(S.SUBMITTED, S.ACCEPTED, _("视为受理"))
    def deem_accepted(self) -> None:
        """The bureau stayed silent; only where the programme holds that rule."""

    @step([S.ACCEPTED, S.RETURNED, S.REFUSED], S.SUBMITTED, _("撤销操作"))
    def revert(self) -> None:
        """The same person takes the last act back within 30 seconds; notices are held that long."""

    @step(
        [S.DRAFT, S.SUBMITTED, S.RETURNED, S.ACCEPTED, S.RECOMMENDED, S.NOT_RECOMMENDED, S.REPORTED],
        S.WITHDRAWN,
        _("撤回申请"),
    )
    def withdraw(self) -> None:
        """The provider withdraws; free until the application stands on a prepared list."""

    @step(S.ACCEPTED, S.RECOMMENDED, _("同意推荐"))
    def recommend(self) -> None:
        """Set by the signed opinion."""

    @step(S.ACCEPTED, S.NOT_RECOMMENDED, _("不同意推荐"))
    def disrecommend(self) -> None:
        """Set by the signed opinion."""

    @step([S.RECOMMENDED, S.NOT_RECOMMENDED], S.ACCEPTED, _("重新审核"))
    def reopen(self) -> None:
        """Set when the opinion is opened again."""

    @step([S.RECOMMENDED, S.NOT_RECOMMENDED], S.REPORTED, _("报部"))
    def report(self) -> None:
        """Set when the ministry receives the provincial report."""

    @step([S.REPORTED, S.NOT_LISTED], S.LISTED, _("列入名单"))
    def admit(self) -> None:
        """Set by the published list, or by a new list after an objection was upheld."""

    @step(S.REPORTED, S.NOT_LISTED, _("未列入名单"))
    def decline(self) -> None:
        """Set by the published list."""

    @step(S.REFUSED, S.SUBMITTED, _("恢复受理审查"))
    def reinstate(self) -> None:
        """An objection against the refusal was upheld."""


class PartOfApplication(Owned):
    """Something that belongs to an application and is seen by whoever sees the application."""

    class Meta(Owned.Meta):
        abstract = True

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        visible: models.QuerySet[Application] = models.QuerySet(Application)
        return Q(application__in=visible.filter(Application.visibility(actor)))


class ApplicationVersion(PartOfApplication):
    """The content of an application as it was handed in, frozen with its digest."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content: Any = models.JSONField()
    files: Any = models.JSONField(default=list)  # id, kind, name, sha256, size of every file at that moment
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Owned.Meta):
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="application_version_once")
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.application} v{self.number}"


class ApplicationFile(PartOfApplication):
    """A file handed in with an application. A replaced file stays, marked by ``replaced_at``.

    ``handed_in_with`` is the first version that contains it; before that only the provider sees the file.
    """

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=16, choices=FileKind.choices)
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=96)
    pages = models.PositiveIntegerField(null=True, blank=True)  # of a PDF
    scan = models.CharField(
        max_length=16,
        choices=ScanState.choices,
        default=ScanState.NOT_SCANNED,
        db_default=ScanState.NOT_SCANNED.value,
    )
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    replaced_at = models.DateTimeField(null=True, blank=True)
    handed_in_with = models.ForeignKey(
        ApplicationVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Owned.Meta):
        ordering = ["kind", "pk"]
        triggers = (
            pgtrigger.ReadOnly(name="content_stays", exclude=["replaced_at", "handed_in_with", "scan"]),
            pgtrigger.Protect(name="file_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        inherited = super().visibility(actor)
        return inherited if actor.is_provider else inherited & Q(handed_in_with__isnull=False)
