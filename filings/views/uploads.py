"""Handing in a file of forms in the browser, whole or in pieces, and the page of what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from filings.models import UploadJob, VerificationForm
from filings.pages import upload_result
from filings.pages.upload_form import ChoicesForm
from filings.receiving import SpoolHandler
from filings.selectors import forms
from filings.services import pieces, trials
from filings.views.common import home
from pilot.errors import Refused
from pilot.masking import own_in_full
from pilot.pieces import WrongOffset
from pilot.registry import pages_of
from pilot.ui import Link, PlainPage
from pilot.views import cases
from pilot.views import pieces as answers
from pilot.views.paging import page_of


# nosemgrep: csrf-exempt
@csrf_exempt  # who reads the token first reads the whole file with it; it is asked for below, behind our handler
def upload_create(request: Any, slug: str) -> HttpResponse:
    """The page to hand in a file, and a plain form's way to do it: the file goes into the spool as it arrives."""
    handler = SpoolHandler(request)
    request.upload_handlers = [handler]
    try:
        return _created(request, slug)
    finally:
        handler.drop()


@csrf_protect
def _created(request: Any, slug: str) -> HttpResponse:
    return cases.case_create(request, slug)


# --- in pieces ----------------------------------------------------------------------------------------
@require_POST
def pieces_begin(request: Any) -> HttpResponse:
    """Begin, or find again: ``name``, ``size`` in bytes, ``modified``; the answer says where the pieces go."""
    upload = pieces.begin(
        actor=request.actor,
        name=request.POST.get("name", ""),
        size=answers.number(request.POST.get("size", "")),
        modified=request.POST.get("modified", ""),
    )
    return _standing(upload, status=201)


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def piece(request: Any, key: str) -> HttpResponse:
    """GET: how much has come. POST: the piece that begins at byte ``Upload-Offset``. DELETE: give it up."""
    upload = _upload(request, key)
    if request.method == "DELETE":
        pieces.cancel(actor=request.actor, key=upload.key)
        return HttpResponse(status=204)
    if request.method == "POST":
        offset = answers.offset_of(request)
        try:
            upload = pieces.append(actor=request.actor, key=upload.key, offset=offset, piece=request.body)
        except WrongOffset as wrong:
            return answers.wrong_offset(request, wrong)
    return _standing(upload)


@require_POST
def pieces_finish(request: Any, key: str) -> HttpResponse:
    """Hand in what has come, with the choices of the form; says where the job is shown, also when asked again."""
    form = ChoicesForm(request.POST, actor=request.actor)
    if not form.is_valid():
        _upload(request, key)  # whoever asks for another's is told of no choice, but that there is nothing
        raise Refused(" ".join(str(error) for errors in form.errors.values() for error in errors))
    try:
        job = pieces.finish(
            actor=request.actor, key=_key(key), arrived_at=request.arrived_at, **form.cleaned_data
        )
    except WrongOffset as wrong:
        return answers.wrong_offset(request, wrong)
    except pieces.Gone:
        raise Http404 from None
    messages.success(request, _("已提交：%(what)s") % {"what": pages_of(job.slug()).label})
    return JsonResponse({"url": reverse("upload-job_detail", args=[job.pk])})


def _upload(request: Any, key: str) -> pieces.Upload:
    upload = pieces.find(actor=request.actor, key=_key(key))
    if upload is None:
        raise Http404
    return upload


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _standing(upload: pieces.Upload, *, status: int = 200) -> HttpResponse:
    return answers.standing(
        received=upload.received,
        size=upload.about.size,
        url=reverse("upload-job_piece", args=[upload.key]),
        finish=reverse("upload-job_finish", args=[upload.key]),
        status=status,
    )


# --- what became of it ----------------------------------------------------------------------------------
@require_safe
def upload_detail(request: Any, slug: str, pk: int) -> HttpResponse:
    """A job: how far it is, then what became of every row."""
    pages = pages_of(slug)
    job = cases.visible_case(request, pages, pk)
    parts = upload_result.result(job, request.actor, request.GET)
    page = own_in_full(cases.detail_page(request, pages, job), request.actor.person_id)
    return render(request, "filings/upload_job.html", {"page": page, "job": parts})


@require_safe
def upload_progress(request: Any, pk: int) -> HttpResponse:
    """How far a job is: the part of its page that refreshes itself."""
    progress = upload_result.progress(_job(request, pk), request.actor)
    return render(request, "filings/upload_progress.html", {"progress": progress})


@require_safe
def upload_repeats(request: Any, pk: int) -> HttpResponse:
    """The rows of a job that repeat what was handed in before, with line and form number."""
    job = _job(request, pk)
    page = page_of(job.repeats.order_by("row"), request.GET)
    numbers = [repeat.form_no for repeat in page.object_list]
    stored = VerificationForm.objects.visible_to(request.actor).filter(unit=job.unit_id, form_no__in=numbers)
    toolbar = []
    if page.has_next():
        toolbar.append(Link(_("下一页"), f"{request.path}?page={page.next_page_number()}", "arrow-right"))
    shown = PlainPage(
        title=_("%(number)s：重复 %(count)s 行") % {"number": job.number, "count": f"{job.duplicates:,}"},
        crumbs=[home(), Link(job.number, reverse("upload-job_detail", args=[job.pk]))],
        sections=[upload_result.repeats(page.object_list, dict(stored.values_list("form_no", "pk")))],
        toolbar=toolbar,
    )
    return render(request, "pages/plain.html", {"page": shown})


@require_POST
def upload_submit(request: Any, pk: int) -> HttpResponse:
    """Hand in for real the file of a dry run."""
    real = trials.submit(actor=request.actor, job=_job(request, pk), arrived_at=request.arrived_at)
    messages.success(request, _("已提交：%(what)s") % {"what": pages_of(real.slug()).label})
    return redirect("upload-job_detail", real.pk)


def _job(request: Any, pk: int) -> UploadJob:
    rows = UploadJob.objects.visible_to(request.actor).annotate(came_late=forms.came_late())
    job: UploadJob | None = rows.filter(pk=pk).first()
    if job is None:
        raise Http404
    return job
