"""What the portal holds of every field, why, on what basis, how long, and who sees it: data that the jobs go by.

The terms stand in ``pilot/inventory.toml``, the fields in ``inventory.toml`` of each app (``fields.toml`` of the
kernel), a table per model: ``basis``, ``period``, ``sees``, the names of its ``personal`` fields, and purposes
(``"field field" = "purpose"``) of what ``[common]`` does not name. ``differ`` gives a field another period.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

APPS: Final = ("pilot", "applications", "assessment", "filings")
ROOT: Final = Path(__file__).resolve().parent.parent
TERMS: Final = ("basis", "period", "sees", "personal", "differ")


@dataclass(frozen=True, slots=True)
class Row:
    """One field of one model, in words for people; ``period`` is the name of one of :func:`periods`."""

    model: str
    field: str
    purpose: str
    basis: str
    period: str
    personal: bool
    sees: str


@cache
def terms() -> dict[str, Any]:
    """Bases, readers, periods and common purposes."""
    return tomllib.loads((ROOT / "pilot" / "inventory.toml").read_text(encoding="utf-8"))


@cache
def models_of(app: str) -> dict[str, Any]:
    """The tables of an app's inventory: model name in small letters → its terms."""
    text = (ROOT / app / ("fields.toml" if app == "pilot" else "inventory.toml")).read_text(encoding="utf-8")
    return tomllib.loads(text)


def period(name: str) -> timedelta:
    """How long what has this period is kept. Raises KeyError for one without days."""
    return timedelta(days=terms()["period"][name]["days"])


def rows(app: str, model: str, fields: dict[str, bool]) -> Iterator[Row]:
    """The rows of a model; ``fields``: name → whether it points to a person. A field nobody described has no row."""
    told = models_of(app).get(model, {})
    known = terms()
    purposes = _spread(known["common"]) | _spread({k: v for k, v in told.items() if k not in TERMS})
    personal, differ = set(told.get("personal", "").split()), _spread(told.get("differ", {}))
    for name, person in fields.items():
        if told and name in purposes:
            yield Row(
                model=f"{app}.{model}",
                field=name,
                purpose=purposes[name],
                basis=known["basis"][told["basis"]],
                period=differ.get(name, told["period"]),
                personal=person or name in personal,
                sees=known["sees"][told["sees"]],
            )


def named(app: str, model: str) -> set[str]:
    """The fields that a model's own table names, wherever in it."""
    told = models_of(app)[model]
    own = {name for key in told if key not in TERMS for name in key.split()}
    return own | set(told.get("personal", "").split()) | set(_spread(told.get("differ", {})))


def _spread(table: dict[str, str]) -> dict[str, str]:
    return {name: words for names, words in table.items() for name in names.split()}
