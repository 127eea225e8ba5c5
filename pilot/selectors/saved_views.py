"""Saved views of a list, as far as an actor may use them."""

from __future__ import annotations

from collections.abc import Sequence

from pilot.actors import Actor
from pilot.models import SavedView


def views_of(actor: Actor, machine: str) -> list[SavedView]:
    """The actor's own views of a list in this office, then those colleagues share; oldest first."""
    rows: list[SavedView] = list(
        SavedView.objects.visible_to(actor).filter(machine=machine).prefetch_related("person")
    )
    return sorted(rows, key=lambda view: view.person_id != actor.person_id)


def default_of(views: Sequence[SavedView], actor: Actor) -> SavedView | None:
    """The view with which the list opens for this actor."""
    return next((view for view in views if view.is_default and view.person_id == actor.person_id), None)
