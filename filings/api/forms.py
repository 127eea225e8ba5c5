"""``/api/v1/forms/`` and ``/api/v1/uploads/``: forms and files in, what became of every row out."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError

from filings.api import schemas
from filings.api.shapes import job_shape
from filings.intake.decode import ENCODINGS, FileFormat
from filings.intake.records import FileRefused, RawRow
from filings.intake.request_body import read_json, read_lines
from filings.models import FormRefusal, UploadJob
from filings.services import rejects, spool, submissions, uploads
from filings.services.uploads import FileNotTaken
from pilot.api.views import JSON, NDJSON, KeyView, as_json
from pilot.errors import PilotError
from pilot.services.idempotency import Answer

LARGEST_FILE: Final = 2 * 1024**3
JOBS_SHOWN: Final = 100
REFUSALS_SHOWN: Final = 1_000
TYPES: Final = {
    NDJSON: FileFormat.NDJSON,
    "text/csv": FileFormat.CSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileFormat.XLSX,
    "application/xml": FileFormat.V3,
    "text/xml": FileFormat.V3,
}
"""Content type → format. Packed files and ``application/octet-stream`` are told by ``format`` or by their content."""
UNTOLD: Final = ("application/octet-stream", "application/gzip", "application/zip")


class TooLarge(PilotError):
    """A file over 2 GB."""

    status = 413
    code = "too.large"


class Forms(KeyView):
    """A few forms at once."""

    @extend_schema(**schemas.FORMS_POST)
    def post(self, request: Any) -> HttpResponse:
        """Hand in one form, an array of at most 1,000, or NDJSON; every row is answered."""
        stated = self.media_type(JSON, NDJSON)
        body = request._request.body
        trial = self.is_trial()

        def act() -> Answer:
            rows = _rows(body, lines=stated == NDJSON)
            arrived = request._request.arrived_at
            outcome = submissions.submit(
                actor=self.actor, unit=self.unit, rows=rows, received_at=arrived, trial=trial
            )
            return as_json(200, outcome)

        return self.answer_once(content_digest=hashlib.sha256(body).hexdigest(), act=act)


def _rows(body: bytes, *, lines: bool) -> list[RawRow]:
    try:
        return read_lines(body) if lines else read_json(body)
    except FileRefused as fault:
        raise FileNotTaken(fault) from fault


class Bounded:
    """The body of a request as it arrives, up to the largest file taken."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._left = LARGEST_FILE

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; raises :class:`TooLarge` beyond the limit."""
        piece: bytes = self._request.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge(_("文件超过 %(gb)s GB") % {"gb": LARGEST_FILE // 1024**3})
        return piece


class Uploads(KeyView):
    """Files of forms."""

    @extend_schema(**schemas.UPLOADS_GET)
    def get(self, request: Any) -> HttpResponse:
        """The unit's newest jobs, newest first."""
        jobs = UploadJob.objects.visible_to(self.actor).filter(unit=self.unit).order_by("-pk")[:JOBS_SHOWN]
        return _plain(200, {"results": [job_shape(job) for job in jobs]})

    @extend_schema(**schemas.UPLOADS_POST)
    def post(self, request: Any) -> HttpResponse:
        """Hand in a file: 202 with a job, whose address tells how far it is and what became of every row."""
        stated = self.media_type(*TYPES, *UNTOLD)
        query = request.query_params
        chosen = query.get("format") or TYPES.get(stated, "")
        encoding = query.get("encoding", "utf-8")
        if chosen not in {"", *FileFormat}:
            raise ValidationError({"format": [_("应为 ndjson、csv、xlsx 或 v3")]})
        if encoding.lower() not in ENCODINGS:
            raise ValidationError({"encoding": [_("应为 utf-8、gbk 或 gb18030")]})
        trial = self.is_trial()
        waiting = uploads.take_in(Bounded(request._request))
        kept: list[UUID] = []

        def act() -> Answer:
            job = uploads.receive_waiting(
                actor=self.actor,
                unit=self.unit,
                waiting=waiting,
                name=query.get("name", ""),
                format=chosen,
                encoding=encoding,
                arrived_at=request._request.arrived_at,
                dry_run=trial,
            )
            kept.append(job.case_key)
            return as_json(202, job_shape(job), location=address_of(job))

        try:
            return self.answer_once(content_digest=waiting.spooled.sha256, act=act)
        finally:
            if not kept:  # a replay, or refused before the job was there
                spool.remove(waiting.key)


class Upload(KeyView):
    """One job."""

    @extend_schema(**schemas.UPLOAD_GET)
    def get(self, request: Any, key: UUID) -> HttpResponse:
        """How far a job is, and its first refused rows with their errors."""
        job = _job(self, key)
        refusals = FormRefusal.unscoped.filter(job=job).order_by("row")[:REFUSALS_SHOWN]
        language = get_language() or "zh"
        rejected = [rejects.as_dict(refusal, language) for refusal in refusals]
        return _plain(200, job_shape(job) | {"rejected": rejected})


class Rejects(KeyView):
    """The refused rows of a job."""

    @extend_schema(**schemas.REJECTS_GET)
    def get(self, request: Any, key: UUID) -> StreamingHttpResponse:
        """The refused rows as a file of the format they came in, with their errors; kept for 30 days."""
        job = _job(self, key)
        if not rejects.available(job):
            raise Http404
        response = StreamingHttpResponse(
            rejects.content(job, get_language() or "zh"), content_type="application/octet-stream"
        )
        name = f"rejects-{job.case_key}.{'xml' if job.format == FileFormat.V3 else job.format}"
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
        return response


def address_of(job: UploadJob) -> str:
    """Where a job is asked for."""
    return reverse("api_upload", args=[job.case_key])


def _job(view: KeyView, key: UUID) -> UploadJob:
    job: UploadJob | None = (
        UploadJob.objects.visible_to(view.actor)
        .select_related("unit")
        .filter(unit=view.unit, case_key=key)
        .first()
    )
    if job is None:
        raise Http404
    return job


def _plain(status: int, content: Any) -> HttpResponse:
    answer = as_json(status, content)
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
