"""Clocks of the run phase that ran out: findings confirm, hearings close, orders become overdue.

Owners of coordination cases are reminded before theirs does.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from filings.enums import FindingState, RectificationState, SanctionState
from filings.models import Finding, Rectification, Sanction
from filings.services import coordination
from pilot import clock
from pilot.actors import Actor
from pilot.database import AWAY
from pilot.language import on_record
from pilot.machines import Case
from pilot.rules import SERVED
from pilot.workflow import fire


class Clock(NamedTuple):
    """Whose time runs in which state, what follows when it is over, and the reason that the history gives."""

    model: type[Case]
    state: str
    name: str
    reason: Promise


CLOCKS: Final = (
    Clock(Finding, FindingState.OPEN, "confirm", _("异议期满未提异议，自动确认")),
    Clock(Sanction, SanctionState.HEARING, "close_hearing", _("陈述申辩期限届满，未收到陈述申辩")),
    Clock(Rectification, RectificationState.ISSUED, "pass_due", _("整改期限届满，未提交整改报告")),
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
    for rule in CLOCKS:
        due = rule.model.unscoped.filter(state=rule.state, due_at__lte=over).order_by("due_at", "pk")
        for pk in list(due.values_list("pk", flat=True)[:BATCH]):
            moved += _attempt(rule, pk, actor, over)
    coordination.remind()
    return moved


def _attempt(rule: Clock, pk: int, actor: Actor, over: datetime) -> bool:
    """One that cannot be moved now keeps none of the others waiting; the next run tries it again."""
    try:
        return _pass(rule, pk, actor, over)
    except AWAY:
        raise  # the database is away, which is no fault of this case
    except Exception:
        logger.exception("deadline of %s %s", rule.model.slug(), pk)
        return False


@transaction.atomic
def _pass(rule: Clock, pk: int, actor: Actor, over: datetime) -> bool:
    rows = rule.model.unscoped.select_for_update(skip_locked=True, of=("self",))
    case = rows.filter(pk=pk, state=rule.state, due_at__lte=over).first()
    if case is None:  # moved meanwhile, or in another run's hands
        return False
    with on_record():
        reason = str(rule.reason)
    fire(case, rule.name, actor=actor, at=case.due_at, reason=reason)
    return True
