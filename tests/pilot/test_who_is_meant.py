"""Organisations and people are written, not chosen: by full name, code or login; anything else is told in words."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.urls import reverse

from pilot.actors import Actor
from pilot.enums import OrganisationKind, Role
from pilot.forms import LoginField, OrganisationField, whole_number
from pilot.models import Organisation, Person, RoleChange
from tests.applications.builders import client_of
from tests.factories import world

pytestmark = pytest.mark.django_db
NO_NUMBERS = ("", "abc", "-1", "1.5", "²", "٣", "9" * 19, "9" * 5_000)
CODES = (world.uscc(7001, 44), world.uscc(7002, 44))


@pytest.fixture
def alike() -> list[Organisation]:
    """Two providers of one name and an agency whose name holds it."""
    kinds = (OrganisationKind.PROVIDER, OrganisationKind.PROVIDER, OrganisationKind.AGENCY)
    names = ("示例同名公司", "示例同名公司", "示例同名公司评估所")
    return [
        Organisation.objects.create(kind=kind, name=name, uscc=code)
        for kind, name, code in zip(kinds, names, (*CODES, ""), strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("044", 44), ("9" * 18, 10**18 - 1), *dict.fromkeys(NO_NUMBERS).items()]
)
def test_a_number_is_one_that_the_database_can_compare(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_what_is_no_number_is_no_error_of_the_server(provider: Actor) -> None:
    """Digits of other scripts, and numbers longer than Python reads, came past the checks there were."""
    client = client_of(provider)
    switched = {
        client.post(reverse("switch_membership"), {"membership": text}).status_code for text in NO_NUMBERS
    }
    paged = {client.get(reverse("faq"), {"size": text, "page": text}).status_code for text in NO_NUMBERS}
    assert (switched, paged) == ({404}, {200})


@pytest.mark.parametrize(
    ("text", "which"), [(CODES[0], 0), (CODES[1].lower(), 1), (" 示例同名公司评估所 ", 2), ("", None)]
)
def test_an_organisation_by_code_or_full_name(alike: Any, text: str, which: int | None) -> None:
    found = OrganisationField(required=False).clean(text)
    assert found == (None if which is None else alike[which])


@pytest.mark.parametrize(
    ("text", "kinds", "words"),
    [
        ("示例同名公司", tuple(OrganisationKind), "有多个单位同名，请填写统一社会信用代码"),
        ("公司评估", tuple(OrganisationKind), "没有这个单位；名称相近的有：示例同名公司评估所"),
        ("示例同名公司评估所", (OrganisationKind.PROVIDER,), "没有这个单位，请核对全称或统一社会信用代码"),
    ],
)
def test_what_names_none_or_several_is_told(alike: Any, text: str, kinds: Any, words: str) -> None:
    with pytest.raises(forms.ValidationError) as refusal:
        OrganisationField(kinds=kinds).clean(text)
    assert refusal.value.messages == [words]


def test_a_person_by_login(ministry_officer: Actor) -> None:
    person = Person.objects.get(pk=ministry_officer.person_id)
    assert LoginField().clean(person.username.upper()) == person
    with pytest.raises(forms.ValidationError) as refusal:
        LoginField().clean("nobody")
    assert refusal.value.messages == ["没有这个登录名"]


def test_a_role_is_asked_for_from_the_page_of_a_person(ministry_officer: Actor) -> None:
    person = Person.objects.get(pk=ministry_officer.person_id)
    admin = client_of(world.ministry(Role.SYSTEM_ADMIN))
    address = f"{reverse('role-change_create')}?person={person.username}"
    assert address in admin.get(reverse("person_detail", args=[person.pk])).text
    assert f'value="{person.username}"' in admin.get(address).text
    data = {"person": person.username, "organisation": ministry_officer.organisation_name, "grant": "1"}
    admin.post(address, data | {"role": Role.MINISTRY_APPROVER, "reason": "示例"})
    change = RoleChange.unscoped.get()
    assert (change.person_id, change.organisation_id, change.role) == (
        person.pk,
        ministry_officer.organisation_id,
        Role.MINISTRY_APPROVER,
    )
