"""Files that leave the portal: the refused rows of an upload job."""

from __future__ import annotations

from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from filings.intake.decode import FileFormat
from filings.models import UploadJob
from filings.services import rejects

ENDINGS = {FileFormat.V3: "xml"}


@require_safe
def refused_rows(request: Any, pk: int) -> StreamingHttpResponse:
    """The refused rows of a job as a file of its own format; 404 once they are no longer kept."""
    job = UploadJob.objects.visible_to(request.actor).select_related("unit").filter(pk=pk).first()
    if job is None or not rejects.available(job):
        raise Http404
    name = f"rejects-{job.pk}.{ENDINGS.get(FileFormat(job.format), job.format)}"
    response = StreamingHttpResponse(
        rejects.content(job, get_language() or "zh"), content_type="application/octet-stream"
    )
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
