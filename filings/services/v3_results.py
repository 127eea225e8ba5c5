"""Result files of the V3.0 service: what became of every record of an accepted file, in the national codes.

A file is made from the stored rows whenever it is asked for, the same every time, so none is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from filings.enums import JobState
from filings.intake.records import ErrorItem
from filings.intake.v3_codes import national_code
from filings.models import FormRefusal, FormSupplement, V3Upload, VerificationForm
from filings.services import rejects
from filings.v3.answers import Package, RecordResult, download_data
from filings.v3.manifest import DEREGISTRATIONS, UNKNOWN_KIND
from filings.v3.package import Secret, content_digest, encrypt, zip_up
from pilot.models import PilotUnit

FORM_STORED: Final = 1060
PASSED: Final = 1001
NOT_TAKEN: Final = 1002
"""For records that processing never came to, because it broke down."""


def upload_name(unit: PilotUnit, sequence: int) -> str:
    """What an accepted file is called: id of the provider and number."""
    return f"{unit.national_id}_{sequence:08d}.zip"


def result_name(unit: PilotUnit, sequence: int) -> str:
    """What the result of an accepted file is called."""
    return f"BAJG_{upload_name(unit, sequence)}"


def sequence_of(unit: PilotUnit, name: str) -> int:
    """The number of the file whose result is called so; 0 when none of the unit's can be."""
    number = name.removesuffix(".zip").rpartition("_")[2]
    sequence = int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else 0
    return sequence if name == result_name(unit, sequence) else 0


def result_package(upload: V3Upload, secret: Secret) -> Package:
    """The result of a processed file, packed with the cipher the provider used itself."""
    name = result_name(upload.unit, upload.sequence)
    packed = zip_up(f"{name.removesuffix('.zip')}.xml", download_data(_results(upload)))
    return Package(name, encrypt(packed, upload.cipher, secret), content_digest(packed), upload.cipher)


def _results(upload: V3Upload) -> Iterator[RecordResult]:
    if upload.job is None:
        kind = upload.records[0][0] if upload.records else UNKNOWN_KIND
        yield RecordResult(kind, "", [(upload.refusal or 0, upload_name(upload.unit, upload.sequence))])
        return
    job = upload.job
    own = VerificationForm.unscoped.filter(unit=job.unit_id, received_at=job.received_at, job=job)
    forms = dict(own.values_list("row", "form_no"))
    refusals = {refusal.row: refusal for refusal in FormRefusal.unscoped.filter(job=job)}
    supplements = set(FormSupplement.objects.filter(job=job).values_list("row", flat=True))
    for row, (kind, record_id) in enumerate(upload.records, 1):
        if row in refusals:
            codes, remark = _codes(rejects.errors_of(refusals[row])), refusals[row].form_no
        elif row > job.taken_rows and job.state == JobState.FAILED:
            codes, remark = [(NOT_TAKEN, job.fault)], ""
        elif kind in DEREGISTRATIONS.values():
            codes, remark = [(PASSED, _("已记录"))], ""
        else:
            repeat = row not in forms and row not in supplements
            codes = [(FORM_STORED, _("与已入库的内容相同") if repeat else _("核验单已入库"))]
            remark = forms.get(row, "")
        yield RecordResult(kind, record_id, codes, remark)


def _codes(errors: list[ErrorItem]) -> list[tuple[int, str]]:
    """The national codes of a refused record in the order of its faults, each once with all its words."""
    words: dict[int, list[str]] = {}
    for error in errors:
        said = words.setdefault(national_code(error), [])
        said.append(f"{error.message()} {error.field}".strip())
    return [(code, "；".join(said)) for code, said in words.items()]
