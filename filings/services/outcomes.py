"""What an opened form and the authority's answers on its people come to; nothing here touches the database.

Subject and principal decide, website principals are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from filings.enums import Comparison, Undetermined
from filings.services.authority_sources import UNAVAILABLE, Answer, Query, Verdict
from filings.validators.names import comparable_name, has_rare_characters

DECIDING: Final = ("subject", "principal")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a form: where, and what is asked of the authority about them."""

    place: str
    query: Query

    @property
    def identity(self) -> tuple[int, str, str]:
        """What makes two people of a form one."""
        return self.query.cert_type, self.query.cert_no, comparable_name(self.query.name)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comparing one form came to.

    ``differences``: the places that differ, each with what differs there; ``cause``: why it could not be determined;
    ``unanswered``: whether the authority owes an answer that could change the outcome.
    """

    outcome: Comparison
    differences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cause: str = ""
    unanswered: bool = False


def people(form: Mapping[str, Any], day: date) -> list[Person]:
    """The people whom a form names in full; records as of ``day``, that of receipt, count."""
    places = [(place, form.get(place)) for place in DECIDING]
    places += [
        (f"websites.{number}.principal", website.get("principal"))
        for number, website in enumerate(form.get("websites") or ())
    ]
    return [
        Person(place, Query(person["cert_type"], person["cert_no"], person["name"], day))
        for place, person in places
        if person and all(person.get(key) for key in ("cert_type", "cert_no", "name"))
    ]


def outcome(named: Iterable[Person], answers: Mapping[Query, Answer]) -> Outcome:
    """The outcome for one form. A person whom the form does not name counts as without record.

    One that differs decides, whatever is known of the other; then one without an answer leaves it undeterminable.
    """
    verdicts: dict[str, str] = {}
    differences: dict[str, tuple[str, ...]] = {}
    for person in named:
        answer = answers.get(person.query, UNAVAILABLE)
        verdicts[person.place] = _verdict(person.query, answer)
        if verdicts[person.place] == Verdict.MISMATCH:
            differences[person.place] = answer.differing
    deciding = {verdicts.get(place, Verdict.NO_RECORD) for place in DECIDING}
    unanswered = Verdict.UNAVAILABLE in deciding
    if Verdict.MISMATCH in deciding:
        return Outcome(Comparison.MISMATCH, differences, unanswered=unanswered)
    if deciding == {Verdict.MATCH}:
        return Outcome(Comparison.MATCH, differences)
    cause = next(cause for cause in Undetermined.values if cause in deciding)
    return Outcome(Comparison.UNDETERMINABLE, differences, cause, unanswered)


def _verdict(query: Query, answer: Answer) -> str:
    """The answer; but where only a name with rare characters differs it tells nothing: systems write it differently."""
    if answer.differing == ("name",) and has_rare_characters(query.name):
        return Undetermined.RARE_CHARACTERS
    return answer.verdict
