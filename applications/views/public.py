"""Pages and papers of intake that need no login."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.pages import receipt_check as check_page
from applications.rules.materials import materials_of
from applications.validators.files import PDF
from applications.writers.samples import sample
from pilot.selectors import programmes
from pilot.views.shell import file_response


@require_safe
def receipt_check(request: HttpRequest, code: str = "") -> HttpResponse:
    """Check a receipt by its code, typed in or scanned. A code nobody has is answered like any other page."""
    code = code or request.GET.get("code", "")
    return render(request, "applications/receipt_check.html", {"page": check_page.page(code[:64].strip())})


@require_safe
def material_sample(request: HttpRequest, kind: str) -> HttpResponse:
    """The sample of a kind of material, as the guide offers it. A kind that the programme does not know is a 404."""
    programme = programmes.current()
    material = materials_of(programme.code).kinds.get(kind)
    if material is None:
        raise Http404
    return file_response(sample(programme, material), PDF, f"{material.title}.pdf")
