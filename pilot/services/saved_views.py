"""Keeping a list's filter under a name, for oneself or for the office (C06)."""

from __future__ import annotations

from django.db import models, transaction
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Person, SavedView
from pilot.services import audit

LIMIT = 20  # views of one person for one list


@transaction.atomic
def save(
    *, actor: Actor, machine: str, name: str, query: str, shared: bool = False, is_default: bool = False
) -> SavedView:
    """Keep a query under a name; the actor's own view of this name is replaced.

    Raises :class:`Refused` without a name or a filter, when the filter is too long, or with too many views.
    """
    name = name.strip()
    if not name or len(name) > 40:
        raise Refused(_("请填写视图名称，不超过 40 个字"))
    if not query:
        raise Refused(_("没有可以保存的筛选条件"))
    if len(query) > 2000:
        raise Refused(_("筛选条件过长，不能保存"))
    own = _own(actor).filter(machine=machine)
    view = own.filter(name=name).first()
    if view is None and own.count() >= LIMIT:
        raise Refused(_("每个列表最多保存 %(n)s 个视图") % {"n": LIMIT})
    if view is None:
        view = SavedView(
            person_id=actor.acting_person,
            organisation_id=actor.acting_organisation,
            machine=machine,
            name=name,
        )
    if is_default:
        own.update(is_default=False)
    view.query, view.shared, view.is_default = query, shared, is_default
    view.save()
    audit.record(
        action="list.view_saved", actor=actor, subject=view, detail={"machine": machine, "shared": shared}
    )
    return view


@transaction.atomic
def delete(*, view: SavedView, actor: Actor) -> None:
    """Forget a view. Raises :class:`Refused` when it is somebody else's."""
    own = _mine(view, actor)
    audit.record(
        action="list.view_deleted",
        actor=actor,
        subject=own,
        detail={"machine": own.machine, "shared": own.shared},
    )
    own.delete()


@transaction.atomic
def set_default(*, view: SavedView, actor: Actor, on: bool = True) -> None:
    """Let the list open with this view, or with all rows again. Raises :class:`Refused` when it is somebody else's."""
    own = _mine(view, actor)
    _own(actor).filter(machine=own.machine).update(is_default=False)
    own.is_default = on
    own.save(update_fields=["is_default"])


def _own(actor: Actor) -> models.QuerySet[SavedView]:
    """The views the actor saved in this office. Locks the person: of two tabs at once one waits for the other."""
    Person.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.acting_person)
    mine: models.QuerySet[SavedView] = SavedView.unscoped.filter(
        person=actor.person_id, organisation=actor.organisation_id
    )
    return mine


def _mine(view: SavedView, actor: Actor) -> SavedView:
    own = _own(actor).filter(pk=view.pk).first()
    if own is None:
        raise Refused(_("只能更改自己保存的视图"))
    return own
