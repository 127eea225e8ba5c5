"""The download of a file."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from applications.models import ApplicationFile
from applications.services import files


@require_safe
def application_file(request: Any, pk: int) -> HttpResponse:
    """A file of an application this actor may see, always as an attachment and never run in the portal's origin."""
    file = ApplicationFile.objects.visible_to(request.actor).filter(pk=pk).first()
    if file is None:
        raise Http404
    response = HttpResponse(files.read_file(file=file, actor=request.actor), content_type=file.content_type)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
