"""Reads about one application or one provider that guards and services decide by."""

from __future__ import annotations

from datetime import datetime

from applications.enums import DEAD_STATES
from applications.models import Application, LateAdmission
from pilot.enums import WindowKind
from pilot.models import Programme, ProposalState, TransitionRecord
from pilot.selectors import programmes

HANDED_IN = ("submit", "resubmit", "reinstate")  # the acts that start the acceptance clock


def history(case: Application) -> list[TransitionRecord]:
    """The steps of the application itself, in order."""
    return list(TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk).order_by("number"))


def last_step(case: Application) -> TransitionRecord:
    """The latest step of the application."""
    return TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk).latest("number")


def step(case: Application, number: int) -> TransitionRecord:
    """One step of the application by its number."""
    return TransitionRecord.objects.get(machine=case.slug(), object_id=case.pk, number=number)


def handed_in_at(case: Application) -> datetime:
    """When the acceptance clock last started: at submission, answer or reinstatement."""
    steps = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk, name__in=HANDED_IN)
    return steps.latest("number").at


def has_step(case: Application, name: str) -> bool:
    """Whether the application ever took a step of this name."""
    return TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk, name=name).exists()


def was_answered(case: Application) -> bool:
    """Whether the provider has already answered a completeness notice."""
    return has_step(case, "resubmit")


def acceptance_due(case: Application, *, start: datetime) -> datetime:
    """The end of the acceptance clock that starts at ``start`` (working days of the programme)."""
    days = programmes.rule(case.programme, "acceptance_days")
    return programmes.deadline(case.programme, start=start, days=days)


def correction_due(case: Application, *, start: datetime) -> datetime:
    """The end of the correction clock that starts at ``start``."""
    days = programmes.rule(case.programme, "correction_days")
    return programmes.deadline(case.programme, start=start, days=days)


def live_application(
    *, programme: Programme, uscc: str, besides: Application | None = None
) -> Application | None:
    """The one application of a provider that is not withdrawn, lapsed or refused, ``besides`` left aside."""
    alive = Application.unscoped.filter(programme=programme, uscc=uscc).exclude(state__in=DEAD_STATES)
    live: Application | None = (alive.exclude(pk=besides.pk) if besides else alive).first()
    return live


def late_admission(*, programme: Programme, provider_id: int, at: datetime) -> LateAdmission | None:
    """The granted admission after the window that is good for longest at ``at``; a second one may follow a first."""
    granted = LateAdmission.unscoped.filter(
        programme=programme, provider=provider_id, state=ProposalState.GRANTED, until__gt=at
    )
    longest: LateAdmission | None = granted.order_by("until").last()
    return longest


def may_hand_in(*, programme: Programme, provider_id: int, at: datetime) -> bool:
    """Whether a first submission is possible: the window is open, or a late admission was granted."""
    if programmes.is_open(programme, WindowKind.APPLICATION, at):
        return True
    return late_admission(programme=programme, provider_id=provider_id, at=at) is not None
