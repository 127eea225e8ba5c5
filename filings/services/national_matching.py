"""Which stored form a national answer is about.

An answer names an id, never one of our forms: the id of the unit's own record, by which V3.0 forms are numbered; the
form's number itself, where the unit uses that as its id; or a 备案号 or an id of the provincial system, by which
additions and changes name their subject. Where an answer fits several forms that wait for one, none is chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Final, NamedTuple

from django.db import connection

from filings.intake.v3_references import NUMBER, SUBJECT_ID
from filings.models import NationalReceipt, SubjectReference, VerificationForm
from filings.services import crypto
from filings.services.storage import open_form
from filings.validators.icp_numbers import subject_number
from filings.validators.names import comparable_name
from filings.validators.text import narrow
from pilot.enums import FilingType
from pilot.models import PilotUnit
from pilot.rules import local_day

OPERATIONS: Final = {1: "XZBA", 2: "XZWZ", 3: "XZJR", 4: "BGBA"}
"""``Czlx`` → operation, of those that make forms; deregistrations and material alone make none."""
_NEW_WEBSITE: Final = 2
_CHANGE: Final = 4
_TYPES: Final = {2: FilingType.NEW_WEBSITE, 3: FilingType.NEW_ACCESS, 4: FilingType.CHANGE}
"""Those whose answers may bear a 备案号, or the provincial system's id of the subject."""
_UNSAID: Final = 0
_DIGEST: Final = 13  # "-" and the twelve characters that end the number of a V3.0 form
_BATCH: Final = 500
_CANDIDATES: Final = 50
_VERSIONS: Final = """
SELECT p.place, f.id, f.received_at
FROM unnest(%s::integer[], %s::text[]) p(place, chain)
JOIN filings_verificationform f ON f.unit_id = %s
  AND f.chain_no >= (p.chain || '-') COLLATE "C" AND f.chain_no < (p.chain || '.') COLLATE "C"
  AND length(f.chain_no) = length(p.chain) + %s
ORDER BY f.received_at, f.id
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer whose form is looked for; ``reviewed_at``: of a bureau's review, None for the result of an upload."""

    operation: int
    reference: str
    digest: bytes
    reviewed_at: datetime | None = None


class _Version(NamedTuple):
    form_id: int
    received_at: datetime


def makes_form(operation: int) -> bool:
    """Whether an answer to this operation (0: not said) is about a form."""
    return operation == _UNSAID or operation in OPERATIONS


def forms_of(unit: PilotUnit, asked: Sequence[Asked]) -> list[int | None]:
    """The id of the form of each answer, None where there is none, or more than one."""
    found: list[int | None] = []
    taken: set[int] = set()
    for part in batched(asked, _BATCH):
        by_number = _by_number(unit, part)
        by_chain = _by_chain(unit, part)
        for place, one in enumerate(part):
            if not makes_form(one.operation) or not one.reference:
                found.append(None)
            elif one.reference in by_number:
                found.append(by_number[one.reference])
            elif place in by_chain:
                found.append(_as_of(by_chain[place], one.reviewed_at))
            else:
                found.append(_by_subject(unit, one, taken))
            taken |= {form for form in found[-1:] if form is not None}
    return found


def _by_number(unit: PilotUnit, asked: Iterable[Asked]) -> Mapping[str, int]:
    numbers = {one.reference for one in asked}
    rows = VerificationForm.unscoped.filter(unit=unit, form_no__in=numbers)
    return dict(rows.values_list("form_no", "pk"))


def _by_chain(unit: PilotUnit, asked: Iterable[Asked]) -> Mapping[int, list[_Version]]:
    """The versions that carry the id, by the answer's place, oldest first.

    A review that does not say its operation is about the one operation that knows its id. The result of a new website
    bears the id of its subject, which must not be taken for that of the website.
    """
    wanted = [
        (place, f"V3-{unit.national_id}-{name}-{one.reference}")
        for place, one in enumerate(asked)
        for operation, name in OPERATIONS.items()
        if one.operation in (operation, _UNSAID) and (operation != _NEW_WEBSITE or one.reviewed_at)
    ]
    versions: dict[int, dict[int, list[_Version]]] = defaultdict(lambda: defaultdict(list))
    with connection.cursor() as cursor:
        chains = [chain for _place, chain in wanted]
        cursor.execute(_VERSIONS, [list(range(len(wanted))), chains, unit.pk, _DIGEST])
        for number, form_id, received_at in cursor.fetchall():
            versions[wanted[number][0]][number].append(_Version(form_id, received_at))
    return {
        place: next(iter(operations.values()))
        for place, operations in versions.items()
        if len(operations) == 1
    }


def _as_of(versions: Sequence[_Version], at: datetime | None) -> int:
    """The newest version that had come by the day of the answer; where all came later, the first."""
    if at is None:
        return versions[-1].form_id
    come = [one for one in versions if local_day(one.received_at) <= local_day(at)]
    return (come[-1] if come else versions[0]).form_id


def _by_subject(unit: PilotUnit, one: Asked, taken: set[int]) -> int | None:
    """The form that names its subject so and has no answer yet; the one that has this very answer, if any."""
    if one.operation not in _TYPES:
        return None
    number = subject_number(narrow(one.reference))
    reference = (SUBJECT_ID, str(int(one.reference))) if one.reference.isdecimal() else (NUMBER, number)
    rows = SubjectReference.objects.filter(
        unit=unit,
        named=one.operation != _CHANGE,  # a change brings the number itself
        index__in=crypto.reference_indexes(*reference),
        form__filing_type=_TYPES[one.operation],
    )
    named = set(rows.values_list("form_id", flat=True)[:_CANDIDATES])
    answers = NationalReceipt.unscoped.filter(unit=unit, form__in=named).values_list("form_id", "digest")
    if repeated := [form for form, digest in answers if bytes(digest) == one.digest]:
        return min(repeated)
    waiting = named - taken - {form for form, _digest in answers}
    return waiting.pop() if len(waiting) == 1 else None


def form_of_subject(unit: PilotUnit, cert_type: int, cert_no: str, name: str) -> VerificationForm | None:
    """The newest form of a subject with this certificate and this name.

    A form under another name is none: what was checked is then not what the form says.
    """
    indexes = crypto.certificate_indexes(cert_type, narrow(cert_no).upper())
    rows = VerificationForm.unscoped.filter(
        unit=unit, subject_index__in=indexes, key__destroyed_at__isnull=True
    )
    for form in rows.select_related("key", "unit").order_by("-pk")[:_CANDIDATES]:
        subject = open_form(form).get("subject") or {}
        if comparable_name(str(subject.get("name") or "")) == comparable_name(name):
            return form
    return None
