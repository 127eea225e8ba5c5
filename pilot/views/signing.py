"""What is about to be signed, for the page that asks again who it is (P11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from pilot import workflow
from pilot.machines import declared
from pilot.registry import pages_of
from pilot.ui import Fact
from pilot.views.listing import visible_rows


def to_be_signed(request: Any) -> Sequence[Fact]:
    """The act to which the page leads on, and its case; none for anything else, or for a case nobody may see."""
    sent = request.POST if request.method == "POST" else request.GET
    try:
        match = resolve(urlsplit(sent.get(REDIRECT_FIELD_NAME, "")).path)
    except (Resolver404, ValueError):  # or no address at all
        return ()
    if request.actor is None or not (match.url_name or "").endswith("_act") or "slug" not in match.kwargs:
        return ()
    pages, name = pages_of(match.kwargs["slug"]), match.kwargs["name"]
    case = visible_rows(pages, request.actor).filter(pk=match.kwargs["pk"]).first()
    if case is None or name not in {move.name for move in declared(pages.model)}:
        return ()
    act = str(workflow.label(pages.model, name))
    return Fact(_("即将办理"), act), Fact(_("办理对象"), f"{case.title} {case.number}")
