"""What the lists of the run phase share: the way home."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from pilot.ui import Link


def home() -> Link:
    """The way to the first page."""
    return Link(_("首页"), reverse("home"))
