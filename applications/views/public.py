"""Pages of intake that need no login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.pages import receipt_check as check_page


@require_safe
def receipt_check(request: HttpRequest, code: str = "") -> HttpResponse:
    """Check a receipt by its code, typed in or scanned. A code nobody has is answered like any other page."""
    code = code or request.GET.get("code", "")
    return render(request, "applications/receipt_check.html", {"page": check_page.page(code[:64].strip())})
