"""The checklist of a programme as data, and the verdict that follows from its marks. Pure.

The verdict is derived and never stored, so it cannot contradict the marks (R03).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from applications.enums import Mark
from applications.rules.form import Words, in_language

FOLDER = Path(__file__).parents[1] / "checklists"


@dataclass(frozen=True, slots=True)
class Item:
    """One question to the material.

    ``condition`` is the number of the programme condition it belongs to, ``targets`` are the fields and kinds of
    files it is read from, ``phrases`` the standard words for what is wrong, the most common first.
    """

    key: str
    condition: int
    words: Words
    targets: tuple[str, ...]
    phrases: tuple[str, ...]

    @property
    def target(self) -> str:
        """The place in form or files to which a fault of this item is tied."""
        return self.targets[0]


class Verdict(StrEnum):
    """What the marks say about acceptance."""

    OPEN = "open"  # nothing was marked
    UNDECIDED = "undecided"
    MAY_ACCEPT = "may_accept"
    CANNOT_ACCEPT = "cannot_accept"


@cache
def items_of(code: str) -> tuple[Item, ...]:
    """The checklist of the programme with this code; a programme without one has no items."""
    file = FOLDER / f"{code}.toml"
    if not file.is_file():
        return ()
    with file.open("rb") as source:
        rows = tomllib.load(source)["items"]
    return tuple(
        Item(
            key=row["key"],
            condition=row["condition"],
            words=in_language(row["text"], row["text_en"]),
            targets=tuple(row["targets"]),
            phrases=tuple(row["phrases"]),
        )
        for row in rows
    )


def verdict(items: Iterable[Item], marks: Mapping[str, str]) -> Verdict:
    """What the marks (item key → mark) say.

    One 不符合 bars acceptance. It is open to acceptance when every item is marked and every condition is shown by at
    least one 符合: a condition on which nothing was found applicable has not been examined.
    """
    listed = list(items)
    given = {item.key: marks[item.key] for item in listed if item.key in marks}
    if Mark.NOT_MET in given.values():
        return Verdict.CANNOT_ACCEPT
    if not given:
        return Verdict.OPEN
    shown = {item.condition for item in listed if given.get(item.key) == Mark.MET}
    complete = len(given) == len(listed) and shown == {item.condition for item in listed}
    return Verdict.MAY_ACCEPT if complete else Verdict.UNDECIDED


def by_condition(items: Sequence[Item], marks: Mapping[str, str]) -> dict[int, Verdict]:
    """The verdict on each condition alone."""
    return {
        number: verdict([item for item in items if item.condition == number], marks)
        for number in dict.fromkeys(item.condition for item in items)
    }
