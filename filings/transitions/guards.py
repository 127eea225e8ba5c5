"""Conditions that several machines of the run phase share; each answers with a reason in words, or None."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.models import Membership
from pilot.selectors import people


def own_unit(case: Any, actor: Actor, at: datetime) -> str | None:
    """A provider acts for its own unit only."""
    if actor.is_provider and case.unit.organisation_id != actor.organisation_id:
        return _("只能办理本单位的事项")
    return None


def unit_bureau(case: Any, actor: Actor, at: datetime) -> str | None:
    """A bureau acts on units registered in its province only."""
    if actor.is_bureau and case.unit.province != actor.province:
        return _("只能办理本省注册的试点单位的事项")
    return None


def clock_ran_out(case: Any, actor: Actor, at: datetime) -> str | None:
    """The system acts only when the time is over; the deadline's last moment still belongs to the unit."""
    if actor.is_system and (case.due_at is None or at < case.due_at):
        return _("期限尚未届满")
    return None


def in_time(case: Any, actor: Actor, at: datetime) -> str | None:
    """The unit acts before the deadline is over."""
    if case.due_at is not None and at >= case.due_at:
        return _("期限已届满")
    return None


def people_of_unit(case: Any) -> QuerySet[Membership]:
    """Audience: the unit's people."""
    return people.providers(case.unit.organisation_id)


def bureau_of_unit(case: Any) -> QuerySet[Membership]:
    """Audience: the bureau of the province where the unit is registered."""
    return people.bureau(case.unit.province)
