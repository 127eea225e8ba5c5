"""The national system's own answers (V3.0 ``DownloadData``) as imported: results, reviews and checks.

What a record says in words, whom it names, and the id it answers (a 备案号 or an id of the provincial system leads to a
person) are sealed under the data key of the unit's month of import, and go with it; codes and times stay in clear.
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from filings.enums import NationalCheckKind, NationalKind
from filings.models.forms import UnitMonthKey, VerificationForm
from pilot.actors import Actor
from pilot.machines import EVERYTHING, NOTHING, Owned, append_only
from pilot.models import PilotUnit


def _form_found_once() -> tuple[pgtrigger.Trigger, ...]:
    """Append-only, but a row without a form may be given the one that came later, once and for good."""
    return (
        pgtrigger.Trigger(
            name="form_found_once",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            declare=[("found", "bigint")],
            func=(
                "IF TG_OP = 'UPDATE' AND OLD.form_id IS NULL THEN "
                "found := NEW.form_id; NEW.form_id := NULL; "
                "IF NEW *= OLD THEN NEW.form_id := found; RETURN NEW; END IF; END IF; "
                "RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"
            ),
        ),
        append_only()[1],
    )


def _visible(actor: Actor) -> Q:
    """As of forms: the unit, its home bureau, the bureau of the form's subject, the ministry."""
    if actor.sees_everything:
        return EVERYTHING
    if actor.is_bureau:
        return Q(unit__province=actor.province) | Q(form__subject_province=actor.province)
    return Q(unit__organisation=actor.organisation_id) if actor.is_provider else NOTHING


class NationalFile(Owned):
    """A file of answers: whose, when and by whom it was imported, and what became of its records."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="national_files")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()  # business time
    imported_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")
    counts: Any = models.JSONField()  # services.national.Counts, and the parts "ignored"
    refused: Any = models.JSONField()  # [[row, element, problem]] as intake.v3_download.Unreadable
    key = models.ForeignKey(UnitMonthKey, on_delete=models.PROTECT, related_name="+")

    class Meta(Owned.Meta):
        constraints = [models.UniqueConstraint(fields=["unit", "sha256"], name="national_file_once")]
        triggers = append_only()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.is_bureau:
            return Q(unit__province=actor.province)
        return _visible(actor)


class NationalRecord(Owned):
    """One record of a file. ``row`` counts the file's records from 1; ``digest`` (keyed) finds repeats."""

    unit = models.ForeignKey(PilotUnit, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(NationalFile, on_delete=models.PROTECT, related_name="%(class)ss")
    row = models.PositiveIntegerField()
    form = models.ForeignKey(
        VerificationForm, on_delete=models.PROTECT, null=True, related_name="%(class)ss", db_constraint=False
    )
    at = models.DateTimeField()  # as the record says, else when it was imported
    digest = models.BinaryField()
    uuid = models.UUIDField()
    ciphertext = models.BinaryField()

    class Meta(Owned.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.file_id}:{self.row}"

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return _visible(actor)


class NationalReceipt(NationalRecord):
    """What the national system made of one uploaded record; with code 1060 it is the form's national receipt."""

    kind = models.CharField(max_length=8, choices=NationalKind.choices)
    operation = models.PositiveSmallIntegerField()  # Czlx
    codes: Any = models.JSONField()  # result codes, in the order of the record
    stored = models.BooleanField()  # 1060 is among them
    passed = models.BooleanField(null=True)  # of a review
    expects_form = models.BooleanField()  # deregistrations and material alone make none

    class Meta(NationalRecord.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "digest", "form"], nulls_distinct=False, name="national_receipt_once"
            )
        ]
        indexes = [
            models.Index(fields=["form"], name="national_receipt_form", condition=Q(form__isnull=False)),
            models.Index(
                fields=["unit", "at"],
                name="national_receipt_formless",
                condition=Q(form__isnull=True, expects_form=True),
            ),
            models.Index(fields=["unit", "-at", "-id"], name="national_receipt_list"),
        ]
        triggers = _form_found_once()


class NationalCheck(NationalRecord):
    """What the national system found when it checked a subject or a website by itself."""

    kind = models.CharField(max_length=8, choices=NationalCheckKind.choices)
    result = models.PositiveSmallIntegerField(null=True)  # Hcjg; its meaning depends on the kind

    class Meta(NationalRecord.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "digest", "form"], nulls_distinct=False, name="national_check_once"
            )
        ]
        indexes = [
            models.Index(fields=["form"], name="national_check_form", condition=Q(form__isnull=False)),
            models.Index(fields=["unit", "-at", "-id"], name="national_check_list"),
        ]
        triggers = append_only()
