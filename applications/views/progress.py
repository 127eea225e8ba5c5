"""The provider follows its application."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.pages import progress as page
from applications.views.common import application_or_404
from pilot import clock


@require_safe
def application_progress(request: Any, pk: int) -> HttpResponse:
    """Step bar, timeline, what is expected when, and how to urge or withdraw (P10)."""
    case = application_or_404(request, pk)
    shown = page.progress_page(case, request.actor, at=clock.now())
    return render(request, "applications/progress.html", {"page": shown})
