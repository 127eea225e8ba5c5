"""The review phase by its shares: whose turn it is, on which day of how many, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Q

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import AssessmentState
from assessment.models import CapabilityAssessment
from assessment.rules import phases as rules
from assessment.rules.phases import Share, Standing
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import Programme, ProgrammeRule
from pilot.rules import is_working_day, local_day, working_days_within
from pilot.selectors import programmes

REPORT: Final = "bureau_report_days"
ASSESSMENT: Final = "assessment_days"
LIST: Final = "list_days"
SHARES: Final = (REPORT, ASSESSMENT, LIST)  # rules of the programme, in the order of the work


@dataclass(frozen=True, slots=True)
class Part:
    """A share of review at a moment: day ``day`` of ``share.days``, ``left`` working days after today."""

    share: Share
    standing: Standing
    day: int
    left: int


@dataclass(frozen=True, slots=True)
class ReviewPhase:
    """Review at a moment. ``day`` of ``days`` working days have begun; ``day_off``: none today."""

    opens: datetime
    closes: datetime
    standing: Standing
    day: int
    days: int
    day_off: bool
    parts: Sequence[Part]

    def part(self, key: str) -> Part | None:
        """One share by its rule; None where the programme holds no such rule."""
        return next((part for part in self.parts if part.share.key == key), None)


def review(programme: Programme, *, at: datetime) -> ReviewPhase:
    """The review phase and its shares as the programme's rules have them."""
    opens, closes = programmes.window(programme, WindowKind.REVIEW)
    calendar = programmes.calendar(programme)
    whole = Share(WindowKind.REVIEW, working_days_within(opens, closes, calendar), opens, closes)
    given = dict(
        ProgrammeRule.objects.filter(programme=programme, key__in=SHARES).values_list("key", "value")
    )
    shares = rules.shares(opens, [(key, given[key]) for key in SHARES if key in given], calendar)
    return ReviewPhase(
        opens=opens,
        closes=closes,
        standing=whole.standing(at),
        day=whole.day(at, calendar),
        days=whole.days,
        day_off=not is_working_day(local_day(at), calendar),
        parts=[_part(share, at, calendar) for share in shares],
    )


def _part(share: Share, at: datetime, calendar: Mapping[date, bool]) -> Part:
    return Part(share, share.standing(at), share.day(at, calendar), share.days_left(at, calendar))


def unconcluded() -> Q:
    """Assessments that have no conclusion yet and still need one."""
    return ~Q(state__in=[AssessmentState.CONCLUDED, AssessmentState.CANCELLED])


def assessments_open(value: str, actor: Actor) -> Q:
    """The filter of the list of assessments by whether they are concluded."""
    return unconcluded() if value == "yes" else ~unconcluded()


def undecided_count(actor: Actor) -> int:
    """How many reported applications this actor may know of are on no published list yet."""
    found: int = Application.objects.visible_to(actor).filter(state=ApplicationState.REPORTED).count()
    return found


def unconcluded_count(actor: Actor) -> int:
    """How many assessments this actor may know of have no conclusion yet."""
    found: int = CapabilityAssessment.objects.visible_to(actor).filter(unconcluded()).count()
    return found
