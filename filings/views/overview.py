"""A province's page: between the nation's first page and a unit's."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from filings.pages import overview
from filings.pages.province import board_of
from filings.selectors.units import unit_views
from filings.views.common import home
from pilot.enums import Province


@require_safe
def province_page(request: Any, province: int) -> HttpResponse:
    """The figures of a province's subjects, unit by unit; each number opens the forms it counts."""
    if province not in Province or not overview.may_open(request.actor, province):
        raise Http404
    views = unit_views(request.actor, province=province)
    page = board_of(request.actor, province, views)
    page.crumbs = [home()]
    return render(request, "pages/dashboard.html", {"page": page})
