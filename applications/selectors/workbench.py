"""What lies on a bureau's desks: the conditions behind the tiles of its first page and the filters of its list (R01).

A tile and the list it opens use one condition, so they cannot count differently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q

from applications.enums import ApplicationState
from applications.models import Application, ApplicationVersion
from applications.selectors import review
from pilot import clock
from pilot.actors import Actor
from pilot.machines import NOTHING
from pilot.rules import end_of, local_day
from pilot.selectors import programmes

SOON_DAYS: Final = 3  # working days, today not counted


def due_today() -> Q:
    """The bureau's clock ends with this day."""
    now = clock.now()
    return _waiting() & Q(due_at__gt=now, due_at__lte=end_of(local_day(now)))


def due_soon() -> Q:
    """The bureau's clock ends within three working days (today's are among them)."""
    now = clock.now()
    bound = programmes.deadline(programmes.current(), start=now, days=SOON_DAYS)
    return _waiting() & Q(due_at__gt=now, due_at__lte=bound)


def overdue() -> Q:
    """The bureau's clock has ended without its word."""
    return _waiting() & Q(due_at__lte=clock.now())


def answered() -> Q:
    """A completeness notice was answered and waits to be looked at."""
    answers = ApplicationVersion.unscoped.filter(application=OuterRef("pk"), number__gt=1)
    return _waiting() & Q(Exists(answers))


def _waiting() -> Q:
    return Q(state=ApplicationState.SUBMITTED)


DUE: Final[dict[str, Callable[[], Q]]] = {"today": due_today, "soon": due_soon, "overdue": overdue}


def due(value: str, actor: Actor) -> Q:
    """The filter of the list by the bureau's clock."""
    return DUE[value]() if value in DUE else NOTHING


def desk(value: str, actor: Actor) -> Q:
    """The filter of the list by desk: ``mine`` or ``unclaimed``. Desks are the bureau's own affair."""
    if not actor.is_bureau:
        return NOTHING
    return review.on_desk_of(actor.person_id) if value == "mine" else review.on_no_desk(actor)


def counts(conditions: Sequence[Q], actor: Actor) -> list[int]:
    """How many applications that wait for the bureau's word this actor sees under each condition. One query."""
    rows = Application.objects.visible_to(actor).filter(_waiting())
    asked = {f"n{place}": Count("pk", filter=condition) for place, condition in enumerate(conditions)}
    return list(rows.aggregate(**asked).values())
