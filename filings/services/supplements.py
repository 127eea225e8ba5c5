"""Pictures of V3.0 records, and the records that are no forms: material handed in alone, deregistrations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from django.db import connection

from filings.intake.records import Attachment, ErrorItem
from filings.intake.v3_pictures import NO_SUBJECT, NO_WEBSITE
from filings.intake.v3_references import of_owner
from filings.intake.versions import Candidate
from filings.models import FormPicture, FormSupplement, PictureContent, UnitMonthKey, UploadJob
from filings.services import crypto, storage, subjects

MATERIAL: Final = "XZHYD"
_OPERATION_OF: Final = {"subject": "XZBA", "website": "XZWZ"}
_STORED_BEFORE: Final = """
SELECT f.form_no FROM filings_verificationform f JOIN pilot_pilotunit u ON u.id = f.unit_id
WHERE f.unit_id = %(unit)s AND f.chain_no >= 'V3-' || u.national_id || %(low)s
  AND f.chain_no < 'V3-' || u.national_id || %(high)s
ORDER BY f.version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Supplement:
    """A record that is no form, the form it belongs to, or the errors that refuse it."""

    row: Candidate
    form_no: str = ""
    errors: tuple[ErrorItem, ...] = ()


class Desk:
    """Judges the supplements of one chunk against what is stored and against each other."""

    def __init__(self, unit_id: int, rows: Iterable[Candidate]) -> None:
        self._unit_id = unit_id
        digests = [row.digest for row in rows if not row.makes_form]
        stored = FormSupplement.objects.filter(unit=unit_id, digest__in=digests).values_list(
            "digest", flat=True
        )
        self._seen = {bytes(digest) for digest in stored} if digests else set()

    def judge(self, row: Candidate) -> Supplement | None:
        """The supplement a row makes; None for an identical repeat."""
        if row.errors:
            return Supplement(row, errors=tuple(row.errors))
        if row.digest in self._seen:
            return None
        if row.operation == MATERIAL and row.attachments:
            owner = row.attachments[0]
            form_no = form_of(self._unit_id, owner.owner_kind, owner.owner)
            if form_no is None:
                return Supplement(row, errors=(_without_form(owner),))
        else:
            form_no = ""
        self._seen.add(row.digest)
        return Supplement(row, form_no)


def _without_form(picture: Attachment) -> ErrorItem:
    national = NO_SUBJECT if picture.owner_kind == "subject" else NO_WEBSITE
    return ErrorItem("image.owner", "/images/0/owner", national=national)


def form_of(unit_id: int, owner_kind: str, owner: str) -> str | None:
    """The form of the subject or website that material names so; None when there is none.

    By an id of the unit's own, an id of the provincial system, or a 备案号.
    """
    form_no = subjects.form_named(unit_id, of_owner(owner_kind, owner))
    return form_no or _stored_before(unit_id, owner_kind, owner)


def _stored_before(unit_id: int, owner_kind: str, owner: str) -> str | None:
    """The same for forms stored before own ids were kept: those forms stay, and their material may come any day.

    What there is of them are the number, which holds the id of a filing's subject or of the first of new websites, and
    the pictures handed in with them.
    """
    chain = f"-{_OPERATION_OF[owner_kind]}-{owner}"
    with connection.cursor() as cursor:
        # The number of a V3.0 form is its chain's key and a digest: "." is the character after "-".
        cursor.execute(_STORED_BEFORE, {"unit": unit_id, "low": f"{chain}-", "high": f"{chain}."})
        found = cursor.fetchone()
    if found is not None:
        return str(found[0])
    pictures = FormPicture.objects.filter(unit=unit_id, owner_kind=owner_kind, owner=owner)
    return pictures.order_by("-pk").values_list("form_no", flat=True).first()


def keep(*, job: UploadJob, supplement: Supplement, key: UnitMonthKey, data_key: bytes) -> None:
    """Keep a record that is no form, encrypted like one, with its pictures."""
    row, uuid = supplement.row, uuid4()
    FormSupplement.objects.create(
        uuid=uuid,
        unit_id=job.unit_id,
        job=job,
        row=row.number,
        operation=row.operation,
        form_no=supplement.form_no,
        digest=row.digest,
        key=key,
        ciphertext=storage.close_content(data_key, uuid, canonical=row.canonical, raw=row.raw),
    )
    keep_pictures(job=job, row=row, form_no=supplement.form_no, key=key, data_key=data_key)


def keep_pictures(
    *, job: UploadJob, row: Candidate, form_no: str, key: UnitMonthKey, data_key: bytes
) -> None:
    """Keep the pictures of a record: the bytes once within the unit's month, and whose they are each time."""
    contents = {picture.sha256: picture.content for picture in row.attachments}
    PictureContent.objects.bulk_create(
        (
            PictureContent(
                key=key, sha256=sha256, sealed=crypto.seal(data_key, bytes.fromhex(sha256), content)
            )
            for sha256, content in contents.items()
        ),
        ignore_conflicts=True,
    )
    kept = dict(PictureContent.objects.filter(key=key, sha256__in=contents).values_list("sha256", "pk"))
    FormPicture.objects.bulk_create(
        FormPicture(
            unit_id=job.unit_id,
            form_no=form_no,
            use=picture.use,
            format=picture.format,
            owner_kind=picture.owner_kind,
            owner=picture.owner,
            content_id=kept[picture.sha256],
        )
        for picture in row.attachments
    )


def open_picture(picture: FormPicture) -> bytes:
    """The bytes of a picture."""
    content = picture.content
    return crypto.unseal(storage.data_key(content.key), bytes.fromhex(content.sha256), bytes(content.sealed))
