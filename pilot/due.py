"""How near a deadline is, in words and tone: one way for lists, the pages of the cases, and the first page.

Ends are half-open; people read the last day or moment before them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from pilot import clock
from pilot.rules import last_moment, local_day
from pilot.ui import Tag

NEAR: Final = timedelta(days=3)


def mark(end: datetime) -> Tag | None:
    """That a deadline has passed, or how near it is; None while it is far."""
    now = clock.now()
    if end <= now:
        return Tag(_("已逾期"), "danger")
    if end - now > NEAR:
        return None
    days = (local_day(last_moment(end)) - local_day(now)).days
    return Tag(_("还有 %(n)s 天") % {"n": days} if days else _("今日到期"), "warning")


def cell(end: datetime | None, *, words: str = "%(day)s") -> date | Tag | str | None:
    """A deadline in a list: its last day, marked when it is near. ``words`` stand around the day."""
    if end is None:
        return None
    last, near = local_day(last_moment(end)), mark(end)
    told = words % {"day": last.isoformat()}
    if near:
        return Tag(f"{told} {near.label}", near.tone)
    return last if words == "%(day)s" else told
