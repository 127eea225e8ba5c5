"""S08: the name of every model field posted to every form and address: 0 protected changes.

A post as the form offers it and the same with all other names beside it leave exactly the same behind.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse

from pilot import policy
from pilot.actors import Actor
from pilot.machines import declared
from pilot.registry import MachinePages, all_pages
from tests.factories import cases
from tests.factories.cases import Cast
from tests.factories.viewers import client_of
from tests.filings.api.caller import forms as good_forms
from tests.security.doors import DOORS
from tests.security.posting import (
    Posted,
    field_names,
    filled,
    newest,
    offered,
    poisoned,
    post,
    stored,
    undone,
)
from tests.security.scene import Scene

ROOT: Final = Path(__file__).resolve().parents[2]
APPS: Final = ("pilot", "applications", "assessment", "filings")
SLUGS: Final = [pages.slug for pages in all_pages()]
pytestmark = pytest.mark.django_db


def test_no_view_hands_a_request_on_as_it_came() -> None:
    """Neither model forms nor ``**request.POST`` nor ``setattr``: what is written is named, field by field."""
    found = []
    for path in (
        file for app in APPS for file in (ROOT / app).rglob("*.py") if "migrations" not in file.parts
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"ModelForm", "modelform_factory"}:
                found.append((path.name, node.attr))
            if isinstance(node, ast.keyword) and node.arg is None:
                handed = ast.unparse(node.value)
                if re.search(r"\.(POST|GET|data)\b", handed):
                    found.append((path.name, handed))
    assert found == []


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


def compared(client: Client, path: str) -> tuple[Posted, dict[str, Any]] | None:
    """The post as offered, and what more the names beside it brought about; None where no form is offered."""
    form = offered(client, path)
    if form is None:
        return None
    data, before = filled(form), newest()
    plain = post(client, path, data, before)
    return plain, post(client, path, poisoned(data), before).differs(plain)


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


OTHERS: Final = {
    "own administrator": ("api_key_create", "webhook_create", "v3_access_settings", "my_account"),
    "officer": ("form_settings", "criteria_edit"),
    "system administrator": ("person_invite",),
}
"""Forms of their own that name no object, by somebody who may post them."""
NAMED: Final = {"inspection_read": {"item": "0"}, "inspection_settle": {"item": "0"}}
"""What pages without a form ask for by names of fields: rightly, so here of something that is not there."""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_other_form(scene: Scene) -> None:
    changed, posted, last = {}, 0, newest()
    for who, name, kwargs in [
        *((who, name, {}) for who, names in OTHERS.items() for name in names),
        *(
            (sorted(door.known)[0], name, door.address(scene.at))
            for name, door in DOORS.items()
            if door.known
        ),
    ]:
        viewer = next(v for v in scene.people.values() if v.name == who)
        path = reverse(name, kwargs=kwargs)
        outcome = compared(viewer.client, path) if policy.may_open(name, viewer.role) else None
        if outcome is None:  # no page offers a form: the names alone
            asked = NAMED.get(name, {})
            plain = post(viewer.client, path, asked, last)
            more = post(viewer.client, path, poisoned(asked), last) if plain.status != 405 else plain
            outcome = plain, more.differs(plain)
        posted += outcome[0].status != 405
        if outcome[1]:
            changed[name] = outcome[1]
    assert (changed, posted > 40) == ({}, True)


@pytest.mark.slow
def test_a_form_through_the_interface_with_every_name_beside_its_own(scene: Scene) -> None:
    """An unknown member is refused, so nothing of the form is stored; and by the address nothing can be named."""
    (form,) = good_forms()
    names = dict.fromkeys(sorted(field_names() - form.keys()), 1)
    last = newest()
    before = stored(last)
    with undone():
        answer = _sent(scene, {**form, **names})
        after = stored(last)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    assert _sent(scene, form, "?unit=1&organisation=1").status_code == 400
    changed = {name for name in before if before[name] != after[name]}
    assert changed & {"VerificationForm", "PilotUnit", "Person", "Membership", "Organisation"} == set()


def _sent(scene: Scene, body: Any, query: str = "") -> Any:
    headers = {"Authorization": f"Bearer {scene.at['key secret']}", "Idempotency-Key": "s08"}
    return Client().post(
        reverse("api_forms") + query, json.dumps(body), content_type="application/json", headers=headers
    )
