"""When an application is complete, and what it shows about the three conditions of the programme."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.rules import licence, licence_check
from applications.rules.form import ApplicationForm, FormField, Kind, Words, day, is_blank

REQUIRED_FILES: Final = (FileKind.FORM, FileKind.LICENCE, FileKind.TEST_REPORT, FileKind.COMPARISON)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_PHONE = re.compile(r"(?=.*[1-9])\d[\d-]{5,18}\d")
LICENCE_CONDITION: Final = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that stands in the way of handing in. ``condition`` is the programme condition it fails, if any."""

    target: str
    label: Words
    message: str
    condition: int | None = None


@dataclass(frozen=True, slots=True)
class ConditionHint:
    """What the material shows about one condition of the programme; the bureau decides."""

    number: int
    shown: bool
    gaps: tuple[str, ...]
    notes: tuple[str, ...] = ()  # no gap, but to be looked at


def faults(
    form: ApplicationForm,
    content: Mapping[str, Any],
    files: Collection[str],
    *,
    today: date,
    registered: int | None = None,
) -> list[Fault]:
    """Everything that keeps the application from being handed in, in the order of the form; files last.

    ``registered`` is the province where the provider is registered; None where it is not known.
    """
    found = [
        Fault(field.key, field.label, message)
        for field in form.fields.values()
        if (message := _field_fault(field, content.get(field.key)))
    ]
    found += _licence_faults(form, content, today=today, registered=registered)
    found += [
        Fault(kind.value, kind.label, _("未上传")) for kind in REQUIRED_FILES if kind.value not in files
    ]
    order = [*form.fields, *FileKind.values]
    return sorted(found, key=lambda fault: order.index(fault.target))


def condition_hints(
    form: ApplicationForm,
    content: Mapping[str, Any],
    files: Collection[str],
    *,
    today: date,
    registered: int | None = None,
) -> list[ConditionHint]:
    """For each of the three conditions (二（一）至（三）): whether the material shows it, and what is not shown."""
    licence_gaps = [
        fault.message for fault in _licence_faults(form, content, today=today, registered=registered)
    ]
    licence_gaps += [] if licence.classes(content.get("licence_number") or "") else [_("许可证编号无法识别")]
    collection = ("collection_methods", "liveness_method", "product", "test_report_number")
    comparison = (
        "organisation_database",
        "organisation_access",
        "population_database",
        "population_access",
        "compared_fields",
    )
    gaps = {
        LICENCE_CONDITION: [*licence_gaps, *_missing_files(files, FileKind.LICENCE)],
        2: [*_missing_fields(form, content, collection), *_missing_files(files, FileKind.TEST_REPORT)],
        3: [*_missing_fields(form, content, comparison), *_missing_files(files, FileKind.COMPARISON)],
    }
    notes = {LICENCE_CONDITION: tuple(licence_check.notes(content))}
    return [
        ConditionHint(number, not found, tuple(found), notes.get(number, ()))
        for number, found in gaps.items()
    ]


def _field_fault(field: FormField, value: Any) -> str | None:
    if is_blank(value):
        return _("未填写") if field.required else None
    match field.kind:
        case Kind.MOBILE:
            return None if _MOBILE.fullmatch(str(value)) else _("应为11位手机号码")
        case Kind.PHONE:
            return None if _PHONE.fullmatch(str(value)) else _("应为带区号的固定电话或手机号码")
        case Kind.EMAIL:
            return _email_fault(str(value))
        case Kind.LICENCE:
            return licence.number_fault(str(value))
        case Kind.NUMBER:
            return None if isinstance(value, int) and value >= 0 else _("应为不小于0的整数")
        case Kind.DATE:
            return None if day({field.key: value}, field.key) else _("日期格式不正确")
        case Kind.CHOICE | Kind.CHOICES:
            known = {choice for choice, _words in field.choices}
            chosen = {value} if field.kind is Kind.CHOICE else set(value)
            return None if chosen <= known else _("取值不在允许的范围内")
        case _:
            return None


def _email_fault(value: str) -> str | None:
    try:
        validate_email(value)
    except ValidationError:
        return _("邮箱地址不正确")
    return None


def _licence_faults(
    form: ApplicationForm, content: Mapping[str, Any], *, today: date, registered: int | None
) -> list[Fault]:
    """What the licence itself fails, each tied to its field and to condition 1."""
    return [
        Fault(key, form.fields[key].label, message, LICENCE_CONDITION)
        for key, message in licence_check.faults(content, today=today, registered=registered)
    ]


def _missing_fields(form: ApplicationForm, content: Mapping[str, Any], keys: Collection[str]) -> list[str]:
    fields = form.fields
    return [_("%(what)s未填写") % {"what": fields[key].label} for key in keys if is_blank(content.get(key))]


def _missing_files(files: Collection[str], kind: FileKind) -> list[str]:
    return [] if kind.value in files else [_("%(what)s未上传") % {"what": kind.label}]
