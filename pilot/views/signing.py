"""What is about to be signed, for the page that asks again who it is (P11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from pilot.machines import declared
from pilot.registry import pages_of
from pilot.ui import Fact
from pilot.views.listing import visible_rows


def to_be_signed(request: Any) -> Sequence[Fact]:
    """The act to which the page leads on, and its case; none for anything else, or for a case nobody may see."""
    sent = request.POST if request.method == "POST" else request.GET
    try:
        match = resolve(urlsplit(sent.get(REDIRECT_FIELD_NAME, "")).path)
    except Resolver404:
        return ()
    if request.actor is None or not (match.url_name or "").endswith("_act") or "slug" not in match.kwargs:
        return ()
    pages = pages_of(match.kwargs["slug"])
    case = visible_rows(pages, request.actor).filter(pk=match.kwargs["pk"]).first()
    act = next((t for t in declared(pages.model) if t.name == match.kwargs["name"]), None)
    if case is None or act is None:
        return ()
    return Fact(_("即将办理"), str(act.custom["label"])), Fact(
        _("办理对象"), f"{case.title} {case.number}".strip()
    )
