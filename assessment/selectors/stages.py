"""How far applications have come, by stage, by state and by province (O01 – O03).

A number of the first page and the list it opens use one condition, so they cannot count differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from applications.enums import ApplicationState as A
from applications.models import Application, CompletenessNotice
from applications.selectors import workbench
from pilot.actors import Actor
from pilot.machines import NOTHING
from pilot.models import TransitionRecord


class Stage(TextChoices):
    """Stages an application comes to one after the other; whoever left the way counts as far as its state shows."""

    SUBMITTED = "submitted", _("提交申请")
    ACCEPTED = "accepted", _("受理")
    REVIEWED = "reviewed", _("签发审核意见")
    REPORTED = "reported", _("报部")
    DECIDED = "decided", _("名单决定")
    LISTED = "listed", _("列入名单")


_DECIDED: Final = frozenset({A.LISTED, A.NOT_LISTED})
_REPORTED: Final = _DECIDED | {A.REPORTED}
_REVIEWED: Final = _REPORTED | {A.RECOMMENDED, A.NOT_RECOMMENDED}
_ACCEPTED: Final = _REVIEWED | {A.ACCEPTED}
REACHED: Final[dict[str, frozenset[A]]] = {
    Stage.SUBMITTED: frozenset(A) - {A.DRAFT},
    Stage.ACCEPTED: _ACCEPTED,
    Stage.REVIEWED: _REVIEWED,
    Stage.REPORTED: _REPORTED,
    Stage.DECIDED: _DECIDED,
    Stage.LISTED: frozenset({A.LISTED}),
}


def reached(value: str, actor: Actor) -> Q:
    """The filter of the list by stage: these stand at it or beyond."""
    return Q(state__in=REACHED[value]) if value in REACHED else NOTHING


def was_returned(value: str, actor: Actor) -> Q:
    """The filter of the list by whether the bureau ever asked for corrections and did not take that back."""
    return Q(_standing_notice()) if value == "yes" else ~Q(_standing_notice())


def _standing_notice() -> Exists:
    return Exists(_standing_notices().filter(application=OuterRef("pk")))


def _standing_notices() -> QuerySet[CompletenessNotice]:
    taken_back = TransitionRecord.objects.filter(
        machine=Application.slug(),
        object_id=OuterRef("application"),
        number=OuterRef("step") + 1,
        name="revert",
    )
    rows: QuerySet[CompletenessNotice] = CompletenessNotice.unscoped.exclude(Exists(taken_back))
    return rows


@dataclass(frozen=True, slots=True)
class ProvinceFigures:
    """One bureau's share: applications handed in, of these ever returned, and waiting beyond the acceptance clock."""

    applications: int
    returned: int
    overdue: int


def by_state(actor: Actor) -> dict[str, int]:
    """State → applications this actor may know of; states without any are left out."""
    rows: QuerySet[Application] = Application.objects.visible_to(actor)
    return dict(rows.order_by().values_list("state").annotate(Count("pk")))


def at_or_beyond(stage: str, states: dict[str, int]) -> int:
    """Applications at a stage or beyond, from the numbers by state."""
    return sum(number for state, number in states.items() if state in REACHED[stage])


def by_province(actor: Actor) -> dict[int, ProvinceFigures]:
    """Province → its figures; provinces without applications are left out. One query."""
    rows: QuerySet[Application] = Application.objects.visible_to(actor)
    returned = Q(pk__in=_standing_notices().values("application"))  # looked up once, not for each application
    counted = (
        rows.order_by()
        .values_list("province")
        .annotate(
            n=Count("pk"),
            returned=Count("pk", filter=returned),
            overdue=Count("pk", filter=workbench.overdue()),
        )
    )
    return {province: ProvinceFigures(*figures) for province, *figures in counted}
