"""Judging one row of the contract: normalise, then every rule, all faults at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from filings.intake import sections
from filings.intake.fields import FieldReader, Record, pointer_segment
from filings.intake.records import CheckedRow, ErrorItem, UnitContext
from filings.intake.sections import PERSON, UNIT, Identity
from filings.rules import (
    COMPARISON_LEAD_HOURS,
    CONSISTENT,
    AuthorityDatabase,
    CollectionMethod,
    FilingType,
    LivenessResult,
    SubjectKind,
)
from filings.validators.regions import PROVINCES

FORM_FIELDS: Final = frozenset(
    {
        "form_no",
        "filing_type",
        "subject_province",
        "subject_kind",
        "collection_methods",
        "collected_at",
        "liveness_result",
        "liveness_score",
        "compare_supplied_cert",
        "compare_authority_db",
        "supersedes_form",
        "subject",
        "principal",
        "websites",
        "checks",
        "images",
        "verifier_name",
        "verifier_promise_at",
    }
)
TOLD_FIELDS: Final = frozenset({"_row", "_errors"})
"""What a file of refused rows adds to each; it may stay when the row comes again, corrected."""

_SUPPLIED_FIELDS: Final = frozenset({"result", "at"})
_AUTHORITY_FIELDS: Final = frozenset({"result", "at", "database", "query_id"})

_FORM_NO: Final = re.compile(r"[A-Za-z0-9-]*").fullmatch
_FILING_TYPES: Final = frozenset(item.value for item in FilingType)
_KINDS: Final = frozenset(item.value for item in SubjectKind)
_METHODS: Final = frozenset(item.value for item in CollectionMethod)
_LIVENESS: Final = frozenset(item.value for item in LivenessResult)
_DATABASES: Final = frozenset(item.value for item in AuthorityDatabase)
COMPARISON_LEAD: Final = timedelta(hours=COMPARISON_LEAD_HOURS)
DATABASE_OF_KIND: Final = {
    UNIT: AuthorityDatabase.ORGANISATION.value,
    PERSON: AuthorityDatabase.POPULATION.value,
}


def check_row(data: Any, context: UnitContext, number: int = 1) -> CheckedRow:
    """Normalise and judge one parsed row in the contract's form.

    ``data`` is what the JSON (or table) decoder made of it; ``number`` counts rows from 1. Judges everything
    but what needs stored rows (duplicates, ``form_no.conflict``, ``supersedes.*``).
    """
    reader = FieldReader()
    if data.__class__ is not dict:
        reader.add("json.invalid", "")
        return CheckedRow(number, "", {}, reader.errors, b"")
    record: Record = {}
    if not FORM_FIELDS.issuperset(data):
        reader.unknown(data, "", FORM_FIELDS | TOLD_FIELDS)
    form_no = _read_form_no(reader, data, record, "form_no", required=True)
    filing_type = reader.choice(data, record, "", "filing_type", _FILING_TYPES)
    province = read_province(reader, data, record)
    kind = reader.choice(data, record, "", "subject_kind", _KINDS)
    _read_collection_methods(reader, data, record)
    collected_at = reader.time(data, record, "", "collected_at")
    if collected_at is not None:
        judge_collection_time(reader, context, collected_at, province, filing_type)
    _read_liveness(reader, data, record)
    supplied_at = _read_comparison(reader, data, record, "compare_supplied_cert", collected_at, context)
    authority_at = _read_comparison(reader, data, record, "compare_authority_db", collected_at, context)
    _read_authority_database(reader, data, record, kind)
    _read_form_no(reader, data, record, "supersedes_form", required=False)
    _read_people_and_sites(reader, data, record, kind, province, filing_type, context)
    reader.text(data, record, "", "verifier_name", 1, 128)
    promise_at = reader.time(data, record, "", "verifier_promise_at")
    if promise_at is not None:
        latest = max(
            (at for at in (supplied_at, authority_at) if at is not None),
            default=promise_at,
        )
        if not latest <= promise_at <= context.received_at:
            reader.add("time.order", "/verifier_promise_at")
    canonical = canonical_bytes(reader, record)
    return CheckedRow(number, form_no or "", record, reader.errors, canonical, collected_at)


def unreadable_row(number: int, error: ErrorItem) -> CheckedRow:
    """Return the refusal of a row that could not even be decoded."""
    return CheckedRow(number, "", {}, [error], b"")


def judge_collection_time(
    reader: FieldReader,
    context: UnitContext,
    at: datetime,
    province: str | None,
    filing_type: str | None,
    pointer: str = "/collected_at",
) -> None:
    """Judge receipt, run phase, unit status and scope at the time of collection.

    Outside the run phase nothing is said of status, and without active status nothing of scope.
    """
    if at > context.received_at:
        reader.add("time.future", pointer)
    if not context.in_run_phase(at):
        reader.add("time.outside_run_phase", pointer)
    elif not context.is_active(at):
        reader.add("unit.not_active", pointer)
    elif province is not None:
        if not context.province_enabled(province, at):
            reader.add("unit.province_not_enabled", "/subject_province")
        elif filing_type is not None and not context.filing_type_enabled(province, filing_type, at):
            reader.add("unit.filing_type_not_enabled", "/filing_type")


def canonical_bytes(reader: FieldReader, record: Record) -> bytes:
    """Return the canonical bytes of a normalised record, noting text that no database or document can hold.

    Records are built in the contract's order, so equal content gives equal bytes without sorting.
    """
    try:
        canonical = msgspec.json.encode(record)
    except UnicodeEncodeError:  # lone surrogates, which Python's own JSON parser lets through
        _note_unprintable(reader, record, "")
        return b""
    if b"\\" in canonical:
        _note_unprintable(reader, record, "")
    return canonical


def _note_unprintable(reader: FieldReader, value: Any, pointer: str) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _note_unprintable(reader, member, f"{pointer}/{pointer_segment(key)}")
    elif isinstance(value, list):
        for place, member in enumerate(value):
            _note_unprintable(reader, member, f"{pointer}/{place}")
    elif isinstance(value, str) and any(
        character < " " or "\ud800" <= character <= "\udfff" for character in value
    ):
        reader.add("field.format", pointer)


def _read_form_no(
    reader: FieldReader, data: Record, record: Record, key: str, *, required: bool
) -> str | None:
    value = reader.code(data, "", key, required)
    if value is None:
        return None
    if not 6 <= len(value) <= 64:
        reader.add("field.length", f"/{key}", low=6, high=64)
    elif _FORM_NO(value) is None:
        reader.add("field.format", f"/{key}")
    else:
        record[key] = value
        return value
    return None


def read_province(reader: FieldReader, data: Record, record: Record) -> str | None:
    """Read ``subject_province``: one of the 31."""
    province = reader.region(data, record, "", "subject_province")
    if province is not None and province not in PROVINCES:
        reader.add("region.unknown", "/subject_province")
        return None
    return province


def _read_collection_methods(reader: FieldReader, data: Record, record: Record) -> None:
    methods = reader.items(data, "", "collection_methods")
    if methods is None:
        return
    faultless = True
    for place, method in enumerate(methods):
        if method.__class__ is not str:
            reader.wrong_type(f"/collection_methods/{place}", "string")
            faultless = False
        elif method not in _METHODS:
            reader.add("field.enum", f"/collection_methods/{place}")
            faultless = False
    if faultless:
        record["collection_methods"] = methods


def _read_liveness(reader: FieldReader, data: Record, record: Record) -> None:
    result = reader.choice(data, record, "", "liveness_result", _LIVENESS)
    if result is not None and result != LivenessResult.PASS:
        reader.add("liveness.not_passed", "/liveness_result")
    reader.score(data, record, "", "liveness_score")


def _read_comparison(
    reader: FieldReader,
    data: Record,
    record: Record,
    key: str,
    collected_at: datetime | None,
    context: UnitContext,
) -> datetime | None:
    """Read result and time of a comparison; returns its time."""
    known = _AUTHORITY_FIELDS if key == "compare_authority_db" else _SUPPLIED_FIELDS
    comparison = reader.section(data, "", key, known)
    if comparison is None:
        return None
    base = f"/{key}"
    judged: Record = {}
    result = reader.code(comparison, base, "result")
    if result is not None:
        judged["result"] = result
        if result != CONSISTENT:
            reader.add("compare.inconsistent", f"{base}/result")
    at = reader.time(comparison, judged, base, "at")
    if at is not None:
        too_early = collected_at is not None and at < collected_at - COMPARISON_LEAD
        if too_early or at > context.received_at:
            reader.add("time.order", f"{base}/at")
    record[key] = judged
    return at


def _read_authority_database(reader: FieldReader, data: Record, record: Record, kind: str | None) -> None:
    comparison = data.get("compare_authority_db")
    if comparison.__class__ is not dict:
        return
    base = "/compare_authority_db"
    judged = record["compare_authority_db"]
    database = reader.choice(comparison, judged, base, "database", _DATABASES)
    if database is not None and kind is not None and database != DATABASE_OF_KIND[kind]:
        reader.add("compare.database", f"{base}/database")
    reader.text(comparison, judged, base, "query_id", 1, 128)


def _read_people_and_sites(
    reader: FieldReader,
    data: Record,
    record: Record,
    kind: str | None,
    province: str | None,
    filing_type: str | None,
    context: UnitContext,
) -> None:
    """Judge subject, principal, websites, and the checks and pictures that depend on them."""
    today = context.received_day
    owner: Identity | None = None
    subject = reader.section(data, "", "subject", sections.SUBJECT_FIELDS)
    if subject is not None:
        record["subject"], owner = sections.read_subject(reader, subject, kind, province, today)
    principal = reader.section(data, "", "principal", sections.PERSON_FIELDS)
    if principal is not None:
        judged, identity = sections.read_person(reader, principal, "/principal", kind == UNIT, today)
        record["principal"] = judged
        if kind == PERSON:
            sections.require_same_person(reader, identity, owner, "/principal")
    approval_needed = False
    sites = reader.items(data, "", "websites", required=filing_type != FilingType.CHANGE)
    if sites is not None:
        record["websites"] = []
        for place, site in enumerate(sites):
            judged, needed = sections.read_website(
                reader, site, f"/websites/{place}", kind=kind, owner=owner, today=today
            )
            record["websites"].append(judged)
            approval_needed = approval_needed or needed
    _read_checks_and_images(reader, data, record, kind, approval_needed)


def _read_checks_and_images(
    reader: FieldReader,
    data: Record,
    record: Record,
    kind: str | None,
    approval_needed: bool,
) -> None:
    principal: Record = record.get("principal", {})
    checks = reader.section(data, "", "checks", sections.CHECK_FIELDS)
    if checks is not None:
        record["checks"] = sections.read_checks(
            reader,
            checks,
            kind=kind,
            has_landline="landline" in principal,
            approval_needed=approval_needed,
        )
    images = reader.items(data, "", "images")
    if images is not None:
        record["images"] = sections.read_images(reader, images)
        uses = {image["use"] for image in record["images"] if "use" in image}
        sections.require_images(reader, uses, sections.required_images(kind, principal.get("cert_type")))
