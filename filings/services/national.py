"""Importing the national system's own answers (V3.0 ``DownloadData``); docs/national.md says what becomes of each.

A file is taken in one transaction: receipts and reviews are linked to the forms they answer, checks are recorded, and
a subject check that names an error opens a finding of source ``national``. Importing a file again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import PurePath
from typing import Any, BinaryIO, Final
from uuid import uuid4

import msgspec
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from filings.enums import FindingKind, FindingSource
from filings.intake.records import FileRefused, Reference
from filings.intake.v3_download import CHECKS, SUBJECT, Download, NationalAnswer, Unreadable, read_download
from filings.intake.v3_references import SUBJECT_ID
from filings.models import NationalCheck, NationalFile, NationalReceipt, VerificationForm
from filings.services import crypto, findings, storage, subjects
from filings.services.loading import LOAD_LOCK
from filings.services.national_matching import Asked, form_of_subject, forms_of, makes_form
from pilot import clock
from pilot.actors import Actor
from pilot.errors import ContentDestroyed, Refused
from pilot.models import PilotUnit
from pilot.rules import local_day
from pilot.services import audit, outbox

STORED: Final = 1060
"""The national code by which a form is received."""
LONGEST_NAME: Final = 255
BATCH: Final = 500
DESCRIPTION: Final = "全国系统主体核查有误："
_FORMLESS: Final = Q(form__isnull=True, expects_form=True)
_LONG_DIGITS: Final = re.compile(r"[0-9]{8,}[0-9Xx]*")


@dataclass(slots=True)
class Counts:
    """What became of a file's records: each is a receipt, a review, a check, a duplicate, or refused.

    ``receipts``: results that were new, of which ``matched`` found their form and ``formless`` did not, though they
    should have one; the rest is about no form. ``findings``: opened by the subject checks.
    """

    rows: int = 0
    receipts: int = 0
    matched: int = 0
    formless: int = 0
    reviews: int = 0
    checks: int = 0
    findings: int = 0
    duplicates: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that was taken, or only tried: counts, refused records in words, parts that are not for the portal.

    ``file`` stands for it; None where it was only tried, or brought nothing that was not there.
    """

    counts: Counts
    refused: list[Unreadable] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    file: NationalFile | None = None


def import_national(
    *, actor: Actor, unit: PilotUnit, source: BinaryIO, name: str, dry_run: bool = False
) -> Imported:
    """Take in a file of answers to a unit's uploads; ``dry_run`` says what would become of it and keeps nothing.

    Raises :class:`Refused` in words for a file that is none of those.
    """
    try:
        download = read_download(source)
    except FileRefused as fault:
        raise Refused(fault.message(get_language() or "zh")) from fault
    with transaction.atomic():
        _lock(unit)
        imported = _import(actor, unit, download, PurePath(name).name[-LONGEST_NAME:])
        if dry_run:
            transaction.set_rollback(True)
    return Imported(imported.counts, imported.refused, imported.ignored) if dry_run else imported


def match_again(*, unit: PilotUnit | None = None) -> int:
    """Look once more for the forms of answers that had none; returns how many were found."""
    waiting = NationalReceipt.unscoped.filter(_FORMLESS, file__key__destroyed_at__isnull=True)
    if unit is not None:
        waiting = waiting.filter(unit=unit)
    ids = list(waiting.order_by("unit_id").values_list("unit_id", flat=True).distinct())
    return sum(_match_unit(one) for one in PilotUnit.unscoped.filter(pk__in=ids).order_by("pk"))


def words_of(record: NationalReceipt | NationalCheck) -> dict[str, Any] | None:
    """The texts of a record by element, and its ``reference``; they may name people. None: destroyed.

    Callers of many use ``select_related("file__key")``.
    """
    try:
        key = storage.data_key(record.file.key)
    except ContentDestroyed:
        return None
    opened: dict[str, Any] = msgspec.json.decode(
        crypto.unseal(key, record.uuid.bytes, bytes(record.ciphertext))
    )
    return opened


def why(one: Unreadable) -> str:
    """Why a record was refused, in words."""
    words = _("缺少 %(element)s") if one.problem == "missing" else _("%(element)s 的值不符合接口规范")
    return words % {"element": one.element}


def reference_of(record: NationalReceipt | NationalCheck) -> str:
    """The id that a record answers; nothing where it was destroyed."""
    return str((words_of(record) or {}).get("reference", ""))


def masked(text: str) -> str:
    """The text of a record without the long numbers in it, which tell persons."""
    return _LONG_DIGITS.sub("********", text)


def _lock(unit: PilotUnit) -> None:
    """One import of a unit at a time, and none beside its loading: forms and their answers must not pass each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOAD_LOCK, unit.pk])


def _import(actor: Actor, unit: PilotUnit, download: Download, name: str) -> Imported:
    now, refused = clock.now(), download.unreadable
    counts = Counts(rows=len(download.answers) + len(refused), refused=len(refused))
    if NationalFile.unscoped.filter(unit=unit, sha256=download.sha256).exists():
        counts.duplicates = len(download.answers)
        return Imported(counts, refused, download.ignored)
    _match_unit(unit)
    file = NationalFile(
        unit=unit,
        name=name,
        sha256=download.sha256,
        imported_at=now,
        imported_by_id=actor.person_id,
        counts={},
        refused=[[one.row, one.element, one.problem] for one in refused],
        key=storage.month_key(unit_id=unit.pk, month=local_day(now).replace(day=1)),
    )
    desk = _Desk(unit, file, now)
    receipts = desk.receipts([one for one in download.answers if one.kind not in CHECKS], counts)
    checks = desk.checks([one for one in download.answers if one.kind in CHECKS], counts)
    counts.findings = len(findings.open_findings(actor=actor, faults=desk.faults, at=now))
    file.counts = {**asdict(counts), "ignored": download.ignored}
    file.save(force_insert=True)
    NationalReceipt.unscoped.bulk_create(receipts, batch_size=BATCH)
    NationalCheck.unscoped.bulk_create(checks, batch_size=BATCH)
    if desk.learn():
        outbox.post_task("filings.tasks.compare_unit", unit_id=unit.pk)
    audit.record(
        action="national.import", actor=actor, subject=file, detail={"unit": unit.code, **file.counts}
    )
    return Imported(counts, refused, download.ignored, file)


class _Desk:
    """Makes rows of the records of one file, sealed under the data key of its month."""

    def __init__(self, unit: PilotUnit, file: NationalFile, now: datetime) -> None:
        self._unit = unit
        self._file = file
        self._now = now
        self._key = storage.data_key(file.key)
        self._learned: list[tuple[VerificationForm, Reference]] = []
        self.faults: list[findings.Fault] = []

    def receipts(self, answers: list[NationalAnswer], counts: Counts) -> list[NationalReceipt]:
        """The results and reviews that are new."""
        asked = [Asked(one.operation, one.reference, _digest(one), one.at) for one in answers]
        forms = forms_of(self._unit, asked)
        known = _known(NationalReceipt, self._unit, answers)
        rows = []
        for one, form_id in zip(answers, forms, strict=True):
            if (form_id, _digest(one)) in known:
                counts.duplicates += 1
                continue
            known.add((form_id, _digest(one)))
            rows.append(self._receipt(one, form_id))
            if one.passed is not None:
                counts.reviews += 1
                continue
            counts.receipts += 1
            counts.matched += form_id is not None
            counts.formless += form_id is None and makes_form(one.operation)
        return rows

    def _receipt(self, one: NationalAnswer, form_id: int | None) -> NationalReceipt:
        return NationalReceipt(
            **self._common(one, form_id),
            operation=one.operation,
            codes=list(one.codes),
            stored=STORED in one.codes,
            passed=one.passed,
            expects_form=makes_form(one.operation),
        )

    def checks(self, answers: list[NationalAnswer], counts: Counts) -> list[NationalCheck]:
        """The checks that are new; of those of subjects the faults are noted that they say."""
        known = _known(NationalCheck, self._unit, answers)
        rows = []
        for one in answers:
            form = self._subject(one) if one.kind == SUBJECT else None
            place = (form.pk if form else None, _digest(one))
            if place in known:
                counts.duplicates += 1
                continue
            known.add(place)
            counts.checks += 1
            rows.append(NationalCheck(**self._common(one, place[0]), result=one.result))
            if form is not None:
                self._note(one, form)
        return rows

    def _subject(self, one: NationalAnswer) -> VerificationForm | None:
        words = one.words
        return form_of_subject(self._unit, int(words["Zjlx"]), words["Zjhm"], words["Dwmc"])

    def _note(self, one: NationalAnswer, form: VerificationForm) -> None:
        """A check without a reason names no error. Either way it tells how the provincial system calls the subject."""
        if one.reference.isdecimal():
            self._learned.append((form, Reference(SUBJECT_ID, str(int(one.reference)))))
        if reason := one.words.get("Cwyy"):
            self.faults.append(
                findings.Fault(
                    form=form,
                    source=FindingSource.NATIONAL,
                    kind=FindingKind.IDENTITY,
                    field=SUBJECT,
                    description=DESCRIPTION + masked(reason),
                )
            )

    def learn(self) -> int:
        """Hand on what the checks told of subjects; returns how many additions have found theirs by it."""
        return sum(subjects.learn(form=form, references=[reference]) for form, reference in self._learned)

    def _common(self, one: NationalAnswer, form_id: int | None) -> dict[str, Any]:
        uuid = uuid4()
        return {
            "unit": self._unit,
            "file": self._file,
            "row": one.row,
            "form_id": form_id,
            "kind": one.kind,
            "at": one.at or self._now,
            "digest": _digest(one),
            "uuid": uuid,
            "ciphertext": crypto.seal(
                self._key, uuid.bytes, msgspec.json.encode({"reference": one.reference, **one.words})
            ),
        }


def _digest(one: NationalAnswer) -> bytes:
    """What a record is recognised by; keyed, since a plain digest would confirm a guess at whom it names."""
    return crypto.repeat_digest(one.digest)


def _known(
    model: type[NationalReceipt] | type[NationalCheck], unit: PilotUnit, answers: Iterable[NationalAnswer]
) -> set[tuple[int | None, bytes]]:
    """What is recorded already, by form and content: the same answer to a later version of a form is a new one."""
    known: set[tuple[int | None, bytes]] = set()
    for part in batched({_digest(one) for one in answers}, BATCH):
        rows = model.unscoped.filter(unit=unit, digest__in=part).values_list("form_id", "digest")
        known |= {(form_id, bytes(digest)) for form_id, digest in rows}
    return known


@transaction.atomic
def _match_unit(unit: PilotUnit) -> int:
    _lock(unit)
    waiting = NationalReceipt.unscoped.filter(_FORMLESS, unit=unit, file__key__destroyed_at__isnull=True)
    rows = list(waiting.select_related("file__key").order_by("pk"))
    asked = [
        Asked(row.operation, reference_of(row), bytes(row.digest), row.at if row.passed is not None else None)
        for row in rows
    ]
    found: Mapping[NationalReceipt, int] = {
        row: form_id for row, form_id in zip(rows, forms_of(unit, asked), strict=True) if form_id is not None
    }
    taken = set(
        NationalReceipt.unscoped.filter(unit=unit, form__in=found.values()).values_list("form_id", "digest")
    )
    known = {(form_id, bytes(digest)) for form_id, digest in taken}
    matched = 0
    for row, form_id in found.items():
        if (form_id, bytes(row.digest)) not in known:
            known.add((form_id, bytes(row.digest)))
            matched += NationalReceipt.unscoped.filter(pk=row.pk).update(form_id=form_id)
    return matched
