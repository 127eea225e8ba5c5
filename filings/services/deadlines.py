"""Clocks of the run phase that ran out: findings confirm, hearings close, orders become overdue.

Owners of coordination cases are reminded before theirs does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from filings.enums import FindingState, RectificationState, SanctionState
from filings.models import Finding, Rectification, Sanction
from filings.services import coordination
from pilot import clock
from pilot.actors import Actor
from pilot.machines import Case
from pilot.workflow import fire

CLOCKS: Final[tuple[tuple[type[Case], str, str], ...]] = (
    (Finding, FindingState.OPEN, "confirm"),
    (Sanction, SanctionState.HEARING, "close_hearing"),
    (Rectification, RectificationState.ISSUED, "pass_due"),
)
BATCH: Final = 2_000


def pass_deadlines(*, actor: Actor | None = None) -> int:
    """Do what follows from every deadline that has passed; returns how many cases moved.

    The history names the deadline's own moment, whenever this runs. Each case is its own transaction and is claimed,
    so that two runs at once share the work. At most 2,000 cases of a machine move in one run.
    """
    actor = actor or Actor.system("deadlines")
    now, moved = clock.now(), 0
    for model, state, name in CLOCKS:
        due = model.unscoped.filter(state=state, due_at__lte=now).order_by("due_at", "pk")
        for pk in list(due.values_list("pk", flat=True)[:BATCH]):
            moved += _pass(model, pk, state, name, actor, now)
    coordination.remind()
    return moved


@transaction.atomic
def _pass(model: type[Case], pk: int, state: str, name: str, actor: Actor, now: datetime) -> bool:
    rows = model.unscoped.select_for_update(skip_locked=True, of=("self",))
    case = rows.filter(pk=pk, state=state, due_at__lte=now).first()
    if case is None:  # moved meanwhile, or in another run's hands
        return False
    fire(case, name, actor=actor, at=case.due_at)
    return True
