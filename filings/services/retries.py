"""When the authority is asked again (design.md, section 5: undeterminable is re-tried).

A look-up without an answer leaves a form pending and is repeated soon; only after the time the programme sets
(``undeterminable_after_hours``) the form becomes undeterminable. An undeterminable form, for whatever cause, is asked
for again after an hour, four hours, a day, three days and then every week, until it has an answer or its content is
destroyed. A new determination is written only where the answer is a new one. A form that cannot be opened stays what
it is, and is tried again as seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from filings.enums import Comparison, Undetermined
from filings.models import AuthorityRetry
from filings.services.outcomes import Outcome
from pilot.models import PilotUnit
from pilot.selectors import programmes

RULE: Final = "undeterminable_after_hours"
AFTER: Final = timedelta(hours=24)  # where the programme holds no rule
SOON: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
LATER: Final = tuple(timedelta(hours=hours) for hours in (1, 4, 24, 72, 168))


@dataclass(frozen=True, slots=True)
class Looked:
    """A form whose people were looked up: its last determination (0: none) and the cause there, and the new outcome."""

    form_id: int
    number: int
    cause: str
    outcome: Outcome


def units_due(*, at: datetime) -> list[int]:
    """The units that have forms to be asked for again at ``at``."""
    due = AuthorityRetry.objects.filter(next_at__lte=at)
    return list(due.order_by("unit_id").values_list("unit_id", flat=True).distinct())


def forget_destroyed() -> int:
    """Nobody asks about forms whose content was destroyed; returns how many are forgotten."""
    forgotten, _by_model = AuthorityRetry.objects.filter(form__key__destroyed_at__isnull=False).delete()
    return forgotten


def note(*, unit_id: int, looked: Sequence[Looked], at: datetime) -> set[int]:
    """Note which forms are asked for again and when; returns those whose determination is to be written now.

    Inside the caller's transaction, which owns the unit.
    """
    waiting = {
        row.form_id: row for row in AuthorityRetry.objects.filter(form__in=[one.form_id for one in looked])
    }
    after = _patience(unit_id) if any(one.outcome.unanswered for one in looked) else AFTER
    told: set[int] = set()
    kept: list[AuthorityRetry] = []
    for one in looked:
        row = waiting.get(one.form_id)
        since = row.since if row else at
        patient = one.number == 0 and one.outcome.unanswered and at < since + after
        if not patient and _is_new(one):
            told.add(one.form_id)
        if patient or one.outcome.outcome == Comparison.UNDETERMINABLE:
            tries = row.tries if row and not (one.form_id in told and one.number == 0) else 0
            delay = _nth(SOON if patient else LATER, tries)
            kept.append(
                AuthorityRetry(
                    form_id=one.form_id, unit_id=unit_id, since=since, tries=tries + 1, next_at=at + delay
                )
            )
    _keep(kept)
    AuthorityRetry.objects.filter(form__in=waiting.keys() - {row.form_id for row in kept}).delete()
    return told


def put_off(*, unit_id: int, forms: Sequence[int], at: datetime) -> None:
    """Note that these forms could not be opened; the patience with one never compared begins at its next try."""
    tries = dict(AuthorityRetry.objects.filter(form__in=forms).values_list("form_id", "tries"))
    again = {form_id: at + _nth(LATER, tries.get(form_id, 0)) for form_id in forms}
    _keep(
        [
            AuthorityRetry(
                form_id=form_id, unit_id=unit_id, since=when, tries=tries.get(form_id, 0) + 1, next_at=when
            )
            for form_id, when in again.items()
        ]
    )


def _is_new(one: Looked) -> bool:
    """Whether the outcome says something the form's last determination does not; silence says nothing new."""
    if one.number == 0 or one.outcome.outcome != Comparison.UNDETERMINABLE:
        return True
    return one.outcome.cause not in {one.cause, Undetermined.UNAVAILABLE}


def _nth(delays: Sequence[timedelta], tries: int) -> timedelta:
    return delays[min(tries, len(delays) - 1)]


def _patience(unit_id: int) -> timedelta:
    unit = PilotUnit.unscoped.select_related("programme").get(pk=unit_id)
    hours = programmes.rule(unit.programme, RULE)
    return AFTER if hours is None else timedelta(hours=hours)


def _keep(rows: list[AuthorityRetry]) -> None:
    AuthorityRetry.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["form"],
        update_fields=["since", "tries", "next_at"],
    )
