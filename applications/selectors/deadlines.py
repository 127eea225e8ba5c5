"""Which applications have a clock that ran out or nearly did, and which drafts the end of the window left behind.

The written rule is ``docs/intake.md``: a request counts by its time of arrival, so what a bell brings about is done
once whoever arrived before it has been served.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThanOrEqual

from applications.enums import ApplicationState
from applications.models import Application, LateAdmission
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import Programme, ProposalState, Window, WindowExtension
from pilot.rules import SERVED
from pilot.selectors import programmes

WARNING_DAYS = 1  # where the programme holds no ``acceptance_warning_days``


def deems_acceptance(programme: Programme) -> bool:
    """Whether the programme holds the rule that a bureau's silence counts as acceptance."""
    return programmes.rule(programme, "deemed_acceptance") is True


def reminder_bound(programme: Programme, at: datetime) -> datetime:
    """Correction clocks that end up to here have no more than the programme's reminder days left."""
    days = programmes.rule(programme, "correction_reminder_days")
    return programmes.deadline(programme, start=at, days=days)


def warning_bound(programme: Programme, at: datetime) -> datetime:
    """Acceptance clocks that end up to here have no more than the programme's warning days left."""
    days = programmes.rule(programme, "acceptance_warning_days")
    return programmes.deadline(programme, start=at, days=WARNING_DAYS if days is None else days)


def is_over(due_at: datetime, at: datetime) -> bool:
    """Whether a clock ran out, and everybody who arrived before it did has been served."""
    return at >= due_at + SERVED


def due(programme: Programme, *, at: datetime, limit: int) -> list[int]:
    """Ids of the applications whose clock asks for an act or a message at ``at``, the most overdue first."""
    told, warned = _already("alerted_due_at"), _already("warned_due_at")
    overdue = Q(due_at__lte=at - SERVED)
    running = Q(due_at__gt=at)
    returned = overdue | (running & Q(due_at__lte=reminder_bound(programme, at)) & ~told)
    silent = overdue if deems_acceptance(programme) else overdue & ~told
    silent |= running & Q(due_at__lte=warning_bound(programme, at)) & ~warned
    rows = Application.unscoped.filter(
        (Q(state=ApplicationState.RETURNED) & returned) | (Q(state=ApplicationState.SUBMITTED) & silent),
        programme=programme,
    ).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def _already(field: str) -> Q:
    """Those whose running clock is the one people were told of in ``field``."""
    return Q(**{field: F("due_at"), f"{field}__isnull": False})


def closing(programme: Programme, provider_id: int) -> datetime:
    """When handing in for the first time ends for one provider: the window as extended, or a later late admission."""
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    granted = _admissions(programme).filter(provider=provider_id).values_list("until", flat=True)
    return max([closes, *granted])


def left_behind(case: Application, at: datetime) -> bool:
    """Whether the application is a draft that can no longer be handed in; a late admission takes that back."""
    if case.state != ApplicationState.DRAFT:
        return False
    _opens, closes = programmes.window(case.programme, WindowKind.APPLICATION)
    return at >= closes and at >= closing(case.programme, case.provider_id)


def untold(programme: Programme, *, at: datetime, limit: int) -> list[int]:
    """Ids of the drafts left behind whose owners were not yet told of the closing that left them behind."""
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    if at < closes + SERVED:
        return []
    rows = drafts(programme).annotate(closing=closing_of_drafts()).filter(closing__lte=at - SERVED)
    return list(rows.exclude(told_of_closing()).order_by("pk").values_list("pk", flat=True)[:limit])


def told_of_closing() -> Q:
    """Drafts whose owners were told of the closing that left them behind; an extension or a grant makes it another."""
    return Q(closed_told_at__isnull=False) & Q(GreaterThanOrEqual(F("closed_told_at"), closing_of_drafts()))


def closing_of_drafts() -> Case:
    """What :func:`closing` finds, as an expression on a draft; nothing on any other application."""
    windows = Window.objects.filter(programme=OuterRef("programme"), kind=WindowKind.APPLICATION)
    extensions = WindowExtension.unscoped.filter(
        window__programme=OuterRef("programme"),
        window__kind=WindowKind.APPLICATION,
        state=ProposalState.GRANTED,
    )
    admissions = LateAdmission.unscoped.filter(
        programme=OuterRef("programme"), provider=OuterRef("provider"), state=ProposalState.GRANTED
    )
    # Of these the database leaves aside what is not there.
    last = Greatest(
        Subquery(windows.values("closes")[:1]),
        Subquery(extensions.order_by("-closes").values("closes")[:1]),
        Subquery(admissions.order_by("-until").values("until")[:1]),
    )
    return Case(When(state=ApplicationState.DRAFT, then=last), output_field=DateTimeField())


def deadline_for(actor: Actor) -> Any:
    """By when an application wants its next step of whom it waits for: the running clock, or the end of a draft."""
    return Coalesce("due_at", closing_of_drafts()) if actor.is_provider else F("due_at")


def drafts(programme: Programme) -> QuerySet[Application]:
    """The applications that were never handed in."""
    rows: QuerySet[Application] = Application.unscoped.filter(
        programme=programme, state=ApplicationState.DRAFT
    )
    return rows


def _admissions(programme: Programme) -> QuerySet[LateAdmission]:
    rows: QuerySet[LateAdmission] = LateAdmission.unscoped.filter(
        programme=programme, state=ProposalState.GRANTED
    )
    return rows
