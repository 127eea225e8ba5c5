"""Help: what each page is for and on what it rests, with a search; and the tour of a role, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pilot import help as texts
from pilot import policy, tours
from pilot.context import entries, page_names
from pilot.registry import Group
from pilot.ui import Link

YEAR = 365 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The index of the help, or one topic of it."""

    title: str
    crumbs: list[Link]
    query: str = ""
    groups: tuple[tuple[str, list[tuple[str, texts.Topic]]], ...] = ()
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
    groups = tuple(_grouped(texts.found(query, role), role))
    page = HelpPage(_("使用帮助"), [Link(_("首页"), reverse("home"))], query, groups)
    return render(request, "pages/help_index.html", {"page": page})


def _grouped(
    topics: list[texts.Topic], role: str | None
) -> Iterator[tuple[str, list[tuple[str, texts.Topic]]]]:
    """Headings of the menu with their topics, in the order in which their pages stand there."""
    places = {name: (group, place) for place, (group, name, _label, _icon) in enumerate(entries())}
    placed = [(_place(topic, places), topic) for topic in topics]
    for group in Group:
        found = sorted(((place, topic) for (of, place), topic in placed if of == group), key=itemgetter(0))
        if found:
            yield (
                str(group.label),
                [(reverse("help_topic", args=[topic.first_for(role)]), topic) for _place_, topic in found],
            )


def _place(topic: texts.Topic, places: dict[str, tuple[Group, int]]) -> tuple[Group, int]:
    """Where a topic stands: with the first of its pages that is in the menu, else at the end of its own heading."""
    return next((places[page] for page in topic.pages if page in places), None) or (
        Group(topic.group),
        len(places),
    )


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
    names = page_names()
    steps = [(url, names[step.page], step.say) for url, step in tours.addresses(request.actor)]
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
