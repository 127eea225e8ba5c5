"""The review phase as a compact bar: which day it is, whose turn, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from assessment.models import CapabilityAssessment
from assessment.rules.phases import Standing
from assessment.selectors import phases, reports
from assessment.selectors.phases import ASSESSMENT, LIST, REPORT, Part, ReviewPhase
from pilot import clock
from pilot.actors import Actor
from pilot.models import Programme
from pilot.rules import local_day
from pilot.svg import PALETTE, WIDE, drawing, element, fit_text, for_screens
from pilot.ui import Fact, Link, Section, Tag

HEIGHT: Final = 34
SOON: Final = 2  # working days left from which a share is told as nearly over


def section(actor: Actor, programme: Programme, *, at: datetime | None = None) -> Section:
    """The phase as this official finds it; the ministry also reads what is outstanding in each share."""
    at = at or clock.now()
    return section_of(phases.review(programme, at=at), owed(actor, programme, at=at))


def section_of(phase: ReviewPhase, outstanding: Mapping[str, Owed]) -> Section:
    """The phase with what is outstanding in each share."""
    return Section(
        _("；").join(filter(None, [title(phase), report_words(phase)])),
        facts=[_fact(part, outstanding.get(part.share.key)) for part in phase.parts],
        svg=for_screens(partial(bar, phase)) if phase.parts else "",
        empty="" if phase.parts else _("本项目没有划分审查阶段的工作日"),
    )


def line(phase: ReviewPhase, outstanding: Mapping[str, Owed]) -> str:
    """The phase in one line, with what of it is still owed."""
    left = [owing.link.label for owing in outstanding.values() if owing.number]
    return _("；").join([title(phase), *left])


def title(phase: ReviewPhase) -> str:
    """Which working day of review it is, in words."""
    if phase.standing is Standing.BEFORE:
        return _("审查阶段未开始（共 %(m)s 个工作日）") % {"m": phase.days}
    if phase.standing is Standing.OVER:
        return _("审查阶段已结束（共 %(m)s 个工作日）") % {"m": phase.days}
    words = _("审查阶段第 %(n)s / %(m)s 个工作日") % {"n": phase.day, "m": phase.days}
    return _("%(words)s（今日非工作日）") % {"words": words} if phase.day_off else words


def report_words(phase: ReviewPhase) -> str:
    """How long bureaus still have to report, in words; empty where the programme sets no time."""
    part = phase.part(REPORT)
    if part is None or part.standing is Standing.BEFORE:
        return ""
    if part.standing is Standing.OVER:
        return _("省局报送时限已过")
    return _("省局报送剩余 %(n)s 个工作日") % {"n": part.left}


def bar(phase: ReviewPhase, *, width: int = WIDE) -> SafeString:
    """The shares side by side, as wide as they are long; what has passed is dark."""
    total = sum(part.share.days for part in phase.parts)
    drawn, left = [], 0.0
    for part in phase.parts:
        share = width * part.share.days / total
        label = f"{label_of(part)} {part.day}/{part.share.days}"
        passed = max(share * part.day / part.share.days - 2, 0)
        drawn.append(
            element(
                "g",
                element("title", label),
                element(
                    "rect", x=left, y=22, width=share - 2, height=10, fill=PALETTE.tint, stroke=PALETTE.grid
                ),
                element("rect", x=left, y=22, width=passed, height=10, fill=PALETTE.colour(0)),
                element("text", fit_text(label, share - 6), x=left, y=15),
            )
        )
        left += share
    words = "; ".join(f"{label_of(part)} {part.day}/{part.share.days}" for part in phase.parts)
    return drawing(title(phase), words, width, HEIGHT, *drawn, class_="chart")


def label_of(part: Part) -> str:
    """The name of a share."""
    names = {REPORT: _("省局报送"), ASSESSMENT: _("能力评估"), LIST: _("名单决定")}
    return names[part.share.key]


def _fact(part: Part, outstanding: Owed | None) -> Fact:
    last = local_day(part.share.closes - timedelta(microseconds=1))
    dates = f"{local_day(part.share.opens):%m-%d} ～ {last:%m-%d}"
    return Fact(label_of(part), [_standing(part), *([outstanding.shown] if outstanding else [])], dates)


def _standing(part: Part) -> Tag:
    if part.standing is Standing.BEFORE:
        return Tag(_("未开始"), "muted")
    if part.standing is Standing.OVER:
        return Tag(_("已结束"), "neutral")
    if not part.day:
        return Tag(_("未到首个工作日"), "info")
    words = _("第 %(n)s / %(m)s 个工作日") % {"n": part.day, "m": part.share.days}
    return Tag(words, "warning" if part.left <= SOON else "info")


@dataclass(frozen=True, slots=True)
class Owed:
    """How many things a share still owes, and the way to them."""

    number: int
    link: Link

    @property
    def shown(self) -> Link | str:
        """The way to them; of none the words alone."""
        return self.link if self.number else self.link.label


def owed(
    actor: Actor,
    programme: Programme,
    *,
    at: datetime,
    missing: int | None = None,
    undecided: int | None = None,
) -> dict[str, Owed]:
    """Share → what it still owes, as the ministry reads it: bureaus without a report, assessments without conclusion,
    applicants undecided. Nothing for others. ``missing``, ``undecided``: what a page has counted itself.
    """
    if not actor.is_ministry:
        return {}
    assessments = reverse(f"{CapabilityAssessment.slug()}_list")
    applications = reverse("application_list")
    unconcluded = phases.unconcluded_count(actor)
    if missing is None:
        missing = len(reports.missing(programme, at=at)[0])
    if undecided is None:
        undecided = phases.undecided_count(actor)
    return {
        REPORT: Owed(
            missing,
            Link(_("%(n)s 个省局未报送") % {"n": missing}, f"{reverse('report_inbox')}?standing=missing"),
        ),
        ASSESSMENT: Owed(
            unconcluded,
            Link(_("%(n)s 件评估未结论") % {"n": unconcluded}, f"{assessments}?unconcluded=yes"),
        ),
        LIST: Owed(
            undecided,
            Link(
                _("%(n)s 家未作出决定") % {"n": undecided},
                f"{applications}?state={ApplicationState.REPORTED}",
            ),
        ),
    }
