"""The current programme: its windows as extended, its rules, its working days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Max, Q, QuerySet
from django.utils.translation import gettext as _

from pilot import clock, rules
from pilot.errors import NotReady
from pilot.models import (
    AuditEntry,
    CalendarDay,
    Programme,
    ProgrammeRule,
    ProposalState,
    Window,
)


def current() -> Programme:
    """The programme that is being run. Raises :class:`NotReady` before one is installed."""
    programme = Programme.objects.filter(is_current=True).first()
    if programme is None:
        raise NotReady(_("尚未安装试点项目，请先运行 manage.py install_programme"))
    return programme


def rule(programme: Programme, key: str, *, on: date | None = None) -> Any:
    """The value of a programme rule as it holds on a day (default: today); one the programme does not hold: None."""
    return _in_force(programme, key, on).values_list("value", flat=True).first()


def rule_history(programme: Programme, *keys: str) -> Callable[[str, date], Any]:
    """The values of programme rules by key and day, from one query; None where the programme holds none that day."""
    rows = ProgrammeRule.objects.filter(programme=programme, key__in=keys).order_by(
        F("valid_from").asc(nulls_first=True)
    )
    steps = list(rows.values_list("key", "valid_from", "value"))

    def at(key: str, day: date) -> Any:
        return next(
            (
                value
                for name, first, value in reversed(steps)
                if name == key and (first is None or first <= day)
            ),
            None,
        )

    return at


def rule_basis(programme: Programme, key: str) -> str:
    """The basis in words of a programme rule as it holds today, for letters."""
    return _in_force(programme, key, None).values_list("basis", flat=True).first() or ""


def rule_rows(programme: Programme, key: str) -> list[ProgrammeRule]:
    """The rows of a rule, the first to hold first; ended or scheduled ones among them."""
    rows = ProgrammeRule.objects.filter(programme=programme, key=key)
    return list(rows.order_by(F("valid_from").asc(nulls_first=True)))


def rules_in_force(programme: Programme) -> dict[str, ProgrammeRule]:
    """Every rule of a programme as it holds today, by its key."""
    today = rules.local_day(clock.now())
    begun = Q(valid_from=None) | Q(valid_from__lte=today)
    rows = ProgrammeRule.objects.filter(begun, programme=programme)
    return {row.key: row for row in rows.order_by(F("valid_from").asc(nulls_first=True))}


def values_in_force(programme: Programme) -> dict[str, Any]:
    """The value of every rule of a programme as it holds today, by its key, for pages that name many."""
    return {key: row.value for key, row in rules_in_force(programme).items()}


def standing(programme: Programme, key: str) -> str:
    """Stands for a rule as it is entered now: another one once anything of it was changed."""
    rows = [[row.valid_from, row.value, row.basis] for row in rule_rows(programme, key)]
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()[:16]


def rule_changes(programme: Programme, key: str) -> list[AuditEntry]:
    """Who set a rule to what, and why, the newest first; what came with the installation is not among it."""
    rows = AuditEntry.objects.filter(
        action="programme.rule",
        object_type="programme",
        object_id=str(programme.pk),
        outcome=AuditEntry.Outcome.DONE,
        detail__key=key,
    )
    return list(rows.order_by("-at", "-pk"))


def _in_force(programme: Programme, key: str, on: date | None) -> QuerySet[ProgrammeRule]:
    """The rows of a rule that have come into force by a day, the latest first."""
    day = on or rules.local_day(clock.now())
    begun = Q(valid_from=None) | Q(valid_from__lte=day)
    rows = ProgrammeRule.objects.filter(begun, programme=programme, key=key)
    return rows.order_by(F("valid_from").desc(nulls_last=True))


def window(programme: Programme, kind: str) -> tuple[datetime, datetime]:
    """The window ``[opens, closes)`` of a phase, with granted extensions."""
    return _extended(Window.objects.filter(programme=programme, kind=kind))


def closing(base: Window) -> datetime:
    """When a window closes, granted extensions counted."""
    return _extended(Window.objects.filter(pk=base.pk))[1]


def _extended(one: QuerySet[Window]) -> tuple[datetime, datetime]:
    granted = Max("extensions__closes", filter=Q(extensions__state=ProposalState.GRANTED))
    opens, closes, extended = one.annotate(extended=granted).values_list("opens", "closes", "extended").get()
    return opens, max(closes, extended or closes)


def is_open(programme: Programme, kind: str, at: datetime) -> bool:
    """Whether a phase is open at a moment (half-open window)."""
    opens, closes = window(programme, kind)
    return opens <= at < closes


def calendar(programme: Programme) -> dict[date, bool]:
    """Days that differ from Monday to Friday → whether they are worked."""
    return dict(CalendarDay.objects.filter(programme=programme).values_list("day", "working"))


def deadline(
    programme: Programme, *, start: datetime, days: int, known: Mapping[date, bool] | None = None
) -> datetime:
    """The end of a period of working days that starts on the day after ``start``.

    ``known``: the programme's calendar, where it has been read.
    """
    worked = calendar(programme) if known is None else known
    return rules.end_of(rules.add_working_days(rules.local_day(start), days, worked))


def working_days_left(programme: Programme, *, now: datetime, due: datetime) -> int:
    """Working days from today until a deadline; 0 on the last day, negative when overdue."""
    last = rules.local_day(due - timedelta(microseconds=1))
    return rules.working_days_between(rules.local_day(now), last, calendar(programme))


def working_days_of(programme: Programme, kind: str) -> int:
    """How many working days a phase has, its first and its last day among them if they are worked."""
    return rules.working_days_within(*window(programme, kind), calendar(programme))
