"""Parts that several machines of this app show alike."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from pilot.enums import Province
from pilot.registry import Group
from pilot.ui import Tag

REVIEW_GROUP = Group.REVIEW
BLANK = "\N{NO-BREAK SPACE}"
"""A cell that has nothing to say, in a line of totals; "--" would read as if something were missing."""


def province(code: int) -> str:
    """The name of a province."""
    return str(Province(code).label)


def application_url(application_id: int) -> str:
    """The address of an application's page."""
    return reverse("application_detail", args=[application_id])


def recommendation(recommended: bool | None) -> Tag | None:
    """A bureau's recommendation as a tag."""
    if recommended is None:
        return None
    return Tag(_("同意推荐"), "success") if recommended else Tag(_("不同意推荐"), "danger")


def listing(listed: bool) -> Tag:
    """A decision of an approval list as a tag."""
    return Tag(_("列入名单"), "success") if listed else Tag(_("不列入"), "danger")
