"""What the portal says about itself: one topic per subject, and the first steps of each role.

The texts stand in ``helptexts/*.toml``, Chinese beside English, so that whoever knows the matter can change them
without code. A page is named by its URL name; which pages a topic covers stands with the topic.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import get_language

from pilot import policy

FOLDER: Final = Path(__file__).with_name("helptexts")
NOT_TOPICS: Final = ("common", "problems", "tour")
KINDS: Final = ("list", "detail", "act", "task", "create")


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Chinese and English; printed in the language of the reader."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en if (get_language() or "").startswith("en") else self.zh


@dataclass(frozen=True, slots=True)
class Topic:
    """What is said about one subject. ``clauses`` are those of the notice, ``basis`` is any other ground."""

    name: str
    pages: tuple[str, ...]
    group: str  # of the menu, where none of its pages stands there
    title: Words
    purpose: Words
    rule: Words
    clauses: tuple[str, ...]
    basis: Words | None
    next: Words
    ask: Words

    def holds(self, text: str) -> bool:
        """Whether any of its words, in either language, holds a text (in lower case)."""
        parts = [self.title, self.purpose, self.rule, self.next, *([self.basis] if self.basis else [])]
        words = [*self.clauses, *(f"{part.zh}\n{part.en}" for part in parts)]
        return text in "\n".join(words).lower()

    def first_for(self, role: str | None) -> str | None:
        """The first page it is about that a role may open."""
        return next((page for page in self.pages if policy.may_open(page, role)), None)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a page of a refusal or failure says: what happened, what became of the work, what to do."""

    heading: Words
    text: Words
    work: Words
    todo: Words


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour: a page and what to see there."""

    page: str
    say: Words


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def common() -> dict[str, dict[str, Words]]:
    """What is said of kinds of pages, whom to ask, and what clauses are clauses of."""
    return {
        table: {key: Words(*pair) for key, pair in rows.items()} for table, rows in _read("common").items()
    }


def _pages(row: dict[str, Any]) -> Iterator[str]:
    if slug := row.get("machine"):
        yield from (page for kind in KINDS if (page := f"{slug}_{kind}") in policy.pages())
    yield from row.get("pages", "").split()


def _topic(name: str, row: dict[str, Any]) -> Topic:
    return Topic(
        name=name,
        pages=tuple(_pages(row)),
        group=row.get("group", ""),
        title=Words(*row["title"]),
        purpose=Words(*row["purpose"]),
        rule=Words(*row["rule"]),
        clauses=tuple(row.get("notice", ())),
        basis=Words(*row["basis"]) if "basis" in row else None,
        next=Words(*row["next"]),
        ask=common()["ask"][row["ask"]],
    )


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic, file by file in the order in which they stand there."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem not in NOT_TOPICS)
    return tuple(_topic(name, row) for file in names for name, row in _read(file).items())


@cache
def by_page() -> dict[str, Topic]:
    """URL name → its topic."""
    return {page: topic for topic in topics() for page in topic.pages}


def kind_of(page: str) -> Words | None:
    """What is said of every page of this kind (list, case, act …), for pages of machines."""
    slug, _, kind = page.rpartition("_")
    return common()["kinds"].get(kind) if slug and f"{slug}_act" in policy.pages() else None


def found(text: str, role: str | None) -> list[Topic]:
    """The topics for this role that hold every word of a text; all of them for an empty one."""
    words = text.lower().split()
    return [t for t in topics() if t.first_for(role) and all(t.holds(word) for word in words)]


@cache
def problems() -> dict[str, Problem]:
    """Status, or name of a special case, → what its page says."""
    return {
        code: Problem(**{part: Words(*pair) for part, pair in row.items()})
        for code, row in _read("problems").items()
    }


@cache
def _tours() -> dict[str, tuple[Step, ...]]:
    return {
        role: tuple(Step(step["page"], Words(*step["say"])) for step in row["steps"])
        for row in _read("tour").values()
        for role in row["roles"]
    }


def tour(role: str) -> list[Step]:
    """The first steps of a role, those it may take."""
    return [step for step in _tours().get(role, ()) if policy.may_open(step.page, role)]
