"""Deciding what stored rows decide: repeats, conflicts of form numbers, and the chains of corrections. Pure.

The loader brings in the stored forms that a chunk may touch; rows are then judged one after another, each seeing
what the rows before it made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from datetime import date, datetime
from typing import Final, NamedTuple

from filings.intake.records import SHANGHAI, Attachment, CheckedRow, ErrorItem, Reference
from filings.intake.sound import Sound
from filings.intake.v3_references import asked
from filings.validators.icp_numbers import province_of

MOST_VERSIONS: Final = 32_000
"""Of one form; the column holds 32,767, and whoever corrects a form so often has another fault."""


class Stored(NamedTuple):
    """A form that exists already, as far as later ones are judged by it."""

    form_no: str
    digest: bytes
    chain_no: str
    version: int
    day: date


@dataclass(slots=True)
class Candidate:
    """A checked row reduced to what loading needs, so that a chunk stays small in memory.

    ``chain_key`` is set for V3.0 records, whose corrections name nothing; ``makes_form`` is false for those that
    only accompany forms.
    """

    number: int
    form_no: str
    canonical: bytes
    raw: bytes = member(repr=False)
    digest: bytes
    errors: Sequence[ErrorItem] = ()
    supersedes: str = ""
    chain_key: str | None = None
    operation: str = ""
    makes_form: bool = True
    attachments: Sequence[Attachment] = ()
    filing_type: str = ""
    province: int | None = None
    subject_kind: str = ""
    subject_known: bool = True
    brings: tuple[Reference, ...] = ()  # of a V3.0 record: by what others may name its subject and websites
    asks: tuple[Reference, ...] = ()  # of a V3.0 addition: by what it names what was filed before
    certificate: tuple[int, str] | None = None
    collected_at: datetime | None = None

    @classmethod
    def of(cls, row: CheckedRow, raw: bytes, digest: bytes) -> Candidate:
        """Reduce a checked row; ``digest`` is the keyed digest of its canonical content."""
        record, v3 = row.record, row.v3
        candidate = cls(row.number, row.form_no, row.digest_source, raw, digest, tuple(row.errors))
        if v3 is not None:
            candidate.chain_key, candidate.operation = v3.chain_key, v3.operation
            candidate.makes_form, candidate.attachments = v3.makes_form, v3.attachments
            candidate.brings, candidate.asks = v3.brings, asked(v3.subject_reference, v3.website_reference)
        if row.errors or not candidate.makes_form:
            candidate.supersedes = record.get("supersedes_form", "")
            return candidate
        subject = record.get("subject", {})
        candidate.supersedes = record.get("supersedes_form", "")
        candidate.filing_type = record["filing_type"]
        candidate.province = _province(row)
        candidate.subject_kind = record.get("subject_kind", "")
        candidate.subject_known = bool(subject)
        candidate.certificate = (subject["cert_type"], subject["cert_no"]) if subject else None
        candidate.collected_at = row.collected_at
        return candidate

    @classmethod
    def of_sound(cls, number: int, row: Sound, raw: bytes, digest: bytes) -> Candidate:
        """Reduce a row that was judged the short way."""
        form = row.form
        return cls(
            number=number,
            form_no=form.form_no,
            canonical=row.canonical,
            raw=raw,
            digest=digest,
            supersedes=form.supersedes_form or "",
            filing_type=form.filing_type,
            province=int(form.subject_province[:2]),
            subject_kind=form.subject_kind,
            certificate=(form.subject.cert_type, form.subject.cert_no),
            collected_at=row.collected_at,
        )


def _province(row: CheckedRow) -> int | None:
    """The province of a row's subject: as it says, else as the 备案号 it refers to shows; None when neither does."""
    code: str | None = row.record.get("subject_province")
    for reference in (row.v3.subject_reference, row.v3.website_reference) if row.v3 is not None else ():
        if code is None and reference is not None and reference.kind == "number":
            code = province_of(reference.value)
    return int(code[:2]) if code is not None else None


class Verdict(NamedTuple):
    """What becomes of a row: a new version (with its place in a chain), a repeat, or refused for its errors."""

    repeat: bool = False
    errors: tuple[ErrorItem, ...] = ()
    chain_no: str = ""
    version: int = 0
    supersedes: str = ""
    day: date = date.min


class Ledger:
    """The forms that the rows of a chunk are judged against; grows with every row accepted."""

    def __init__(self, stored: Iterable[Stored], received_at: datetime) -> None:
        self._today = received_at.astimezone(SHANGHAI).date()
        self._known: dict[str, Stored] = {}
        self._newest: dict[str, Stored] = {}
        self._heads: dict[str, Stored] = {}
        for form in stored:
            self.add(form)

    def add(self, form: Stored, chain_key: str | None = None) -> None:
        """Take in an existing form; ``chain_key`` names the V3.0 chain it belongs to."""
        self._known[form.form_no] = form
        newest = self._newest.get(form.chain_no)
        if newest is None or newest.version < form.version:
            self._newest[form.chain_no] = form
        if chain_key is not None:
            self._heads[chain_key] = self._newest[form.chain_no]

    def judge(self, row: Candidate) -> Verdict:
        """Judge one row and, when it is accepted, remember it. Its own errors come first, none is left out."""
        existing = self._known.get(row.form_no) if row.form_no else None
        if existing is not None and not row.errors and existing.digest == row.digest:
            return Verdict(repeat=True)
        errors = list(row.errors)
        if existing is not None and existing.digest != row.digest:
            errors.append(ErrorItem("form_no.conflict", "/form_no"))
        before, fault = self._before(row)
        if fault is not None:
            errors.append(fault)
        if errors:
            return Verdict(errors=tuple(errors))
        return self._accept(row, before)

    def _before(self, row: Candidate) -> tuple[Stored | None, ErrorItem | None]:
        """The version a row corrects, and what is wrong with that."""
        if row.chain_key is not None:
            head = self._heads.get(row.chain_key)
            if head is not None and head.version >= MOST_VERSIONS:
                return None, ErrorItem("supersedes.stale", "/supersedes_form")
            return head, None
        if not row.supersedes:
            return None, None
        named = self._known.get(row.supersedes)
        if named is None:
            return None, ErrorItem("supersedes.unknown", "/supersedes_form")
        if self._newest[named.chain_no].form_no != named.form_no or named.version >= MOST_VERSIONS:
            return None, ErrorItem("supersedes.stale", "/supersedes_form")
        return named, None

    def _accept(self, row: Candidate, before: Stored | None) -> Verdict:
        if before is None:
            chain_no, version, corrected, day = row.form_no, 1, "", self._today
        else:
            chain_no, version, corrected, day = (
                before.chain_no,
                before.version + 1,
                before.form_no,
                before.day,
            )
        self.add(Stored(row.form_no, row.digest, chain_no, version, day), row.chain_key)
        return Verdict(chain_no=chain_no, version=version, supersedes=corrected, day=day)
