"""Files that leave the portal: the refused rows of an upload job, and the templates to begin with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from filings import samples
from filings.intake.decode import FileFormat
from filings.models import UploadJob
from filings.services import rejects, uploads
from pilot.downloads import as_download


@require_safe
def refused_rows(request: Any, pk: int) -> StreamingHttpResponse:
    """The refused rows of a job as a file of its own format; 404 once they are no longer kept."""
    job = UploadJob.objects.visible_to(request.actor).select_related("unit").filter(pk=pk).first()
    if job is None or not rejects.available(job):
        raise Http404
    name = f"rejects-{job.pk}.{samples.ENDINGS.get(FileFormat(job.format), job.format)}"
    return _file(rejects.content(job, get_language() or "zh"), name)


@require_safe
def template(request: Any, kind: str) -> StreamingHttpResponse:
    """A file to begin with, of one format, with one example."""
    try:
        file_format = FileFormat(kind)
    except ValueError:
        raise Http404 from None
    content = samples.content(file_format, uploads.unit_of(request.actor))
    return _file([content], samples.file_name(file_format))


def _file(content: Iterable[bytes], name: str) -> StreamingHttpResponse:
    """Content to be saved, which no browser opens by itself."""
    response = StreamingHttpResponse(content, content_type="application/octet-stream")
    return as_download(response, name)
