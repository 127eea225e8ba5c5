"""Masking of personal data for display (C12): the same in pages, API, PDF and spreadsheets.

Masking hides what a reader does not need; it is no protection of stored data. A page holds what it masks as
:class:`Personal`, which prints masked wherever it lands; only :func:`reveal` makes it plain, for one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Final

from pilot.enums import DataGroup

SAMPLE: Final = "（示例）"  # stands behind what is invented; it is no part of a name


def mask_name(name: str) -> str:
    """First and last character of a name, the rest starred: 仲*妮; of two characters the first (仲*)."""
    if name.endswith(SAMPLE) and name != SAMPLE:
        return mask_name(name.removesuffix(SAMPLE)) + SAMPLE
    if len(name) <= 2:
        return name[:1] + "*" * len(name[1:])
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(number: str) -> str:
    """First three and last four digits: 186****1402; shorter than eight characters all is starred."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "*" * len(number)


def mask_cert(number: str) -> str:
    """First six and last four characters of a long certificate number, first and last of one up to ten."""
    head, tail = (6, 4) if len(number) > 10 else (1, 1)
    if len(number) <= head + tail:
        return "*" * len(number)
    return number[:head] + "*" * (len(number) - head - tail) + number[-tail:]


def mask_email(address: str) -> str:
    """First three characters of the mailbox (of up to three the first) and the domain: zho***@example.cn."""
    mailbox, at, domain = address.partition("@")
    shown = mailbox[:3] if len(mailbox) > 3 else mailbox[:1]
    return f"{shown}***{at}{domain}" if address else ""


class Personal:
    """A value of a natural person. Its text, and so everything that prints it, is masked.

    ``before`` is what stands in front of it in plain words, ``owner`` whose own it is where that is one of the portal's
    people. Made by the functions below, which leave an empty value empty.
    """

    __slots__ = ("_full", "before", "group", "mask", "owner")

    def __init__(
        self,
        full: str,
        mask: Callable[[str], str],
        group: DataGroup,
        before: str = "",
        owner: int | None = None,
    ) -> None:
        self._full, self.mask, self.group, self.before, self.owner = full, mask, group, before, owner

    def __str__(self) -> str:
        return f"{self.before}{self.mask(self._full)}"

    __repr__ = __str__

    def in_full(self) -> str:
        """What it hides; only for an answer to somebody whose reason is on record."""
        return f"{self.before}{self._full}"


def personal(value: Any, mask: Callable[[str], str], group: DataGroup) -> Personal | str:
    """A value that shows masked; nothing stays nothing."""
    return Personal(str(value), mask, group) if value else ""


def staff(person: Any, before: str = "") -> Personal | None:
    """The name of somebody who acts on a case (a ``Person`` or None), with the plain words in front of it."""
    return Personal(person.name, mask_name, DataGroup.STAFF, before, person.pk) if person else None


def account(value: Any, mask: Callable[[str], str] = mask_name) -> Personal | str:
    """What belongs to somebody's account, as administrators see it."""
    return personal(value, mask, DataGroup.ACCOUNT)


def contact(value: Any, mask: Callable[[str], str] = mask_name) -> Personal | str:
    """Whom a provider names as its people, and how they are reached."""
    return personal(value, mask, DataGroup.CONTACT)


def groups_in(shown: Any) -> set[DataGroup]:
    """The groups of which a page (or any part of one) masks something."""
    return {value.group for value in _found(shown)}


def _found(shown: Any) -> list[Personal]:
    """What a page masks, in no order."""
    found: list[Personal] = []
    waiting = [shown]
    while waiting:  # a page has thousands of parts, so no call for each
        one = waiting.pop()
        kind: Any = type(one)
        if kind is str or one is None:  # most of what a page holds
            continue
        if kind is Personal:
            found.append(one)
        elif parts := _parts(kind):
            waiting += [getattr(one, part) for part in parts]
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, Mapping):
            waiting += one.values()
    return found


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The names of what a dataclass holds; nothing of anything else."""
    return tuple(part.name for part in fields(kind)) if is_dataclass(kind) else ()


def reveal(shown: Any, group: DataGroup) -> Any:
    """The same page with one group in plain text; what holds nothing of it stays the very object."""
    return _in_full(shown, lambda value: value.group == group)


def own_in_full(shown: Any, person_id: int | None) -> Any:
    """The same page with the reader's own name in plain text: nobody is hidden from himself."""

    def own(value: Personal) -> bool:
        return value.owner is not None and value.owner == person_id

    return _in_full(shown, own) if any(map(own, _found(shown))) else shown


def _in_full(shown: Any, wanted: Callable[[Personal], bool]) -> Any:
    kind: Any = type(shown)
    match shown:
        case str() | int() | None:  # most of what a page holds
            return shown
        case Personal():
            return shown.in_full() if wanted(shown) else shown
        case Mapping():
            return {key: _in_full(value, wanted) for key, value in shown.items()}
        case list():
            return [_in_full(value, wanted) for value in shown]
        case tuple():
            parts = [_in_full(value, wanted) for value in shown]
            return shown._make(parts) if hasattr(shown, "_make") else tuple(parts)  # a named one stays one
        case _ if names := _parts(kind):
            held = [(name, getattr(shown, name)) for name in names]
            changed = {name: new for name, old in held if (new := _in_full(old, wanted)) != old}
            return replace(shown, **changed) if changed else shown
        case _:
            return shown
