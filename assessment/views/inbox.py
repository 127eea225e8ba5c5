"""The ministry's inbox of provincial reports."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessment.pages import inbox
from pilot import clock
from pilot.selectors import programmes


@require_safe
def report_inbox(request: Any) -> HttpResponse:
    """All bureaus in the official order: what came, what is late, what is still to come."""
    standing = request.GET.get("standing", "")
    page = inbox.page(request.actor, programmes.current(), now=clock.now(), standing=standing)
    return render(request, "assessment/report_inbox.html", {"page": page})
