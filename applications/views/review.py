"""The reviewer's desk: one application, its files beside the checklist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from applications.models import Application
from applications.pages import review as page
from applications.selectors import review as selector
from applications.services import claims, review
from applications.services.review import Given
from applications.views.common import application_or_404
from applications.views.viewer import record_opening
from pilot.errors import PilotError
from pilot.forms import whole_number


@require_http_methods(["GET", "HEAD", "POST"])
def application_review(request: Any, pk: int) -> HttpResponse:
    """Look and mark. A post keeps the marks of the checklist (all of it, or the items named in ``only``)."""
    case = application_or_404(request, pk)
    if request.method == "POST":
        return _keep_marks(request, case)
    claims.touch(case=case, actor=request.actor)
    desk = page.build(case, request.actor, request.GET)
    if desk.viewer.file is not None and desk.viewer.shown:
        record_opening(request, desk.viewer.file)
    return render(request, "applications/review.html", {"page": desk})


@require_POST
def application_claim(request: Any, pk: int) -> HttpResponse:
    """Take the application on the desk (``act=claim``), put it back (``release``), give a sign of life (``touch``)."""
    case = application_or_404(request, pk)
    match request.POST.get("act"):
        case "claim":
            _told(request, lambda: claims.claim(case=case, actor=request.actor), _("已认领"))
        case "release":
            _told(request, lambda: claims.release(case=case, actor=request.actor), _("已释放"))
        case "touch":
            claims.touch(case=case, actor=request.actor)
            return HttpResponse(status=204)
        case _:
            raise Http404
    return _back(request, pk)


def _keep_marks(request: Any, case: Application) -> HttpResponse:
    only, seen = request.POST.getlist("only"), whole_number(request.POST.get("version", ""))
    given = [_given(request.POST, item.key) for item in selector.items(case) if not only or item.key in only]
    _told(
        request,
        lambda: review.mark(case=case, actor=request.actor, given=given, version=seen or 0),
        _("已保存"),
    )
    return _back(request, case.pk)


def _given(data: QueryDict, key: str) -> Given:
    return Given(
        item=key,
        mark=data.get(f"mark-{key}", ""),
        text=data.get(f"text-{key}", "").strip() or data.get(f"phrase-{key}", ""),
        file=whole_number(data.get(f"file-{key}", "")),
        page=whole_number(data.get(f"page-{key}", "")),
    )


def _told(request: Any, act: Any, done: str) -> None:
    try:
        act()
    except PilotError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, done)


def _back(request: Any, pk: int) -> HttpResponse:
    """To the page as it was looked at: the same file, page and list."""
    carried: Mapping[str, str] = {key: value for key in page.CARRIED if (value := request.POST.get(key, ""))}
    query = f"?{urlencode(carried)}" if carried else ""
    return redirect(reverse("application_review", args=[pk]) + query)
