"""What each material of a programme must show, and the sample of it, as data. Pure.

The guide and the samples read the same list, so what is asked for and what is shown cannot drift apart (P01).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from applications.enums import FileKind
from applications.rules.form import Words, in_language

FOLDER = Path(__file__).parents[1] / "materials"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sample paper.

    ``field`` is the field of the form with which it must agree, and whose sample value it shows; ``must`` counts from
    1 and says which of the material's musts stands here, 0 none of them. ``note`` is a hint beside the line.
    """

    label: str
    text: str = ""
    field: str = ""
    must: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a sample paper: what sheet it is, its heading, its lines, and the seal it bears."""

    caption: str
    title: str
    lines: tuple[Line, ...]
    seal: str = ""
    seal_must: int = 0
    seal_note: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """A material: what it must show, item by item, and the sheets of its sample."""

    kind: FileKind
    title: str
    musts: tuple[Words, ...]
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True, slots=True)
class Materials:
    """The materials of a programme by kind, and the content of the sample form, which all the samples share."""

    form: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Material] = field(default_factory=dict)


@cache
def materials_of(code: str) -> Materials:
    """The materials of the programme with this code; of a programme without them nothing is said."""
    file = FOLDER / f"{code}.toml"
    if not file.is_file():
        return Materials()
    with file.open("rb") as source:
        told = tomllib.load(source)
    return Materials(told["form"], {row["kind"]: _material(row) for row in told["materials"]})


def _material(row: Mapping[str, Any]) -> Material:
    return Material(
        kind=FileKind(row["kind"]),
        title=row["title"],
        musts=tuple(in_language(must["text"], must["text_en"]) for must in row["musts"]),
        sheets=tuple(
            Sheet(**{**sheet, "lines": tuple(Line(**line) for line in sheet["lines"])})
            for sheet in row.get("sheets", ())
        ),
    )
