"""Which form brings what V3.0 additions and material only name: the references, and the subjects found by them."""

from __future__ import annotations

from django.db import models

from filings.enums import ReferenceKind
from filings.models.forms import VerificationForm
from filings.models.supplements import kept_while_openable
from pilot.machines import append_only
from pilot.models import PilotUnit


class SubjectReference(models.Model):
    """A 备案号 or an id that a form brings or, as an addition, names; only as a blind index, since it tells a person.

    By it an addition finds its subject, and material the form it belongs to. It goes with the data key of its form.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="references", db_constraint=False
    )
    named = (
        models.BooleanField()
    )  # the form lacks its subject and names it so; else it brings what is named so
    kind = models.CharField(max_length=16, choices=ReferenceKind.choices)
    index = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "kind", "index"], name="subject_reference_once")
        ]
        indexes = [models.Index(fields=["unit", "index"], name="subject_reference_index")]
        triggers = kept_while_openable(
            "SELECT f.key_id FROM filings_verificationform f WHERE f.unit_id = OLD.unit_id AND f.id = OLD.form_id"
        )

    def __str__(self) -> str:
        return f"{self.form_id} {self.kind}"


class SubjectLink(models.Model):
    """An addition whose subject was found: in which form of the same unit, when (business time), by what reference.

    The newest form that had it by then, or the first that came with it later; it stays that form for good.
    """

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    form = models.OneToOneField(
        VerificationForm, on_delete=models.PROTECT, related_name="subject_link", db_constraint=False
    )
    subject_form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, related_name="additions", db_constraint=False
    )
    kind = models.CharField(max_length=16, choices=ReferenceKind.choices)
    found_at = models.DateTimeField()

    class Meta:
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.form_id} of {self.subject_form_id}"
