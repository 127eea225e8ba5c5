"""Asking the authority again: which forms wait for an answer, and whether the service can be asked at all."""

from __future__ import annotations

from django.db import models

from filings.models.forms import VerificationForm
from pilot.models import PilotUnit


class AuthorityRetry(models.Model):
    """A form that is compared again later: pending since no answer came or it could not be opened, or undeterminable.

    A note of work to be done, so it changes and goes; what came of it are the determinations.
    """

    form = models.OneToOneField(
        VerificationForm,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="retry",
        db_constraint=False,
    )
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()  # business time of the first look-up that came to nothing, or is to come
    tries = models.PositiveSmallIntegerField()  # look-ups in the present state: pending, or undeterminable
    next_at = models.DateTimeField()  # business time

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="authority_retry_due")]

    def __str__(self) -> str:
        return f"{self.form_id}: {self.tries}"


class AuthorityCircuit(models.Model):
    """A circuit breaker's state; ``open_until`` (security time): nobody asks before then."""

    name = models.CharField(max_length=16, primary_key=True)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    open_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
