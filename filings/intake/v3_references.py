"""What V3.0 records call subjects and websites by: those a record brings, and those that additions and material name.

The interface has five: the 备案号 of a subject and of a website (the subject's and ``-n``), the ids the provincial
system gave to either, and the ids the provider's own system gave. A new filing has only the last yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from filings.intake.records import Reference
from filings.intake.v3_map import number_of, text_of
from filings.validators.icp_numbers import subject_number
from filings.validators.text import narrow

NUMBER: Final = "number"
SUBJECT_ID: Final = "subject_id"
WEBSITE_ID: Final = "website_id"
WEBSITE_NUMBER: Final = "website_number"
OWN_SUBJECT_ID: Final = "own_subject_id"
OWN_WEBSITE_ID: Final = "own_website_id"
OF_SUBJECTS: Final = frozenset({NUMBER, SUBJECT_ID, WEBSITE_ID})
"""By these an addition finds its subject; the others only tell which form material belongs to."""

_BROUGHT: Final = {
    "XZBA": ((OWN_SUBJECT_ID, "Zt_xx/IspZtid"), (OWN_WEBSITE_ID, "Wz_xx/IspWzid")),
    "XZWZ": ((OWN_WEBSITE_ID, "Wz_xx/IspWzid"),),
    "XZJR": (),
    "BGBA": (
        (NUMBER, "Zt_xx/Baxh"),
        (SUBJECT_ID, "Zt_xx/Ztid"),
        (NUMBER, "Wz_xx/Baxh"),
        (WEBSITE_NUMBER, "Wz_xx/Baxh"),
        (WEBSITE_ID, "Wz_xx/Wzid"),
    ),
}
_OWNERS: Final = {
    "subject": (OWN_SUBJECT_ID, SUBJECT_ID, NUMBER),
    "website": (OWN_WEBSITE_ID, WEBSITE_ID, WEBSITE_NUMBER),
}
"""Kind of owner → what its name in material may be. The interface has no word for which: the unit's own come first."""


def brought(operation: str, record: Any) -> tuple[Reference, ...]:
    """By what others may name the subject and the websites of a record that makes a form."""
    found = (
        reference
        for kind, path in _BROUGHT[operation]
        for node in record.findall(path)
        for reference in _read(kind, text_of(node, "."))
    )
    return tuple(dict.fromkeys(found))


def asked(subject: Reference | None, website: Reference | None) -> tuple[Reference, ...]:
    """By what an addition names its subject or website, in the form references are kept in."""
    found: list[Reference] = []
    for reference, by_id, by_number in (
        (subject, SUBJECT_ID, (NUMBER,)),
        (website, WEBSITE_ID, (NUMBER, WEBSITE_NUMBER)),
    ):
        if reference is not None:
            for kind in by_number if reference.kind == NUMBER else (by_id,):
                found += _read(kind, reference.value)
    return tuple(found)


def of_owner(kind: str, name: str) -> tuple[Reference, ...]:
    """What a picture's owner (``subject`` or ``website``), named so, may be known by; the likeliest first."""
    return tuple(reference for known_as in _OWNERS[kind] for reference in _read(known_as, name))


def _read(kind: str, value: str | None) -> Iterator[Reference]:
    if value is None:
        return
    if kind == NUMBER:
        yield Reference(kind, subject_number(narrow(value)))
    elif kind == WEBSITE_NUMBER:
        yield Reference(kind, narrow(value))
    else:
        yield Reference(kind, str(number_of(value)))
