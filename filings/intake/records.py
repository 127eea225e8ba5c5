"""Plain data that passes between decoding, checking and loading."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from filings.rules import FilingType, render
from filings.validators.regions import PROVINCES

SHANGHAI: Final = timezone(timedelta(hours=8), "+08:00")
"""China has one zone and, since 1991, no summer time; a fixed offset also compares fastest."""

Period = tuple[datetime, datetime | None]
"""A half-open range ``[start, end)``; ``None`` = open end."""


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One fault of one row.

    ``field`` is a JSON pointer (RFC 6901, ``""`` = the whole row); ``params`` fill the places of the message;
    ``national`` is the code of the national V3.0 interface where the fault has one of its own.
    """

    code: str
    field: str
    params: Mapping[str, str | int] = member(default_factory=dict)
    national: int | None = None

    def message(self, language: str = "zh") -> str:
        """Return the fault in words (English for ``en…``, else Chinese), never with the value itself."""
        return render(self.code, language, **self.params)

    def as_dict(self, language: str = "zh") -> dict[str, str]:
        """Return the public shape ``{code, field, message}``."""
        return {
            "code": self.code,
            "field": self.field,
            "message": self.message(language),
        }


class FileRefused(Exception):
    """The file cannot be taken as a whole: a fault at its head, or one after which nothing can be read.

    ``code`` is a key of ``rules.FILE_FAULTS``; ``national`` the V3.0 code, if any. ``str()`` gives Chinese.
    """

    def __init__(self, code: str, *, national: int | None = None, **params: str | int) -> None:
        self.code = code
        self.national = national
        self.params = params
        super().__init__(render(code, "zh", **params))

    def message(self, language: str = "zh") -> str:
        """Return the reason in words."""
        return render(self.code, language, **self.params)


@dataclass(frozen=True, slots=True)
class ScopeRange:
    """While ``[opens, closes)`` the unit may hand in this filing type of this province."""

    province: str
    filing_type: str
    opens: datetime
    closes: datetime | None = None


def open_scope(
    opens: datetime,
    closes: datetime | None = None,
    *,
    provinces: Iterable[str] = tuple(PROVINCES),
    filing_types: Iterable[str] = tuple(FilingType),
) -> tuple[ScopeRange, ...]:
    """Return the scope of a unit opened for all the given provinces and filing types alike."""
    types = tuple(filing_types)
    return tuple(ScopeRange(province, str(kind), opens, closes) for province in provinces for kind in types)


def covers(period: Period, at: datetime) -> bool:
    """Say whether ``at`` lies in the half-open ``period``."""
    return period[0] <= at and (period[1] is None or at < period[1])


def on_local_clock(at: datetime) -> datetime:
    """A moment as Shanghai's clock shows it, without zone."""
    return at.astimezone(SHANGHAI).replace(tzinfo=None)


@dataclass(frozen=True)
class UnitContext:
    """What must be known of the pilot unit to judge its rows; all times aware.

    ``run_opens``/``run_closes``: the run phase, half-open. ``active``: the ranges in which the unit stood on
    the register as active. ``scope``: province × filing type with dates. ``received_at``: business time of
    receipt. ``frozen_from``: since when the unit is removed, so that its figures no longer change.
    """

    unit_code: str
    national_id: str
    run_opens: datetime
    run_closes: datetime
    active: tuple[Period, ...]
    scope: tuple[ScopeRange, ...]
    received_at: datetime
    frozen_from: datetime | None = None
    received_day: date = member(init=False, repr=False, compare=False)
    received_local: datetime = member(init=False, repr=False, compare=False)
    _collectable: dict[tuple[str, str], list[Period]] = member(init=False, repr=False, compare=False)
    _scope_index: dict[str, dict[str, tuple[Period, ...]]] = member(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, dict[str, tuple[Period, ...]]] = {}
        for entry in self.scope:
            types = index.setdefault(entry.province, {})
            types[entry.filing_type] = (
                *types.get(entry.filing_type, ()),
                (entry.opens, entry.closes),
            )
        object.__setattr__(self, "_scope_index", index)
        local = on_local_clock(self.received_at)
        object.__setattr__(self, "received_local", local)
        object.__setattr__(self, "received_day", local.date())
        object.__setattr__(self, "_collectable", {})

    def in_run_phase(self, at: datetime) -> bool:
        """Say whether ``at`` lies in the run phase."""
        return self.run_opens <= at < self.run_closes

    def is_active(self, at: datetime) -> bool:
        """Say whether the unit was an active pilot unit at ``at``."""
        return any(covers(period, at) for period in self.active)

    def province_enabled(self, province: str, at: datetime) -> bool:
        """Say whether any filing type of ``province`` was open for the unit at ``at``."""
        types = self._scope_index.get(province, {})
        return any(covers(period, at) for periods in types.values() for period in periods)

    def filing_type_enabled(self, province: str, filing_type: str, at: datetime) -> bool:
        """Say whether ``filing_type`` of ``province`` was open for the unit at ``at``."""
        return any(covers(period, at) for period in self._scope_index.get(province, {}).get(filing_type, ()))

    def may_collect(self, province: str, filing_type: str, local: datetime) -> bool:
        """Say all three at once: in the run phase, active, and opened for this filing type of the province.

        ``local`` is the moment on Shanghai's clock, without zone. The common periods are worked out once per pair.
        """
        periods = self._collectable.get((province, filing_type))
        if periods is None:
            periods = self._common_periods(province, filing_type)
            self._collectable[province, filing_type] = periods
        for period in periods:  # noqa: SIM110 (this runs on every row; a generator takes twice as long)
            if covers(period, local):
                return True
        return False

    def _common_periods(self, province: str, filing_type: str) -> list[Period]:
        opened = self._scope_index.get(province, {}).get(filing_type, ())
        common: list[Period] = []
        for active in self.active:
            for scope in opened:
                starts = max(self.run_opens, active[0], scope[0])
                ends = min(end for end in (self.run_closes, active[1], scope[1]) if end is not None)
                common.append((on_local_clock(starts), on_local_clock(ends)))
        return common

    @property
    def received_late(self) -> bool:
        """Whether receipt is after the run phase, or after the unit was removed from the pilot.

        Such forms are kept, marked late and left out of the figures.
        """
        return self.received_at >= min(self.run_closes, self.frozen_from or self.run_closes)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One picture of a V3.0 record.

    ``owner_kind`` is ``subject`` or ``website``, ``owner`` its id or 备案号.
    """

    use: str
    format: str
    owner_kind: str
    owner: str
    sha256: str
    content: bytes = member(repr=False)

    @classmethod
    def of(cls, use: str, file_format: str, owner_kind: str, owner: str, content: bytes) -> Attachment:
        """Return the attachment with its digest."""
        return cls(use, file_format, owner_kind, owner, hashlib.sha256(content).hexdigest(), content)


class Reference(NamedTuple):
    """Something filed earlier, by its 备案号 (``kind`` ``number``) or the id the provincial system gave (``id``)."""

    kind: str
    value: str


@dataclass(slots=True)
class V3Facts:
    """What a V3.0 record says beyond the contract's fields.

    ``chain_key`` names the chain of corrections (``None``: a chain of its own); ``subject_reference`` and
    ``website_reference`` are what the loader must look up; ``skipped`` names the rules that could not apply.
    ``brings`` is by what later records may name the subject and the websites of this one.
    ``makes_form`` is false for XZHYD (attachments of another form) and ZXBA (recorded only).
    """

    operation: str
    record_id: str
    makes_form: bool
    chain_key: str | None = None
    subject_reference: Reference | None = None
    website_reference: Reference | None = None
    brings: tuple[Reference, ...] = ()
    attachments: list[Attachment] = member(default_factory=list)
    skipped: tuple[str, ...] = ()


@dataclass(slots=True)
class CheckedRow:
    """One row after normalising and checking.

    ``number`` counts rows from 1; ``form_no`` is ``""`` when the row has no usable one; ``record`` is the
    normalised form (JSON types only); ``digest_source`` are canonical bytes, equal for identical content
    whatever the door, key order or number format; ``collected_at`` is ``None`` when absent by nature or at
    fault.
    """

    number: int
    form_no: str
    record: dict[str, Any]
    errors: list[ErrorItem]
    digest_source: bytes
    collected_at: datetime | None = None
    v3: V3Facts | None = None

    @property
    def accepted(self) -> bool:
        """Whether the row has no fault of its own (the loader still judges what needs stored rows)."""
        return not self.errors

    @property
    def codes(self) -> tuple[str, ...]:
        """The distinct error codes, sorted."""
        return tuple(sorted({error.code for error in self.errors}))

    def rejection(self, language: str = "zh") -> dict[str, Any]:
        """Return the public shape of a refusal ``{row, form_no, errors}``."""
        return {
            "row": self.number,
            "form_no": self.form_no,
            "errors": [error.as_dict(language) for error in self.errors],
        }


@dataclass(frozen=True, slots=True)
class RawRow:
    """One decoded row: ``data`` to be checked or the ``error`` that made it unreadable, ``raw`` as sent."""

    number: int
    data: Any
    raw: bytes = member(repr=False)
    error: ErrorItem | None = None
