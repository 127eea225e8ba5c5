"""Clocks of the run phase that ran out: findings confirm, hearings close, orders become overdue.

Owners of coordination cases are reminded before theirs does.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from filings.enums import FindingState, RectificationState, SanctionState
from filings.models import Finding, Rectification, Sanction
from filings.services import coordination
from pilot import clock
from pilot.actors import Actor
from pilot.machines import Case
from pilot.rules import SERVED
from pilot.workflow import fire

CLOCKS: Final[tuple[tuple[type[Case], str, str], ...]] = (
    (Finding, FindingState.OPEN, "confirm"),
    (Sanction, SanctionState.HEARING, "close_hearing"),
    (Rectification, RectificationState.ISSUED, "pass_due"),
)
BATCH: Final = 2_000
logger = logging.getLogger(__name__)


def pass_deadlines(*, actor: Actor | None = None) -> int:
    """Do what follows from every deadline that has passed; returns how many cases moved.

    The history names the deadline's own moment, whenever this runs; whoever arrived before it is served first. Each
    case is its own transaction and is claimed, so that two runs at once share the work. At most 2,000 cases of a
    machine move in one run.
    """
    actor = actor or Actor.system("deadlines")
    over, moved = clock.now() - SERVED, 0
    for model, state, name in CLOCKS:
        due = model.unscoped.filter(state=state, due_at__lte=over).order_by("due_at", "pk")
        for pk in list(due.values_list("pk", flat=True)[:BATCH]):
            moved += _attempt(model, pk, state, name, actor, over)
    coordination.remind()
    return moved


def _attempt(model: type[Case], pk: int, state: str, name: str, actor: Actor, over: datetime) -> bool:
    """One that cannot be moved now keeps none of the others waiting; the next run tries it again."""
    try:
        return _pass(model, pk, state, name, actor, over)
    except (InterfaceError, OperationalError):
        raise  # the database is away, which is no fault of this case
    except Exception:
        logger.exception("deadline of %s %s", model.slug(), pk)
        return False


@transaction.atomic
def _pass(model: type[Case], pk: int, state: str, name: str, actor: Actor, over: datetime) -> bool:
    rows = model.unscoped.select_for_update(skip_locked=True, of=("self",))
    case = rows.filter(pk=pk, state=state, due_at__lte=over).first()
    if case is None:  # moved meanwhile, or in another run's hands
        return False
    fire(case, name, actor=actor, at=case.due_at)
    return True
