"""The tour of a role: a strip above the pages it leads through, and whether it is still offered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from pilot import help as texts
from pilot.actors import Actor

LANDING: Final = ("dashboard", "audit_list", "role-change_list")


@dataclass(frozen=True, slots=True)
class TourStrip:
    """What stands above a page during the tour; ``number`` 0: the tour is offered."""

    number: int
    total: int
    say: texts.Words | None
    back: str
    on: str


def memory(actor: Actor) -> str:
    """The cookie, beside those of the display choices, in which a browser keeps that a person saw a role's tour."""
    return f"ui-tour-{actor.membership_id}"


def addresses(actor: Actor) -> list[tuple[str, texts.Step]]:
    """The steps of the actor's tour with the address of each."""
    steps = texts.tour(actor.role)
    return [(f"{reverse(step.page)}?tour={number}", step) for number, step in enumerate(steps, start=1)]


def strip(request: Any) -> TourStrip | None:
    """What stands above this page: the step that ``?tour=`` names, or the offer on the first page after sign-in."""
    name = request.resolver_match.url_name if request.resolver_match else ""
    if name not in LANDING and "tour" not in request.GET:
        return None
    steps = addresses(request.actor)
    urls = [url for url, _step in steps]
    for index, (url, step) in enumerate(steps):
        if step.page == name and url.endswith(f"?tour={request.GET.get('tour', '')}"):
            back, on = ["", *urls][index], [*urls, ""][index + 1]
            return TourStrip(index + 1, len(steps), step.say, back, on)
    if steps and name in LANDING and memory(request.actor) not in request.COOKIES:
        return TourStrip(0, len(steps), None, "", urls[0])
    return None
