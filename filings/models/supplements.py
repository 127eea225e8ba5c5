"""What V3.0 uploads bring beyond forms: pictures, and records that are no form of their own."""

from __future__ import annotations

import pgtrigger
from django.db import models

from filings.models.forms import UnitMonthKey
from filings.models.uploads import UploadJob
from pilot.machines import append_only
from pilot.models import PilotUnit


def kept_while_openable(key: str) -> tuple[pgtrigger.Trigger, ...]:
    """Triggers: rows are law once written, but go when the data key that opens them is destroyed.

    ``key`` is the SQL that gives the key of a row ``OLD``.
    """
    return (
        pgtrigger.Trigger(
            name="kept_while_openable",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=(
                "IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM filings_unitmonthkey k "  # noqa: S608
                f"WHERE k.id = ({key}) AND k.destroyed_at IS NOT NULL) THEN RETURN OLD; END IF; "
                "RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"
            ),
        ),
        append_only()[1],
    )


class PictureContent(models.Model):
    """The encrypted bytes of a picture, kept once within a unit and month."""

    key = models.ForeignKey(UnitMonthKey, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "sha256"], name="picture_once_per_unit_month")]
        triggers = kept_while_openable("OLD.key_id")

    def __str__(self) -> str:
        return self.sha256


class FormPicture(models.Model):
    """A picture that belongs to a form: what it shows, and of which subject or website."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    form_no = models.CharField(max_length=160)
    use = models.CharField(max_length=32)
    format = models.CharField(max_length=8)
    owner_kind = models.CharField(max_length=8)  # subject or website
    owner = models.CharField(max_length=64)  # its id at the provider
    content = models.ForeignKey(PictureContent, on_delete=models.PROTECT)

    class Meta:
        indexes = [
            models.Index(fields=["unit", "form_no"], name="picture_of_form"),
            models.Index(fields=["unit", "owner_kind", "owner"], name="picture_of_owner"),
        ]
        triggers = kept_while_openable(
            "SELECT c.key_id FROM filings_picturecontent c WHERE c.id = OLD.content_id"
        )

    def __str__(self) -> str:
        return f"{self.form_no} {self.use}"


class FormSupplement(models.Model):
    """A V3.0 record that is no form: material of another form (XZHYD) or a deregistration (ZXBA)."""

    uuid = models.UUIDField(unique=True)
    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="supplements")
    row = models.PositiveIntegerField()
    operation = models.CharField(max_length=8)
    form_no = models.CharField(max_length=160, blank=True)  # the form the material belongs to
    digest = models.BinaryField()  # finds identical repeats, as for forms
    key = models.ForeignKey(UnitMonthKey, on_delete=models.PROTECT)
    ciphertext = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "digest"], name="supplement_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.operation} {self.job_id}:{self.row}"
