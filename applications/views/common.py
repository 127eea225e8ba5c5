"""What every page of an application begins with."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from applications.models import Application


def application_or_404(request: Any, pk: int) -> Application:
    """The application, or 404 when it does not exist for this actor."""
    rows = Application.objects.visible_to(request.actor).select_related("provider", "programme")
    case: Application | None = rows.filter(pk=pk).first()
    if case is None:
        raise Http404
    return case
