"""Taking back what was just done, in sight while it is possible (R06)."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.models import Application
from applications.selectors import cases
from applications.transitions import time_to_take_back
from pilot import clock, workflow
from pilot.actors import Actor
from pilot.ui import Fact, Link, Section


def seconds_left(case: Application, actor: Actor) -> int | None:
    """How many seconds this actor can still take back the last act; None when it cannot be."""
    now = clock.now()
    if not actor.is_bureau or workflow.why_not(case, "revert", actor=actor, at=now):
        return None
    return int(time_to_take_back(case, cases.last_step(case), now).total_seconds())


def undo(case: Application, actor: Actor) -> Section | None:
    """What can be taken back, and for how many seconds; None when nothing can."""
    left = seconds_left(case, actor)
    if left is None:
        return None
    last = cases.last_step(case)
    way = Link(_("撤销操作"), reverse("application_act", args=[case.pk, "revert"]))
    return Section(
        _("刚刚办理，可以撤销"),
        facts=[
            Fact(_("已办理"), str(workflow.label(Application, last.name))),
            Fact(_("撤销"), way, hint=_("还有 %(n)s 秒") % {"n": left}),
        ],
        note=_("撤销后回到待受理，通知不会发出；已生成的文书留存备查"),
    )
