"""The application form as files: blank ones for everybody, filled ones for the applicant, and reading them back."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from applications.forms.prefill import PrefillForm
from applications.models import Application
from applications.pages.prefill import prefill_page
from applications.selectors.content import current_content
from applications.services.drafts import editing_obstacle
from applications.services.prefill import Taken, take
from applications.validators.files import PDF, XLSX, check_size
from applications.views.common import application_or_404
from applications.writers.form_pdf import blank_form, form_with
from applications.writers.form_xlsx import form_xlsx
from pilot import clock
from pilot.downloads import as_download
from pilot.errors import Refused
from pilot.selectors import programmes


@require_safe
def application_form_pdf(request: Any) -> HttpResponse:
    """The blank form as a fillable PDF."""
    return _file(blank_form(programmes.current()), PDF, "申请表.pdf")


@require_safe
def application_form_xlsx(request: Any) -> HttpResponse:
    """The blank form as a workbook."""
    return _file(form_xlsx(programmes.current()), XLSX, "申请表.xlsx")


@require_safe
def application_prefill_pdf(request: Any, pk: int) -> HttpResponse:
    """The fillable PDF with what the record holds."""
    case = application_or_404(request, pk)
    return _file(form_with(case.programme, current_content(case)), PDF, "申请表.pdf")


@require_safe
def application_prefill_xlsx(request: Any, pk: int) -> HttpResponse:
    """The workbook with what the record holds."""
    case = application_or_404(request, pk)
    return _file(form_xlsx(case.programme, current_content(case)), XLSX, "申请表.xlsx")


@require_http_methods(["GET", "HEAD", "POST"])
def application_prefill(request: Any, pk: int) -> HttpResponse:
    """The three ways, and reading a filled-in form back (P06). Nothing is written into the record here."""
    case = application_or_404(request, pk)
    form, taken = PrefillForm(), None
    if request.method == "POST":
        form = PrefillForm(request.POST, request.FILES)
        taken = _taken(form, case, request.actor)
    obstacle = editing_obstacle(case, request.actor) or ""
    page = prefill_page(case, form=form, obstacle=obstacle, at=clock.now(), taken=taken)
    status = 422 if form.errors else 200
    return render(request, "applications/prefill.html", {"page": page}, status=status)


def _taken(form: PrefillForm, case: Application, actor: Any) -> Taken | None:
    """What became of the file; None, with the reason beside the control, when it is refused."""
    if not form.is_valid():
        return None
    upload = form.cleaned_data["upload"]
    try:
        check_size(upload.size)  # before it is read into memory
        return take(case=case, actor=actor, content=upload.read(), name=upload.name)
    except Refused as refusal:
        form.add_error("upload", str(refusal.message))
        return None


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    return as_download(HttpResponse(content, content_type=content_type), name)
