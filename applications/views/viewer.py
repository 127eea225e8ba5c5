"""Pages of uploaded files as pictures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from applications.models import ApplicationFile
from applications.services import drawing, viewing
from pilot import clock
from pilot.downloads import SANDBOX
from pilot.forms import whole_number

OPENED_KEY: Final = "opened_files"
OPENING: Final = timedelta(minutes=30)  # a file looked at again after this is opened again


@require_safe
def application_page(request: Any, pk: int, page: int) -> HttpResponse:
    """One page of a file this actor may see, as PNG: ``?zoom=``, ``?turn=`` from closed sets, ``?q=`` marked."""
    file = ApplicationFile.objects.visible_to(request.actor).filter(pk=pk).first()
    if file is None:
        raise Http404
    picture = viewing.picture(
        file=file,
        actor=request.actor,
        page=page,
        zoom=chosen(request.GET.get("zoom"), drawing.ZOOMS, 100),
        turn=chosen(request.GET.get("turn"), drawing.TURNS, 0),
        find=request.GET.get("q", ""),
    )
    record_opening(request, file)
    response = HttpResponse(picture, content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    return response


def chosen(value: str | None, offered: tuple[int, ...], otherwise: int) -> int:
    """The value of a closed set that an address asks for; anything else is the usual one."""
    number = whole_number(value or "")
    return number if number in offered else otherwise


def record_opening(request: Any, file: ApplicationFile) -> None:
    """Put the reading on record, once while the file stays open in this session."""
    now = clock.security_now()
    opened = {
        key: at
        for key, at in request.session.get(OPENED_KEY, {}).items()
        if now - datetime.fromisoformat(at) < OPENING
    }
    if str(file.pk) in opened:
        return
    viewing.record_opening(file=file, actor=request.actor)
    request.session[OPENED_KEY] = {**opened, str(file.pk): now.isoformat()}
