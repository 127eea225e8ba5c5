"""Two provinces or two lists side by side."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assessment.pages import comparison


@require_safe
def comparison_page(request: Any) -> HttpResponse:
    """What is compared stands in the address, so that it can be sent to a colleague."""
    page = comparison.page(request.actor, request.GET.dict())
    return render(request, "assessment/comparison.html", {"page": page})
