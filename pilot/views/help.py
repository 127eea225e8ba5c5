"""Help: what each page is for and on what it rests, with a search; and the tour of a role, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pilot import help as texts
from pilot import policy, tours
from pilot.ui import Link

YEAR = 365 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The index of the help, or one topic of it."""

    title: str
    crumbs: list[Link]
    query: str = ""
    entries: tuple[tuple[str, texts.Topic], ...] = ()
    topic: texts.Topic | None = None
    kind: texts.Words | None = None
    source: texts.Words | None = None


def _role(request: Any) -> str | None:
    return request.actor.role if request.actor else None


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """Every topic for the reader's role, or those that hold the words of ``?q=``."""
    query = request.GET.get("q", "").strip()[:100]
    role = _role(request)
    entries = tuple(
        (reverse("help_topic", args=[topic.first_for(role)]), topic) for topic in texts.found(query, role)
    )
    page = HelpPage(_("使用帮助"), [Link(_("首页"), reverse("home"))], query, entries)
    return render(request, "pages/help_index.html", {"page": page})


@require_safe
def help_topic(request: HttpRequest, name: str) -> HttpResponse:
    """What is said about the page of this URL name; 404 for a page that the reader may not open."""
    topic = texts.by_page().get(name)
    if topic is None or not policy.may_open(name, _role(request)):
        raise Http404
    crumbs = [Link(_("首页"), reverse("home")), Link(_("使用帮助"), reverse("help_index"))]
    page = HelpPage(
        str(topic.title),
        crumbs,
        topic=topic,
        kind=texts.kind_of(name),
        source=texts.common()["source"]["notice"],
    )
    return render(request, "pages/help_topic.html", {"page": page})


@require_safe
def tour(request: Any) -> HttpResponse:
    """The steps of the tour as a plain page, each a link that begins there."""
    steps = [(url, step.say) for url, step in tours.addresses(request.actor)]
    page = HelpPage(
        _("入门导览"), [Link(_("首页"), reverse("home")), Link(_("使用帮助"), reverse("help_index"))]
    )
    return render(request, "pages/tour.html", {"page": page, "steps": steps})


@require_POST
def tour_end(request: Any) -> HttpResponse:
    """The tour is over, or not wanted: it is not offered again in this role."""
    response = redirect("home")
    response.set_cookie(
        tours.memory(request.actor),
        "seen",
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
