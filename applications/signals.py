"""Questions intake asks of the apps above it without importing them; they register their answers on start."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from pilot.actors import Actor

type Obstacle = Callable[[Any], Any | None]
type Visibility = Callable[[Actor], Q | None]

_withdrawal_obstacles: list[Obstacle] = []
_further_visibility: list[Visibility] = []


def withdrawal_obstacle(answer: Obstacle) -> Obstacle:
    """Decorator: ``answer(application)`` says in words why it cannot be withdrawn any more, or None."""
    _withdrawal_obstacles.append(answer)
    return answer


def obstacle_to_withdrawal(application: Any) -> Any | None:
    """The first obstacle any app above knows of, in words."""
    return next((words for answer in _withdrawal_obstacles if (words := answer(application))), None)


def application_visibility(answer: Visibility) -> Visibility:
    """Decorator: ``answer(actor)`` says which applications a role of an app above may see (assessors), or None."""
    _further_visibility.append(answer)
    return answer


def further_visibility(actor: Actor) -> Q | None:
    """What the apps above let ``actor`` see, as one condition; None where no app answers."""
    answers = [found for answer in _further_visibility if (found := answer(actor)) is not None]
    return reduce(or_, answers) if answers else None
