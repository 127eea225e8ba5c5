"""One act done to many cases, each in a transaction of its own: one that fails does not stop the others (C07)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.machines import Case
from pilot.services import audit


@dataclass(frozen=True, slots=True)
class Failure:
    """A case to which the act could not be done, and why, in words. ``pk`` 0: the case is gone."""

    pk: int
    case: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What came of a batch."""

    done: int = 0
    failures: list[Failure] = field(default_factory=list)


def run(
    *, name: str, cases: Iterable[Case], missing: int, actor: Actor, service: Callable[..., Any]
) -> Outcome:
    """``service(case=…, actor=…)`` for each case; ``missing`` more were chosen, but the actor sees them no longer."""
    outcome = Outcome()
    for case in cases:
        try:
            with transaction.atomic():
                service(case=case, actor=actor)
        except PilotError as refusal:
            outcome.failures.append(Failure(case.pk, f"{case.number} {case.title}", str(refusal.message)))
        else:
            outcome.done += 1
    outcome.failures += [Failure(0, "", _("事项已不存在或不再可见"))] * missing
    audit.record(
        action="list.batch",
        actor=actor,
        object_type="list",
        object_id=name[:64],
        detail={"done": outcome.done, "failed": len(outcome.failures)},
    )
    return outcome
