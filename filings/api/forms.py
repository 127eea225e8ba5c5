"""``/api/v1/forms/`` and ``/api/v1/uploads/``: forms and files in, what became of every row out."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError

from filings.api import bodies, schemas
from filings.api.shapes import job_shape
from filings.intake.decode import ENCODINGS, FileFormat, Row
from filings.intake.records import FileRefused
from filings.intake.request_body import read_json, read_lines
from filings.models import FormRefusal, UploadJob
from filings.services import rejects, spool, submissions, uploads
from filings.services.uploads import FileNotTaken
from pilot.api.views import JSON, NDJSON, KeyView, as_json
from pilot.downloads import as_download
from pilot.services.idempotency import Answer

JOBS_SHOWN: Final = 100
REFUSALS_SHOWN: Final = 1_000


class Forms(KeyView):
    """A few forms at once."""

    accepts = {"POST": schemas.query_names(schemas.FORMS_POST)}

    @extend_schema(**schemas.FORMS_POST)
    def post(self, request: Any) -> HttpResponse:
        """Hand in one form, an array of at most 1,000, or NDJSON; every row is answered."""
        stated = self.media_type(JSON, NDJSON)
        body = self.whole_body()
        trial = self.is_trial()

        def act() -> Answer:
            rows = _rows(body, lines=stated == NDJSON)
            arrived = request._request.arrived_at
            outcome = submissions.submit(
                actor=self.actor, unit=self.unit, rows=rows, received_at=arrived, trial=trial
            )
            return as_json(200, outcome)

        return self.answer_once(content_digest=hashlib.sha256(body).hexdigest(), act=act)


def _rows(body: bytes, *, lines: bool) -> list[Row]:
    try:
        return read_lines(body) if lines else read_json(body)
    except FileRefused as fault:
        raise FileNotTaken(fault) from fault


class Uploads(KeyView):
    """Files of forms."""

    accepts = {"POST": schemas.query_names(schemas.UPLOADS_POST)}

    @extend_schema(**schemas.UPLOADS_GET)
    def get(self, request: Any) -> HttpResponse:
        """The unit's newest jobs, newest first."""
        jobs = UploadJob.objects.visible_to(self.actor).filter(unit=self.unit).order_by("-pk")[:JOBS_SHOWN]
        return _plain(200, {"results": [job_shape(job) for job in jobs]})

    @extend_schema(**schemas.UPLOADS_POST)
    def post(self, request: Any) -> HttpResponse:
        """Hand in a file: 202 with a job, whose address tells how far it is and what became of every row."""
        stated = self.media_type(*bodies.TYPES)
        query = request.query_params
        chosen, encoding = query.get("format"), query.get("encoding", "utf-8")
        if chosen not in {None, *FileFormat}:
            raise ValidationError({"format": [_("应为 ndjson、csv、xlsx 或 v3")]})
        if encoding.lower() not in ENCODINGS:
            raise ValidationError({"encoding": [_("应为 utf-8、gbk 或 gb18030")]})
        trial = self.is_trial()
        self.judge_key()  # before a large file is taken in for nothing
        waiting, called, kind = bodies.take_file(request._request, stated=stated)
        name = query.get("name", called)
        kept: list[UUID] = []

        def act() -> Answer:
            job = uploads.receive_waiting(
                actor=self.actor,
                unit=self.unit,
                waiting=waiting,
                name=name,
                format=chosen or bodies.TYPES.get(kind, ""),
                encoding=encoding,
                arrived_at=request._request.arrived_at,
                dry_run=trial,
            )
            kept.append(job.case_key)
            return as_json(202, job_shape(job), location=address_of(job))

        try:
            return self.answer_once(content_digest=f"{waiting.spooled.sha256} {kind} {name}", act=act)
        finally:
            if not kept:  # a replay, or refused before the job was there
                spool.remove(waiting.key)


class Upload(KeyView):
    """One job."""

    @extend_schema(**schemas.UPLOAD_GET)
    def get(self, request: Any, key: UUID) -> HttpResponse:
        """How far a job is, and its first refused rows with their errors."""
        job = _job(self, key)
        # nosemgrep: unscoped-in-a-view  (the job itself was asked for as the caller sees it)
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
        if not rejects.obtainable(job):
            raise Http404
        response = StreamingHttpResponse(
            rejects.content(job, get_language() or "zh"), content_type="application/octet-stream"
        )
        name = f"rejects-{job.case_key}.{'xml' if job.format == FileFormat.V3 else job.format}"
        return as_download(response, name)


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
