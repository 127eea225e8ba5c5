"""Programme rules in the browser: read with their history, entered after a preview, ended where that is possible."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pilot.actors import Actor
from pilot.models import AuditEntry, Person, Programme, ProgrammeRule
from pilot.rule_kinds import KINDS
from pilot.selectors import programmes
from pilot.services import programmes as services
from tests.factories import world

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def officer(programme: Programme, ministry_officer: Actor) -> Client:
    return client_of(ministry_officer)


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def enter(client: Client, key: str, step: str = "", **given: Any) -> Any:
    data = {"basis": "示例依据", "reason": "示例理由", "step": step, **given}
    return client.post(reverse("rule_enter", args=[key]), data)


def carried(answer: Any) -> dict[str, str]:
    """What the preview sends again with its confirmation."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.content.decode())
    return dict(found)


def confirm(client: Client, key: str, **given: Any) -> Any:
    """Through the preview, where there is one; else what there is instead."""
    preview = enter(client, key, **given)
    return (
        enter(client, key, **carried(preview) | {"step": "confirm"})
        if preview.status_code == 200
        else preview
    )


def test_every_rule_of_the_programme_is_known_and_every_known_one_listed(
    programme: Programme, officer: Client
) -> None:
    assert set(ProgrammeRule.objects.values_list("key", flat=True)) == KINDS.keys() - {
        "undeterminable_after_hours"
    }
    page = officer.get(reverse("rule_list")).content.decode()
    assert re.findall(r'href="/settings/rules/(\w+)/"', page) == sorted(
        KINDS, key=lambda key: [*type(KINDS[key].area)].index(KINDS[key].area)
    )
    for words in ("不低于 99.95%（每 2000 份允许 1 份差错）", "到期前 90、30、0 天", ">95%<", "87号文未规定"):
        assert words in page
    assert KINDS["form_accuracy"].written({"errors": 0, "out_of": 1}) == "100%（不允许差错）"
    assert ["部内工作规则：受理时限" in page, ">部内工作规则<" in page] == [False, True]
    assert KINDS["form_accuracy"].written({"errors": 1, "out_of": 10_000_000})[:13] == "不低于 99.9999%（"


def test_what_a_house_rule_is_about_is_said_once_in_english_too(
    programme: Programme, officer: Client
) -> None:
    officer.cookies["django_language"] = "en"
    page = officer.get(reverse("rule_list")).content.decode()
    assert ["：受理时限" in page, ">部内工作规则<" in page] == [False, True]


def test_a_rule_is_entered_after_a_preview_and_stays_on_record(
    programme: Programme, officer: Client, ministry_officer: Actor
) -> None:
    preview = enter(officer, "hearing_days", value="7").content.decode()
    for words in ("5 个工作日", "7 个工作日", "示例依据", "正在计算期限的 0 件不变"):
        assert words in preview
    assert programmes.rule(programme, "hearing_days") == 5
    answer = confirm(officer, "hearing_days", value="7")
    assert (answer.status_code, answer["Location"]) == (302, "/settings/rules/hearing_days/")
    assert programmes.rule(programme, "hearing_days") == 7
    assert programmes.rule_basis(programme, "hearing_days") == "示例依据"
    [entry] = AuditEntry.objects.filter(action="programme.rule")
    assert (entry.person_id, entry.detail) == (
        ministry_officer.person_id,
        {"key": "hearing_days", "value": 7, "basis": "示例依据", "reason": "示例理由"},
    )
    page = officer.get("/settings/rules/hearing_days/").content.decode()
    assert ("7 个工作日" in page, "示例理由" in page) == (True, True)


def test_who_was_overtaken_sees_the_preview_anew(programme: Programme, officer: Client) -> None:
    sent = carried(enter(officer, "hearing_days", value="7")) | {"step": "confirm"}
    services.set_rule(actor=world.SETUP, programme=programme, key="hearing_days", value=6, basis="他人")
    anew = enter(officer, "hearing_days", **sent)
    assert (anew.status_code, "已被他人修改" in anew.content.decode()) == (409, True)
    assert programmes.rule(programme, "hearing_days") == 6


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("sanctions", {"value": "1"}, True),
        ("licence_watch_days", {"value": "0，60, 30"}, [60, 30, 0]),
        ("ministry_phone", {"value": "010-00000000"}, "010-00000000"),
        ("coordination_days", {"act": "set", "value": "4"}, 4),
        ("retention_days", {"act": "end", "value": "x"}, None),
        (
            "change_alert",
            {"act": "set", "level": "0.0500", "times": "4", "least_forms": "50", "least_days": "3"},
            {"level": "0.05", "times": 4, "least_forms": 50, "least_days": 3},
        ),
        ("undeterminable_after_hours", {"act": "set", "value": "48"}, 48),
    ],
)
def test_values_of_every_shape(
    programme: Programme, officer: Client, key: str, given: dict[str, str], value: Any
) -> None:
    assert confirm(officer, key, **given).status_code == 302
    assert programmes.rule(programme, key) == value
    assert officer.get(reverse("rule_detail", args=[key])).status_code == 200
    assert officer.get(reverse("rule_enter", args=[key])).status_code == 200
    assert officer.get(reverse("rule_list")).status_code == 200


def test_a_threshold_changes_from_a_day_on(programme: Programme, officer: Client) -> None:
    world.at("2019-07-01 09:00")
    given = {"errors": "1", "out_of": "1000", "valid_from": "2019-08-01"}
    assert confirm(officer, "identity_accuracy", **given).status_code == 302
    held = programmes.rule_history(programme, "identity_accuracy", "form_accuracy")
    assert held("identity_accuracy", date(2019, 7, 31)) == {"errors": 1, "out_of": 2000}
    assert held("identity_accuracy", date(2019, 8, 1)) == {"errors": 1, "out_of": 1000}
    page = officer.get("/settings/rules/identity_accuracy/").content.decode()
    assert ("自试点开始" in page, "不低于 99.9%（每 1000 份允许 1 份差错）" in page) == (True, True)
    past = confirm(officer, "identity_accuracy", **given | {"valid_from": "2019-06-30"})
    assert (past.status_code, "不得早于今天" in past.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("list_days", {"value": "4"}, "超过该阶段的 21 个工作日"),
        ("hearing_days", {"value": "0"}, "大于或等于1"),
        ("hearing_days", {"value": "7", "basis": ""}, "必填"),
        ("licence_watch_days", {"value": "abc"}, "应为用逗号分隔的天数"),
        ("licence_watch_days", {"value": "731"}, "天数应在 0 至 730 之间"),
        ("identity_accuracy", {"errors": "2", "out_of": "2", "valid_from": "2030-01-01"}, "应少于份数"),
    ],
)
def test_what_cannot_be_entered_says_why(officer: Client, key: str, given: Any, words: str) -> None:
    answer = confirm(officer, key, **given)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)


def test_a_rule_the_code_needs_cannot_be_ended(programme: Programme, ministry_officer: Actor) -> None:
    from pilot.errors import NotPermitted, Refused

    given: dict[str, Any] = {"programme": programme, "key": "hearing_days", "basis": "示例", "reason": "示例"}
    given["seen"] = programmes.standing(programme, "hearing_days")
    with pytest.raises(Refused, match="不可废止"):
        services.enter_rule(actor=ministry_officer, value=None, **given)
    with pytest.raises(NotPermitted):
        services.enter_rule(actor=world.bureau(), value=6, **given)


def test_an_unknown_rule_is_not_found(officer: Client) -> None:
    assert [officer.get(f"/settings/rules/x-x/{rest}").status_code for rest in ("", "enter/")] == [404, 404]


def test_changes_cost_the_same_whatever_their_number(programme: Programme, officer: Client) -> None:
    taken = []
    for days in (6, 7, 8, 9):
        services.set_rule(
            actor=world.SETUP, programme=programme, key="hearing_days", value=days, basis="示例"
        )
        with CaptureQueriesContext(connection) as caught:
            officer.get("/settings/rules/hearing_days/")
        taken.append(len(caught))
    assert taken[1] == taken[3]
