"""Uploads in pieces, for the page's script: JSON in both directions, refusals as problem documents (RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from applications.models import PartialUpload
from applications.pages import files as page
from applications.services import uploads
from applications.views.common import application_or_404
from pilot.pieces import WrongOffset
from pilot.views import pieces


@require_POST
def application_upload_begin(request: Any, pk: int) -> HttpResponse:
    """Begin: ``kind``, ``name``, ``size`` in bytes; the answer says where the pieces go."""
    case = application_or_404(request, pk)
    upload = uploads.begin(
        case=case,
        actor=request.actor,
        kind=request.POST.get("kind", ""),
        name=request.POST.get("name", ""),
        size=pieces.number(request.POST.get("size", "")),
    )
    return _standing(upload, status=201)


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def application_upload(request: Any, token: str) -> HttpResponse:
    """GET: how much has come. POST: the piece that begins at byte ``Upload-Offset``. DELETE: give it up."""
    upload = _upload(request, token)
    if request.method == "DELETE":
        uploads.cancel(upload=upload, actor=request.actor)
        return HttpResponse(status=204)
    if request.method == "POST":
        offset = pieces.offset_of(request)
        try:
            upload = uploads.append(upload=upload, actor=request.actor, offset=offset, chunk=request.body)
        except WrongOffset as wrong:
            return pieces.wrong_offset(request, wrong)
    return _standing(upload)


@require_POST
def application_upload_finish(request: Any, token: str) -> HttpResponse:
    """Have the whole file checked and kept; the answer holds the card of its kind as it stands now."""
    upload = _upload(request, token)
    try:
        file = uploads.finish(upload=upload, actor=request.actor)
    except WrongOffset as wrong:
        return pieces.wrong_offset(request, wrong)
    card = page.card(upload.application, request.actor, upload.kind)
    html = render_to_string("applications/file_rows.html", {"card": card}, request=request)
    return JsonResponse({"file": file.pk, "sha256": file.sha256, "rows": html})


def _upload(request: Any, token: str) -> PartialUpload:
    rows = PartialUpload.objects.visible_to(request.actor)
    upload: PartialUpload | None = (
        rows.filter(token=token).select_related("application__provider", "application__programme").first()
    )
    if upload is None:
        raise Http404
    return upload


def _standing(upload: PartialUpload, *, status: int = 200) -> HttpResponse:
    return pieces.standing(
        received=upload.received,
        size=upload.size,
        url=reverse("application_upload", args=[upload.token]),
        finish=reverse("application_upload_finish", args=[upload.token]),
        status=status,
    )
