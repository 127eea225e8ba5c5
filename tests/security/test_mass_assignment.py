"""S08: the name of every model field posted to every form and address: 0 protected changes.

A post as the form offers it and the same with all other names beside it leave exactly the same behind.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.urls import reverse

from pilot import policy
from pilot.actors import Actor
from pilot.machines import declared
from pilot.registry import MachinePages, all_pages
from tests.factories import cases
from tests.factories.cases import Cast
from tests.factories.viewers import client_of
from tests.security.posting import compared

SLUGS: Final = [pages.slug for pages in all_pages()]
pytestmark = pytest.mark.django_db


def people(cast: Cast) -> list[Actor]:
    return [
        cast.provider, cast.reviewer, cast.lead, cast.officer, cast.approver, cast.assessor,
        cast.system_admin, cast.security_admin,
    ]  # fmt: skip


def addresses(pages: MachinePages, case: Any) -> dict[str, str]:
    """Act, task or beginning of a machine → its address; only what is possible from the state of the case."""
    acts = {move.name for move in declared(pages.model) if move.source == case.state}
    found = {name: reverse(f"{pages.slug}_act", args=[case.pk, name]) for name in sorted(acts)}
    found |= {task.name: reverse(f"{pages.slug}_task", args=[case.pk, task.name]) for task in pages.tasks}
    return found | ({"create": reverse(f"{pages.slug}_create")} if pages.creation else {})


def may(pages: MachinePages, name: str, actor: Actor) -> bool:
    if name == "create":
        return policy.may_open(f"{pages.slug}_create", actor.role)
    return policy.may_act(pages.slug, name, actor.role)


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_every_form_of_a_machine(slug: str, programme: Any) -> None:
    """An act is posted by the first who may; where its form holds what is right by chance, it is carried out."""
    pages = next(one for one in all_pages() if one.slug == slug)
    cast = Cast()
    case = cases.FIRST[slug](cast)
    changed: dict[str, Any] = {}
    for name, path in addresses(pages, case).items():
        actor = next((one for one in people(cast) if may(pages, name, one)), None)
        outcome = compared(client_of(actor), path) if actor else None
        if outcome is not None and outcome[1]:
            changed[name] = outcome[1]
    assert changed == {}
