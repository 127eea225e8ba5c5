"""The forms that a figure counts: every number on a page opens what stands behind it (design.md, section 5).

Chains are looked through in the order of their day and number, a stretch at a time, and each is judged by the one
statement that counts. So a page costs the chains it looks through, not the history; counts that are rare look
through candidates only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from filings.models import Finding, FormRefusal, UploadJob, VerificationForm
from filings.periods import Period
from filings.selectors import forms, rollups, statements

PAGE: Final = 50  # members on a page
FIRST: Final = 2 * PAGE  # chains judged to begin with: of most counts they fill the page
STRETCH: Final = 1_000  # chains judged by one statement
STRETCHES: Final = 20  # at most on one page; the next page goes on from there

type Place = tuple[date, int]  # day and first form of the last chain looked through

# One set, so that PostgreSQL goes from the few faults to their chains and not through all forms of the unit.
_FAULTY: Final = """f.chain_no IN (
    SELECT g.chain_no FROM filings_finding g WHERE g.unit_id = %(unit)s
    UNION
    SELECT m.chain_no FROM filings_determination d
    JOIN filings_verificationform m ON m.unit_id = d.unit_id AND m.id = d.form_id
    WHERE d.unit_id = %(unit)s AND d.outcome = 'mismatch'
)"""
_CANDIDATES: Final = {
    "undeterminable": """f.chain_no IN (
        SELECT m.chain_no FROM filings_determination d
        JOIN filings_verificationform m ON m.unit_id = d.unit_id AND m.id = d.form_id
        WHERE d.unit_id = %(unit)s AND d.outcome = 'undeterminable'
    )""",
    "pending": """f.chain_no IN (
        SELECT p.chain_no FROM filings_verificationform p WHERE p.unit_id = %(unit)s AND p.day = ANY(%(waiting)s)
        AND NOT EXISTS (SELECT FROM filings_determination d WHERE d.form_id = p.id)
    )""",
    "late": "f.late",
    **dict.fromkeys(
        (
            *("m1_errors", "m2_errors", "m1_provisional", "m2_provisional", "errors_corrected"),
            *("first_pass_m1_errors", "first_pass_m2_errors"),
        ),
        _FAULTY,
    ),
}
_STRETCH: Final = """
SELECT f.day, f.id, f.chain_no FROM filings_verificationform f
WHERE f.unit_id = %(unit)s AND f.version = 1 AND {conditions}
ORDER BY f.day, f.id LIMIT %(stretch)s
"""
ERRORS: Final = frozenset({"m1_errors", "m2_errors", "first_pass_m1_errors", "first_pass_m2_errors"})


@dataclass(frozen=True, slots=True)
class Members:
    """Counted forms, in order of day and number, and where the next page begins (None: there is no more)."""

    forms: Sequence[Any]
    following: Place | None


def of_figure(
    *, unit: int, period: Period, count: str, province: int | None = None, after: Place | None = None
) -> Members:
    """A page of the forms that a count of a unit and period counts; ``province`` leaves other subjects out.

    Raises KeyError for a count that is none of chains (``statements.CONDITIONS``).
    """
    condition = statements.CONDITIONS[count]
    found: list[tuple[date, int, int]] = []  # day, first form, counted form
    following = after
    for number in range(STRETCHES):
        most = STRETCH if number else min(FIRST, STRETCH)
        chains = _stretch(unit, period, count, following, most)
        found += _judged(unit, [chain for _day, _pk, chain in chains], condition, count, province)
        if len(found) > PAGE:
            day, first, _form = found[PAGE - 1]
            return Members(_forms(unit, found[:PAGE]), (day, first))
        if len(chains) < most:
            return Members(_forms(unit, found), None)
        following = chains[-1][:2]
    return Members(_forms(unit, found), following)


def _stretch(
    unit: int, period: Period, count: str, after: Place | None, most: int
) -> list[tuple[date, int, str]]:
    conditions = [_CANDIDATES.get(count, "true")]
    parameters: dict[str, Any] = {"unit": unit, "stretch": most}
    if count == "pending":  # most often only the last few days have any, of all days that there are
        parameters["waiting"] = rollups.days_with_pending(unit)
    if after is not None:
        conditions.append("(f.day, f.id) > (%(day)s, %(pk)s)")
        parameters |= {"day": after[0], "pk": after[1]}
    if period.first is not None:
        conditions.append("f.day >= %(first)s AND f.day < %(end)s")
        parameters |= {"first": period.first, "end": period.end}
    with connection.cursor() as cursor:
        cursor.execute(_STRETCH.format(conditions=" AND ".join(conditions)), parameters)
        return cursor.fetchall()


def _judged(
    unit: int, chains: list[str], condition: str, count: str, province: int | None
) -> list[tuple[date, int, int]]:
    """What counts among these chains: the counted version, or the first one in first-pass counts."""
    form = "first_id" if count.startswith("first_pass") else "id"
    within = "" if province is None else " AND subject_province = %s"
    listed = f"SELECT day, first_id, {form} FROM counted WHERE {condition}{within} ORDER BY day, first_id"  # noqa: S608
    statement = statements.judged(["f.unit_id = %s", "f.chain_no = ANY(%s)"]) + listed
    with connection.cursor() as cursor:
        cursor.execute(statement, [unit, chains, *([] if province is None else [province])])
        return cursor.fetchall()


def _forms(unit: int, members: Sequence[tuple[date, int, int]]) -> list[Any]:
    keys = [form for _day, _first, form in members]
    rows = forms.with_outcome(VerificationForm.unscoped.filter(unit=unit, pk__in=keys)).defer("ciphertext")
    by_key = {row.pk: row for row in rows}
    return [by_key[key] for key in keys]


def explanations(keys: Sequence[int], *, identity: bool) -> Mapping[int, list[Finding]]:
    """The findings that make these forms wrong now, per form: field, source, when, and who decided."""
    stands = Q(source="comparison") & ~Q(state="overturned") | ~Q(source="comparison") & Q(
        state__in=("confirmed", "upheld")
    )
    rows = Finding.unscoped.filter(stands, form__in=keys).select_related("decided_by", "found_by")
    found: dict[int, list[Finding]] = {}
    for finding in rows.filter(kind="identity") if identity else rows:
        found.setdefault(finding.form_id, []).append(finding)
    return found


def refused(unit: int, period: Period) -> QuerySet[FormRefusal]:
    """The rows that ``refused`` counts, newest first."""
    rows: QuerySet[FormRefusal] = FormRefusal.unscoped.filter(unit=unit, job__dry_run=False)
    return _received(rows, period).order_by("-received_at", "-pk")


def duplicated(unit: int, period: Period) -> QuerySet[UploadJob]:
    """The jobs whose repeated rows ``duplicates`` counts, newest first."""
    rows: QuerySet[UploadJob] = UploadJob.unscoped.filter(unit=unit, dry_run=False, duplicates__gt=0)
    return _received(rows, period).order_by("-received_at", "-pk")


def _received(rows: Any, period: Period) -> Any:
    if period.opens is not None:
        rows = rows.filter(received_at__gte=period.opens, received_at__lt=period.closes)
    return rows
