"""Before the bureau's word: what it rests on, above the form in which it is given (R03)."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.models import Application
from applications.pages import case as case_page
from applications.selectors import review
from applications.transitions import HOLD
from pilot import clock
from pilot.actors import Actor
from pilot.selectors import programmes
from pilot.ui import Fact, Link, Section, Tag


def what_it_rests_on(case: Application, actor: Actor) -> list[Section]:
    """The running clock, how far the checklist is, and how long the word can be taken back."""
    standing = review.standing(case)
    return [
        Section(
            _("办理依据"),
            facts=[
                Fact(_("受理期限"), case_page.due_day(case), _left(case)),
                Fact(_("审核清单"), list(_marked(case, standing))),
                Fact(_("不符合的项目"), [str(item.words) for item in standing.not_met] or _("无")),
                Fact(_("误操作"), _time_to_take_back(case)),
            ],
        )
    ]


def _left(case: Application) -> str:
    if case.due_at is None:
        return ""
    now = clock.now()
    if now >= case.due_at:
        return _("已逾期")
    left = programmes.working_days_left(case.programme, now=now, due=case.due_at)
    return _("还有 %(n)s 个工作日") % {"n": left}


def _marked(case: Application, standing: review.Standing) -> Iterator[Link | Tag]:
    """How many items are marked, with the way to them, and a warning while some are not."""
    every, left = len(review.items(case)), len(standing.unmarked)
    words = _("已审 %(done)s 项，未审 %(left)s 项") % {"done": every - left, "left": left}
    yield Link(words, reverse("application_review", args=[case.pk]))
    if left:
        yield Tag(_("审核清单尚未审完，请先核对材料"), "warning")


def _time_to_take_back(case: Application) -> str:
    seconds = min(programmes.rule(case.programme, "revert_seconds") or 0, int(HOLD.total_seconds()))
    return _("办理后 %(n)s 秒内本人可撤销") % {"n": seconds} if seconds else _("办理后不能撤销")
