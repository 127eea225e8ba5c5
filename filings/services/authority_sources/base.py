"""What is asked of an authority, and what it can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

FIELDS: Final = ("name", "cert_type", "cert_no")
"""What may differ from the authority's record (design.md, section 5: an error of M1)."""


@dataclass(frozen=True, slots=True)
class Query:
    """One person or organisation as a form names it, and the day whose record counts: that of receipt.

    Each query carries its own day, so that one batch may hold forms of several days. ``repr`` shows no personal data,
    since it ends up in logs.
    """

    cert_type: int
    cert_no: str = field(repr=False)
    name: str = field(repr=False)
    as_of: date


class Verdict(StrEnum):
    """What an authority answered. ``UNAVAILABLE`` is no answer at all: asking again later may bring one."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NO_RECORD = "no_record"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one query; of a mismatch, which of :data:`FIELDS` differ (at least one)."""

    verdict: Verdict
    differing: tuple[str, ...] = ()


MATCH: Final = Answer(Verdict.MATCH)
NO_RECORD: Final = Answer(Verdict.NO_RECORD)
UNAVAILABLE: Final = Answer(Verdict.UNAVAILABLE)


class AuthoritySource(Protocol):
    """An authority's records, wherever they lie."""

    @property
    def name(self) -> str:
        """Stands on the record of every comparison made with it."""

    @property
    def forms_at_once(self) -> int:
        """How many forms one round of looking up and writing should hold."""

    def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer per query, in their order. An authority that cannot be reached answers ``UNAVAILABLE``.

        Called outside any transaction: it may take seconds.
        """
