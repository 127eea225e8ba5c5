"""Field-level allow-lists as data: what each reader is shown of an object, by the labels of the fields (S02).

The lists in tests/security/fields/ were read through when they were written; a new field fails until it is listed.
``PILOT_FIELDS=write`` writes what is shown now, for the next reading.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from pilot.ui import Column, Fact, Section

FOLDER: Final = Path(__file__).with_name("fields")
WRITE: Final = os.environ.get("PILOT_FIELDS") == "write"
_DIGITS: Final = re.compile(r"\d[\d,.:-]*")


def shown(page: Any) -> set[str]:
    """The labels of everything a page shows: facts, sections and columns of tables; numbers in them do not count."""
    return {_DIGITS.sub("#", label) for label in _labels(page) if label}


def _labels(part: Any) -> Iterator[str]:
    match part:
        case Fact():
            yield str(part.label)
        case Column():
            yield f"[{part.label}]" if part.label else ""
        case Section():
            if part.title:
                yield f"# {part.title}"
            for inner in (part.facts, part.columns):
                yield from _labels(inner)
        case str() | bytes() | None:
            return
        case Mapping():
            for inner in part.values():
                yield from _labels(inner)
        case list() | tuple():
            for inner in part:
                yield from _labels(inner)
        case _ if is_dataclass(part) and not isinstance(part, type):
            for one in fields(part):
                yield from _labels(getattr(part, one.name))


def paths(answer: Any, at: str = "") -> set[str]:
    """The members of a JSON answer by their paths; elements of lists are one."""
    match answer:
        case dict():
            return {
                path
                for name, value in answer.items()
                for path in paths(value, f"{at}.{name}" if at else name)
            }
        case list():
            return {path for value in answer for path in paths(value, f"{at}[]")} or {f"{at}[]"}
        case _:
            return {at}


def by_readers(seen: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Reader → fields, the other way round: whom these fields are shown → the fields, as the lists are written."""
    readers: dict[str, list[str]] = {}
    for reader, labels in seen.items():
        for label in dict.fromkeys(labels):
            readers.setdefault(label, []).append(reader)
    grouped: dict[str, list[str]] = {}
    for label, whom in readers.items():
        grouped.setdefault(", ".join(whom), []).append(label)
    return {whom: sorted(labels) for whom, labels in grouped.items()}


def allowed(kind: str, name: str) -> dict[str, list[str]]:
    """The list of one object: whom → which fields."""
    file = FOLDER / f"{kind}.toml"
    if not file.exists():
        return {}
    found: dict[str, list[str]] = tomllib.loads(file.read_text(encoding="utf-8")).get(name, {})
    return found


def check(kind: str, name: str, seen: Mapping[str, Iterable[str]]) -> None:
    """What the readers are shown of an object is what its list says, no more and no less."""
    now = (
        by_readers(seen)
        if kind == "objects"
        else {name: sorted(set(map(str, seen[name]))) for name in seen if seen[name]}
    )
    if WRITE:
        _write(kind, name, now)
    assert now == allowed(kind, name), f"tests/security/fields/{kind}.toml, {name}"


def _write(kind: str, name: str, now: dict[str, list[str]]) -> None:
    file = FOLDER / f"{kind}.toml"
    kept = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept[name] = now
    lines = [f"# {HEADS[kind]}\n"]
    for title, lists in sorted(kept.items()):
        lines.append(f'\n["{title}"]\n')
        for whom, labels in sorted(lists.items()):
            words = "".join(f"    {_quoted(label)},\n" for label in labels)
            lines.append(f'"{whom}" = [\n{words}]\n')
    file.write_text("".join(lines), encoding="utf-8")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


HEADS: Final = {
    "objects": "What the page of an object shows to whom (tests/architecture/test_objects.py). # section, [column].",
    "json": "The members of every JSON answer (tests/security/test_doors.py).",
    "tables": "Columns of lists and of their exports, what they are searched, filtered and sorted by, and forms.",
    "papers": "What each paper reads of its context.",
}
