"""Reading typed fields out of a parsed row: shape, length and normal form, with every fault kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from filings.intake.records import SHANGHAI, ErrorItem
from filings.validators.regions import is_region_code
from filings.validators.text import narrow

Record = dict[str, Any]

EXPECTED: Final = {
    "string": ("字符串", "a string"),
    "integer": ("整数", "an integer"),
    "decimal": ("小数", "a decimal number"),
    "list": ("列表", "a list"),
    "object": ("对象", "an object"),
}

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-2][0-9]:[0-5][0-9])"
).fullmatch
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2999
_PLAIN_DECIMAL: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?").fullmatch
_SMALLEST_EXPONENT: Final = -20
_LONG_DIGITS: Final = re.compile(r"[0-9]{8,}")
_LONGEST_NAME: Final = 64
MOST_ITEMS: Final = 100
"""Of any list of a form; a table has no more websites either."""
MOST_ERRORS: Final = 100
"""A row tells no more of its own faults: one with a website has some ninety values, a list of zeros half a million."""


def pointer_segment(name: str) -> str:
    """Return a field name as a JSON pointer segment.

    Long digit runs are masked, since a number may be misplaced; NUL, which no database text holds, is replaced.
    """
    shown = _LONG_DIGITS.sub("********", name)[:_LONGEST_NAME].replace("\0", "\ufffd")
    return shown.replace("~", "~0").replace("/", "~1")


def parse_time(value: str) -> datetime | None:
    """Return an RFC 3339 time with offset between the years 1900 and 2999, else ``None``."""
    if _TIME(value) is None:
        return None
    try:
        parsed = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return parsed if _FIRST_YEAR <= parsed.year <= _LAST_YEAR else None


def canonical_time(value: str, parsed: datetime) -> str:
    """Return one spelling per instant: Shanghai time, ``T``, no needless fraction."""
    if len(value) == 25 and value[10] == "T" and value.endswith("+08:00"):
        return value
    return parsed.astimezone(SHANGHAI).isoformat()


def canonical_decimal(value: object) -> str | None:
    """Return a decimal from 0 to 1 in its shortest plain spelling, else ``None``.

    The number of places is bounded, since a JSON number such as ``1e-999999999`` would spell out to
    gigabytes.
    """
    if isinstance(value, str) and _PLAIN_DECIMAL(value) is None:
        return None
    number = Decimal(str(value))
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _SMALLEST_EXPONENT or not 0 <= number <= 1:
        return None
    return format(abs(number).normalize(), "f")


class FieldReader:
    """Reads one row's fields into normalised records and collects the faults.

    Every method takes the object read from, the record written to, the JSON pointer of that object and the
    key. It returns the normalised value, or ``None`` after noting a fault (or for an absent optional field).
    A blank string counts as absent at every door, as an empty cell does in a table. The good path raises
    nothing.
    """

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[ErrorItem] = []

    def add(
        self,
        code: str,
        pointer: str,
        *,
        national: int | None = None,
        **params: str | int,
    ) -> None:
        """Note a fault, unless there are ``MOST_ERRORS`` already."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(ErrorItem(code, pointer, params, national))

    def wrong_type(self, pointer: str, expected: str) -> None:
        """Note that the value is not of the JSON type ``expected`` (a key of ``EXPECTED``)."""
        zh, en = EXPECTED[expected]
        self.add("field.type", pointer, expected_zh=zh, expected_en=en)

    def _absent(self, source: Record, base: str, key: str, expected: str, required: bool) -> None:
        """Note why ``source[key]`` could not be read: of another JSON type, or absent (as blank text is)."""
        value = source.get(key)
        if key in source and not (value.__class__ is str and not value.strip()):
            self.wrong_type(f"{base}/{key}", expected)
        elif required:
            self.add("field.required", f"{base}/{key}")

    def code(self, source: Record, base: str, key: str, required: bool = True) -> str | None:
        """Read a short code: trimmed, half-width; not yet written to any record."""
        value = source.get(key)
        if value.__class__ is str:
            value = value.strip() if value.isascii() else narrow(value)
            if value:
                return value
        self._absent(source, base, key, "string", required)
        return None

    def text(
        self,
        source: Record,
        target: Record,
        base: str,
        key: str,
        low: int,
        high: int,
        required: bool = True,
    ) -> str | None:
        """Read free text of ``low`` to ``high`` characters: trimmed, otherwise kept as typed."""
        value = source.get(key)
        if value.__class__ is str:
            value = value.strip()
            if value:
                if low <= len(value) <= high:
                    target[key] = value
                    return value
                self.add("field.length", f"{base}/{key}", low=low, high=high)
                return None
        self._absent(source, base, key, "string", required)
        return None

    def shaped(
        self,
        source: Record,
        target: Record,
        base: str,
        key: str,
        fits: Callable[[str], object],
        fault: str,
        required: bool = True,
    ) -> str | None:
        """Read a code that ``fits`` must accept, else ``fault``."""
        value = self.code(source, base, key, required)
        if value is None:
            return None
        if fits(value):
            target[key] = value
            return value
        self.add(fault, f"{base}/{key}")
        return None

    def region(
        self, source: Record, target: Record, base: str, key: str, required: bool = True
    ) -> str | None:
        """Read a six-digit region code."""
        return self.shaped(source, target, base, key, is_region_code, "field.format", required)

    def choice(
        self,
        source: Record,
        target: Record,
        base: str,
        key: str,
        allowed: Container[str],
    ) -> str | None:
        """Read one of the ``allowed`` words."""
        value = self.code(source, base, key)
        if value is None:
            return None
        if value in allowed:
            target[key] = value
            return value
        self.add("field.enum", f"{base}/{key}")
        return None

    def integer(self, source: Record, base: str, key: str, required: bool = True) -> int | None:
        """Read a JSON integer (``true`` and ``1.0`` are none); not yet written to any record."""
        value = source.get(key)
        if value.__class__ is int:
            return value
        self._absent(source, base, key, "integer", required)
        return None

    def coded(
        self,
        source: Record,
        target: Record,
        base: str,
        key: str,
        allowed: Container[int],
    ) -> int | None:
        """Read an integer that must be one of ``allowed``."""
        value = self.integer(source, base, key)
        if value is None:
            return None
        if value in allowed:
            target[key] = value
            return value
        self.add("field.enum", f"{base}/{key}")
        return None

    def time(self, source: Record, target: Record, base: str, key: str) -> datetime | None:
        """Read an RFC 3339 time with offset; the record gets its canonical spelling."""
        value = self.code(source, base, key)
        if value is None:
            return None
        parsed = parse_time(value)
        if parsed is None:
            self.add("field.format", f"{base}/{key}")
            return None
        target[key] = canonical_time(value, parsed)
        return parsed

    def score(self, source: Record, target: Record, base: str, key: str) -> None:
        """Read an optional decimal from 0 to 1, given as a number or a string."""
        value = source.get(key)
        if value.__class__ is str:
            value = self.code(source, base, key, required=False)
            if value is None:
                return
        elif value.__class__ not in (int, float, Decimal):
            self._absent(source, base, key, "decimal", required=False)
            return
        canonical = canonical_decimal(value)
        if canonical is None:
            self.add("field.format", f"{base}/{key}")
        else:
            target[key] = canonical

    def section(
        self,
        source: Record,
        base: str,
        key: str,
        known: frozenset[str],
        required: bool = True,
    ) -> Record | None:
        """Read an object; names it should not have are faults."""
        value = source.get(key)
        if value.__class__ is dict:
            if not known.issuperset(value):
                self.unknown(value, f"{base}/{key}", known)
            return value
        self._absent(source, base, key, "object", required)
        return None

    def items(self, source: Record, base: str, key: str, required: bool = True) -> list[Any] | None:
        """Read a list; an empty one counts as absent, one that is too long is not looked into."""
        value = source.get(key)
        if value.__class__ is list:
            if len(value) > MOST_ITEMS:
                self.add("field.length", f"{base}/{key}", low=1, high=MOST_ITEMS)
                return None
            if value:
                return value
            if required:
                self.add("field.required", f"{base}/{key}")
            return None
        self._absent(source, base, key, "list", required)
        return None

    def unknown(self, source: Record, base: str, known: frozenset[str]) -> None:
        """Note every name of ``source`` that the contract does not have."""
        for name in source:
            if name not in known:
                self.add("field.unknown", f"{base}/{pointer_segment(str(name))}")
