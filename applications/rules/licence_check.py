"""Everything the licence section of a form may fail, field by field: all of it concerns condition 1 (二（一）)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from applications.rules import licence
from applications.rules.form import day


def faults(content: Mapping[str, Any], *, today: date, registered: int | None) -> Iterator[tuple[str, str]]:
    """Pairs of field and what is wrong with it. Blank fields are silent: they are missed as such.

    ``registered`` is the province where the provider is registered; None where it is not known.
    """
    found = {
        "licence_number": _number_fault(content, registered),
        "licence_holder": _holder_fault(content),
        "licence_categories": licence.category_fault(content.get("licence_categories") or ()),
        "licence_coverage": licence.coverage_fault(_number(content), content.get("licence_coverage") or ""),
        "licence_issued_on": _issue_fault(content, today),
        "licence_expires_on": _expiry_fault(content, today),
        "provinces": licence.territory_fault(
            _number(content),
            content.get("licence_coverage") or "",
            content.get("provinces") or (),
            registered,
        ),
    }
    yield from ((key, message) for key, message in found.items() if message)


def notes(content: Mapping[str, Any]) -> list[str]:
    """What the bureau should look at, though it keeps nobody from handing in."""
    return licence.notes(
        _number(content), day(content, "licence_issued_on"), day(content, "licence_expires_on")
    )


def _number(content: Mapping[str, Any]) -> str:
    return str(content.get("licence_number") or "")


def _number_fault(content: Mapping[str, Any], registered: int | None) -> str | None:
    number = _number(content)
    return licence.class_fault(number) or licence.registration_fault(number, registered)


def _holder_fault(content: Mapping[str, Any]) -> str | None:
    holder, applicant = content.get("licence_holder"), content.get("unit_name")
    return licence.holder_fault(holder, applicant) if holder and applicant else None


def _issue_fault(content: Mapping[str, Any], today: date) -> str | None:
    issued_on = day(content, "licence_issued_on")
    return (
        licence.issue_fault(issued_on, day(content, "licence_expires_on"), today=today) if issued_on else None
    )


def _expiry_fault(content: Mapping[str, Any], today: date) -> str | None:
    expires_on = day(content, "licence_expires_on")
    return licence.expiry_fault(expires_on, today=today) if expires_on else None
