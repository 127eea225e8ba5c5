"""S08: the name of every model field posted to the forms that are no act of a machine, and to the interface.

Apart from ``test_mass_assignment.py`` because the scene stands around every test of its module.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse

from pilot import policy
from tests.filings.api.caller import forms as good_forms
from tests.security.doors import DOORS
from tests.security.posting import compared, field_names, newest, poisoned, post, stored, undone
from tests.security.scene import Scene

pytestmark = pytest.mark.django_db

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
