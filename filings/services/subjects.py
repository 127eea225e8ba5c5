"""Subjects of V3.0 additions: a new website or access names a subject filed before, in another form of the unit.

It is looked for when the addition is stored, and again whenever a form or a national answer brings a reference; what
was found is a row of its own, since stored forms never change. Until then the addition stays pending. Callers hold
the unit's load lock, so an addition and its subject cannot pass each other. Material that names a subject or website
finds its form by the same references, once and for all when it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from django.db.models import Exists, OuterRef, Q

from filings.intake.records import Reference
from filings.intake.v3_references import OF_SUBJECTS
from filings.intake.versions import Candidate
from filings.models import Determination, SubjectLink, SubjectReference, VerificationForm
from filings.services import crypto
from filings.services.storage import open_form
from pilot import clock
from pilot.errors import ContentDestroyed

COMPARABLE: Final = Q(subject_known=True) | Q(Exists(SubjectLink.objects.filter(form=OuterRef("pk"))))
"""Forms whose subject is known: their own, or one that was found."""
TAKEN_OVER: Final = ("subject", "principal", "subject_kind")
type Asking = Mapping[int, Sequence[Reference]]


def note(*, unit_id: int, rows: Iterable[Candidate]) -> int:
    """Keep the references of rows just stored and find what they answer; returns how many subjects were found."""
    told = [row for row in rows if row.brings or row.asks]
    if not told:
        return 0
    stored = VerificationForm.unscoped.filter(unit=unit_id, form_no__in=[row.form_no for row in told])
    ids: dict[str, int] = dict(stored.values_list("form_no", "pk"))
    asking = {ids[row.form_no]: row.asks for row in told if row.asks}
    _keep(unit_id, asking, named=True)
    _keep(unit_id, {ids[row.form_no]: row.brings for row in told if row.brings}, named=False)
    found = _search(unit_id, asking)
    found += sum(_answer(unit_id, ids[row.form_no], row.brings) for row in told if row.brings)
    return found


def learn(*, form: VerificationForm, references: Iterable[Reference]) -> int:
    """A form's subject turned out to be known by these too (a national answer says so).

    Kinds as in ``intake.v3_references``. Returns how many additions have their subject by that; learning the same
    again changes nothing, and a form that was destroyed learns nothing.
    """
    told = tuple(references)
    if form.key.destroyed_at is not None:
        return 0
    _keep(form.unit_id, {form.pk: told}, named=False)
    return _answer(form.unit_id, form.pk, told)


def form_named(unit_id: int, references: Iterable[Reference]) -> str | None:
    """The form that one of these names, the first before the others; None when there is none.

    The newest that brings what is named so, else the newest addition that names it; of a chain its newest version.
    """
    for reference in references:
        forms = VerificationForm.unscoped.filter(
            unit=unit_id,
            references__unit=unit_id,
            references__index__in=crypto.reference_indexes(*reference),
        )
        newest = forms.order_by("references__named", "-received_at", "-job_id", "-row")
        chain = newest.values_list("chain_no", flat=True).first()
        if chain is not None:
            versions = forms.filter(chain_no=chain).order_by("-version")
            return versions.values_list("form_no", flat=True).first()
    return None


def late(unit_id: int) -> list[int]:
    """Additions whose subject is known and which were not compared, however far behind the newest compared form."""
    compared = Determination.unscoped.filter(form=OuterRef("form"))
    links = SubjectLink.objects.filter(~Exists(compared), unit=unit_id)
    return list(links.values_list("form_id", flat=True))


def opened(forms: Sequence[VerificationForm]) -> dict[int, dict[str, Any]]:
    """The contents of forms by id; an addition's holds the subject and the principal that were found for it.

    Where the found form was destroyed meanwhile, they are missing. A form that was tampered with, or whose found form
    was, is left out; otherwise raises as ``storage.open_form``.
    """
    contents: dict[int, dict[str, Any]] = {}
    for form in forms:
        with suppress(InvalidTag):
            contents[form.pk] = open_form(form)
    lacking = [form.pk for form in forms if not form.subject_known and form.pk in contents]
    links = SubjectLink.objects.filter(form__in=lacking) if lacking else ()
    brought = _subjects({link.subject_form_id for link in links})
    for link in links:
        if link.subject_form_id in brought:
            contents[link.form_id] |= brought[link.subject_form_id]
        else:
            del contents[link.form_id]
    return contents


def _subjects(ids: set[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for form in VerificationForm.unscoped.filter(pk__in=ids).select_related("key"):
        try:
            content = open_form(form)
        except ContentDestroyed:
            content = {}
        except InvalidTag:
            continue
        found[form.pk] = {name: content[name] for name in TAKEN_OVER if name in content}
    return found


def _keep(unit_id: int, references: Asking, *, named: bool) -> None:
    SubjectReference.objects.bulk_create(
        (
            SubjectReference(
                unit_id=unit_id,
                form_id=form_id,
                named=named,
                kind=reference.kind,
                index=crypto.reference_index(*reference),
            )
            for form_id, listed in references.items()
            for reference in listed
        ),
        ignore_conflicts=True,
    )


def _search(unit_id: int, asking: Asking) -> int:
    """Link additions to the newest form that brings what they name."""
    indexes = {index for listed in asking.values() for index in _of_subjects(listed)}
    rows = SubjectReference.objects.filter(
        unit=unit_id, named=False, index__in=indexes, form__key__destroyed_at__isnull=True
    )
    brought = {bytes(index): form for index, form in rows.order_by("form_id").values_list("index", "form_id")}
    found: dict[int, tuple[int, str]] = {}
    for form_id, listed in asking.items():
        hits = [
            (brought[index], one.kind)
            for one in listed
            for index in crypto.reference_indexes(*one)
            if index in brought
        ]
        if hits:
            found[form_id] = max(hits)
    return _link(unit_id, found)


def _answer(unit_id: int, subject_form: int, brings: Sequence[Reference]) -> int:
    """Link the additions that wait for what a form brings."""
    indexes = _of_subjects(brings)
    if not indexes:
        return 0
    waiting = SubjectReference.objects.filter(
        ~Exists(SubjectLink.objects.filter(form=OuterRef("form"))),
        unit=unit_id,
        named=True,
        index__in=indexes,
    )
    return _link(
        unit_id, {form: (subject_form, kind) for form, kind in waiting.values_list("form_id", "kind")}
    )


def _of_subjects(references: Iterable[Reference]) -> list[bytes]:
    """The blind indexes of those by which additions find their subject."""
    return [
        index for one in references if one.kind in OF_SUBJECTS for index in crypto.reference_indexes(*one)
    ]


def _link(unit_id: int, found: Mapping[int, tuple[int, str]]) -> int:
    at: datetime = clock.now()
    SubjectLink.objects.bulk_create(
        SubjectLink(unit_id=unit_id, form_id=form, subject_form_id=subject, kind=kind, found_at=at)
        for form, (subject, kind) in found.items()
    )
    return len(found)
