"""A test run: the applicant's system is given a test set, and the portal counts its result file."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from applications.models import Application
from assessment.models.capability import CapabilityAssessment, InterestDeclaration
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Owned, append_only


class TestRun(Owned):
    """One test set handed to one applicant. ``key`` never leaves the portal; ``digest`` is the SHA-256 of the key."""

    __test__ = False  # no test case, whatever pytest makes of the name

    assessment = models.ForeignKey(CapabilityAssessment, on_delete=models.PROTECT, related_name="test_runs")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="test_runs")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=128)
    key: Any = models.JSONField()  # sample → genuine | impostor
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()

    class Meta(Owned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["assessment", "number"], name="test_run_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.assessment} · {self.title}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.is_system or actor.is_ministry:
            return EVERYTHING
        if actor.is_provider:
            return Q(application__provider=actor.organisation_id)
        if actor.is_assessor:
            return Q(assessment__in=InterestDeclaration.cleared(actor))
        return NOTHING


class TestResult(Owned):
    """The result file of a run as it came, and what it came to; handed in once."""

    __test__ = False

    run = models.OneToOneField(TestRun, on_delete=models.PROTECT, related_name="result")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    counts: Any = models.JSONField()
    handed_in_at = models.DateTimeField()
    handed_in_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.run}: {self.sha256[:12]}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        runs: models.QuerySet[TestRun] = models.QuerySet(TestRun)
        return Q(run__in=runs.filter(TestRun.visibility(actor)))
