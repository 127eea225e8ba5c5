"""What the lists of the run phase share: the way home and the page of a list that an address asks for."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from pilot.ui import Link

PAGE_SIZES = (10, 20, 50, 100)
DEFAULT_SIZE = 20


def home() -> Link:
    """The way to the first page."""
    return Link(_("首页"), reverse("home"))


def page_of(request: HttpRequest, rows: Any, *, total: int | None = None) -> Any:
    """The page of a list that the address asks for, of the size it asks for. ``total``: how many rows there are, for
    whom counting them would take too long."""
    size = request.GET.get("size", "")
    chosen = int(size) if size.isdigit() and int(size) in PAGE_SIZES else DEFAULT_SIZE
    paginator = Paginator(rows, chosen)
    if total is not None:
        paginator.count = total
    return paginator.get_page(request.GET.get("page"))
