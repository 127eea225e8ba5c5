"""催办 from the page on which the applicant follows its application."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from applications.models import Application
from applications.services import urges
from pilot.errors import Refused


@require_POST
def application_urge(request: Any, pk: int) -> HttpResponse:
    """Urge those who have the application; back on the progress page the answer stands in words."""
    case = Application.objects.visible_to(request.actor).filter(pk=pk).first()
    if case is None:
        raise Http404
    try:
        urges.urge(case=case, actor=request.actor)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("已催办，办理机关将收到提醒"))
    return redirect("application_progress", pk)
