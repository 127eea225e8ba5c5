"""The files of an application: the provider's page of them, and the download."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.forms.files import FileForm
from applications.models import Application, ApplicationFile
from applications.pages import files as page
from applications.services import files
from applications.views.common import application_or_404
from pilot import clock
from pilot.downloads import as_download
from pilot.errors import Refused


@require_http_methods(["GET", "HEAD", "POST"])
def application_files(request: Any, pk: int) -> HttpResponse:
    """All materials of an application. A post hands over files of one kind, without JavaScript."""
    case = application_or_404(request, pk)
    errors = _take(request, case) if request.method == "POST" else {}
    if request.method == "POST" and not errors:
        return redirect("application_files", pk)
    built = page.build(case, request.actor, at=clock.now(), errors=errors)
    return render(request, "applications/files.html", {"page": built}, status=422 if errors else 200)


def _take(request: Any, case: Application) -> dict[str, str]:
    """Keep what was sent; returns kind → why a file was refused. Files before the refused one are kept."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return {
            request.POST.get("kind", ""): " ".join(str(e) for found in form.errors.values() for e in found)
        }
    kind = form.cleaned_data["kind"]
    for upload in form.cleaned_data["uploads"]:
        try:
            file = files.add_file(case=case, actor=request.actor, kind=kind, upload=upload)
        except Refused as refusal:
            return {kind: _("%(name)s：%(reason)s") % {"name": upload.name, "reason": refusal.message}}
        messages.success(request, _("已上传：%(name)s") % {"name": file.name})
    return {}


@require_POST
def application_file_remove(request: Any, pk: int, file: int) -> HttpResponse:
    """Take a file out of what will be handed in."""
    case = application_or_404(request, pk)
    found = ApplicationFile.objects.visible_to(request.actor).filter(application=case, pk=file).first()
    if found is None:
        raise Http404
    files.remove_file(file=found, actor=request.actor)
    messages.success(request, _("已移除：%(name)s") % {"name": found.name})
    return redirect("application_files", pk)


@require_safe
def application_file(request: Any, pk: int) -> HttpResponse:
    """A file of an application this actor may see, always as an attachment and never run in the portal's origin."""
    file = ApplicationFile.objects.visible_to(request.actor).filter(pk=pk).first()
    if file is None:
        raise Http404
    response = HttpResponse(files.read_file(file=file, actor=request.actor), content_type=file.content_type)
    return as_download(response, file.name)
