"""What V3.0 records call their subject by: the references a change brings, and those by which an addition asks.

The interface has three: the 备案号 of the subject (that of a website is the subject's and ``-n``), and the ids the
provincial system gave to subject and website. A new filing has none of them yet.
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


def brought(change: Any) -> tuple[Reference, ...]:
    """By what others may name the subject of a change (``Bgxx``)."""
    return tuple(dict.fromkeys(_brought(change)))


def _brought(change: Any) -> Iterator[Reference]:
    yield from _read(NUMBER, text_of(change, "Zt_xx/Baxh"))
    yield from _read(SUBJECT_ID, text_of(change, "Zt_xx/Ztid"))
    for site in change.findall("Wz_xx"):
        yield from _read(NUMBER, text_of(site, "Baxh"))
        yield from _read(WEBSITE_ID, text_of(site, "Wzid"))


def asked(subject: Reference | None, website: Reference | None) -> tuple[Reference, ...]:
    """By what an addition names its subject, in the form references are kept in."""
    found: list[Reference] = []
    for reference, by_id in ((subject, SUBJECT_ID), (website, WEBSITE_ID)):
        if reference is not None:
            found += _read(NUMBER if reference.kind == NUMBER else by_id, reference.value)
    return tuple(found)


def _read(kind: str, value: str | None) -> Iterator[Reference]:
    if value is not None:
        known = subject_number(narrow(value)) if kind == NUMBER else str(number_of(value))
        yield Reference(kind, known)
