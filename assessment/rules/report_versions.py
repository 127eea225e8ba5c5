"""Two versions of a provincial report set side by side. Pure: frozen lines in, differences out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

type Line = Mapping[str, Any]

FIELDS: Final = ("name", "uscc", "licence", "methods", "recommended", "remark", "opinion_version")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an applicant's line that is not what it was; ``number`` is the acceptance number."""

    number: str
    name: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """What a later version has besides, no longer has, and has otherwise; each in the order of its list."""

    added: tuple[Line, ...]
    removed: tuple[Line, ...]
    changed: tuple[Change, ...]


def compare(before: Sequence[Line], after: Sequence[Line]) -> Difference:
    """The difference between two lists of lines; applicants are told apart by acceptance number."""
    earlier = {line["number"]: line for line in before}
    later = {line["number"]: line for line in after}
    return Difference(
        added=tuple(line for line in after if line["number"] not in earlier),
        removed=tuple(line for line in before if line["number"] not in later),
        changed=tuple(
            Change(number, line["name"], field, earlier[number].get(field), line.get(field))
            for number, line in later.items()
            if number in earlier
            for field in FIELDS
            if earlier[number].get(field) != line.get(field)
        ),
    )
