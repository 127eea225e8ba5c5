"""An authority asked by HTTPS in batches (docs/authority.md holds the format).

Nothing that was asked or answered is logged: reasons are short words of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from random import random
from time import sleep
from typing import Any, Final

import msgspec

from filings.services.authority_sources.base import FIELDS, UNAVAILABLE, Answer, Query, Verdict
from filings.services.authority_sources.circuit import Circuit
from pilot import outward

NAME: Final = "http"
LARGEST_ANSWER: Final = 4 * 1024 * 1024  # bytes
TRIES: Final = 3  # of one batch
FIRST_WAIT: Final = (
    0.5  # seconds; doubles, and half of it is chance, so that workers do not come back together
)
_DONE: Final = 200
_WORTH_TRYING: Final = frozenset({408, 429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


class _Failed(Exception):
    """One exchange brought no answer. ``again``: whether the same call may bring one at once."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        self.again = again
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A batch is asked up to :data:`TRIES` times within ``seconds`` each; half an answer is asked for its rest only."""

    goal: outward.Target
    key: str = field(repr=False)
    batch: int
    seconds: float
    circuit: Circuit
    name: str = NAME
    forms_at_once: int = 200

    def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer per query; those that stayed without are ``UNAVAILABLE``."""
        answers: dict[int, Answer] = {}
        for part in batched(range(len(queries)), self.batch):
            self._ask_patiently({number: queries[number] for number in part}, answers)
        return [answers.get(number, UNAVAILABLE) for number in range(len(queries))]

    def _ask_patiently(self, part: Mapping[int, Query], answers: dict[int, Answer]) -> None:
        for attempt in range(TRIES):
            left = {number: query for number, query in part.items() if number not in answers}
            if not left or not self.circuit.lets_pass():
                return
            if attempt:
                sleep(FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + random() / 2))  # noqa: S311 (spreads, guards nothing)
            try:
                answers.update(self._ask(left))
            except _Failed as failure:
                self.circuit.failed()
                logger.warning("authority source did not answer: %s", failure)
                if not failure.again:
                    return
            else:
                self.circuit.succeeded()

    def _ask(self, part: Mapping[int, Query]) -> dict[int, Answer]:
        """The answers to a batch, as many as are sound; raises :class:`_Failed` where not one is."""
        body = msgspec.json.encode({"queries": [_question(number, query) for number, query in part.items()]})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            status, content = outward.fetch(
                self.goal, body=body, headers=headers, seconds=self.seconds, largest=LARGEST_ANSWER
            )
        except outward.Unreachable as fault:
            raise _Failed(fault.reason) from None
        if status != _DONE:
            raise _Failed(f"status {status}", again=status in _WORTH_TRYING)
        answers = _read(content, part)
        if not answers:
            raise _Failed("nothing of it could be read")
        return answers


def _question(number: int, query: Query) -> dict[str, Any]:
    return {
        "id": number,
        "cert_type": query.cert_type,
        "cert_no": query.cert_no,
        "name": query.name,
        "as_of": query.as_of.isoformat(),
    }


def _read(content: bytes, asked: Mapping[int, Query]) -> dict[int, Answer]:
    """The sound answers by the number of their query, whatever their order. One answered twice and differently is none.

    What is not sound is left out, so it will be asked again.
    """
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    listed = document.get("answers") if isinstance(document, dict) else None
    found: dict[int, Answer] = {}
    contradicted: set[int] = set()
    for item in listed if isinstance(listed, list) else ():
        number = item.get("id") if isinstance(item, dict) else None
        if type(number) is not int or number not in asked:
            continue
        answer = _answer(item)
        if answer is None or found.setdefault(number, answer) != answer:
            contradicted.add(number)
    return {number: answer for number, answer in found.items() if number not in contradicted}


def _answer(item: Mapping[str, Any]) -> Answer | None:
    """One answer; None where it is none of those agreed, or says that the authority could not tell now."""
    try:
        verdict = Verdict(item.get("result"))  # type: ignore[arg-type]
    except ValueError:
        return None
    if verdict is Verdict.UNAVAILABLE:
        return None
    if verdict is not Verdict.MISMATCH:
        return Answer(verdict)
    named = item.get("differing")
    if not isinstance(named, list) or not named or not all(name in FIELDS for name in named):
        return None
    return Answer(verdict, tuple(name for name in FIELDS if name in named))
