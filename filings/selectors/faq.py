"""Published questions and answers: searched by the words that stand in them, and by likeness to a subject.

Chinese is written without spaces, so likeness counts the pairs of neighbouring characters that both have.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Final

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from filings.enums import FaqState
from filings.models import FaqEntry
from pilot.actors import Actor

PAIRS: Final = 40  # of a subject, at most
SIMILAR: Final = 5


def published() -> QuerySet[FaqEntry]:
    """Everything that is published, newest first."""
    rows: QuerySet[FaqEntry] = FaqEntry.unscoped.filter(state=FaqState.PUBLISHED)
    return rows.order_by("-state_since", "-pk")


def search(words: str = "", category: str = "") -> QuerySet[FaqEntry]:
    """Published entries in which every one of the words stands, of a category if one is given."""
    rows = published()
    for word in words.split():
        rows = rows.filter(_has(word))
    return rows.filter(category=category) if category else rows


def similar(subject: str, *, limit: int = SIMILAR) -> list[FaqEntry]:
    """Published entries most like a subject, best first; none where the subject says too little."""
    pairs = list(dict.fromkeys(a + b for a, b in pairwise(subject.strip()) if (a + b).isalnum()))[:PAIRS]
    if not pairs:
        return []
    scores: list[Any] = [
        Case(When(_has(pair), then=Value(1)), default=Value(0), output_field=IntegerField()) for pair in pairs
    ]
    # One pair of many is chance: at least a fifth of them must be shared.
    rows = published().annotate(score=reduce(add, scores)).filter(score__gte=max(1, len(pairs) // 5))
    return list(rows.order_by("-score", "-state_since", "-pk")[:limit])


def of_office(actor: Actor) -> Q:
    """Entries that an official may publish and withdraw: the ministry all, a bureau what was written in it."""
    return Q() if actor.is_ministry else Q(organisation=actor.organisation_id)


def _has(words: str) -> Q:
    return Q(question__icontains=words) | Q(answer__icontains=words)
