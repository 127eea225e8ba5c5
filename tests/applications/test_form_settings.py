"""The ministry words, orders and requires the fields; every change is an edition, on record, and holds everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from applications.models import FormEdition
from applications.rules.form import RELIED_ON, SECTIONS
from applications.selectors import content
from applications.selectors.form_schema import form_of
from applications.services.form_editions import LONGEST, catalogue, current, make_edition
from pilot import context
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import AuditEntry, Document, Programme
from pilot.services import documents
from tests.applications import builders
from tests.documents.reading import text_of
from tests.factories import world

NEW = {"label": "申请说明（示例）", "label_en": "Remarks of the applicant", "required": True, "position": 1}


def edit(actor: Actor, programme: Programme, *, seen: int = 0, **changes: dict[str, Any]) -> FormEdition:
    settings = current(programme)
    for key, change in changes.items():
        settings[key] = {**settings[key], **change}
    return make_edition(actor=actor, programme=programme, seen=seen, settings=settings)


def fresh(programme: Programme) -> Programme:
    return Programme.objects.get(pk=programme.pk)


def typed(programme: Programme, seen: int = 0, **changes: dict[str, Any]) -> dict[str, Any]:
    """The page's fields as a browser sends them."""
    settings = current(programme)
    for key, change in changes.items():
        settings[key] = {**settings[key], **change}
    data: dict[str, Any] = {"seen": seen}
    for key, setting in settings.items():
        data |= {f"{key}-{what}": value for what, value in setting.items() if what != "required"}
        if setting["required"]:
            data[f"{key}-required"] = "on"
    return data


def test_an_edition_changes_words_order_and_what_is_required(
    ministry_officer: Actor, programme: Programme
) -> None:
    edit(ministry_officer, programme, remarks=NEW)
    form = form_of(fresh(programme))
    field = form.fields["remarks"]
    assert (str(field.label), field.required) == ("申请说明（示例）", True)
    with override("en"):
        assert str(field.label) == "Remarks of the applicant"
    (scope,) = [section for section in form.sections if section.key == "scope"]
    assert [f.key for f in scope.fields] == ["provinces", "remarks", "channels", "planned_start"]
    assert str(form.targets["remarks"]) == "申请说明（示例）"


def test_only_what_differs_is_kept_and_everything_else_stays(
    ministry_officer: Actor, programme: Programme
) -> None:
    before = form_of(fresh(programme))
    edition = edit(ministry_officer, programme, remarks=NEW, channels={"help": "可多选"})
    assert edition.settings == {
        "remarks": NEW,
        "channels": {"help": "可多选", "help_en": ""},
    }
    after = form_of(fresh(programme))
    same = set(before.fields) - {"remarks", "channels"}
    assert {k: (str(before.fields[k].label), before.fields[k].required) for k in same} == {
        k: (str(after.fields[k].label), after.fields[k].required) for k in same
    }


def test_a_help_text_can_be_taken_away(ministry_officer: Actor, programme: Programme) -> None:
    edit(ministry_officer, programme, false_accept_rate={"help": "", "help_en": ""})
    assert str(form_of(fresh(programme)).fields["false_accept_rate"].help) == ""


def test_the_check_before_handing_in_follows(
    provider: Actor, ministry_officer: Actor, programme: Programme
) -> None:
    case = builders.drafted(provider)
    at = world.moment("2019-04-12 09:00")
    assert content.current_faults(case, at=at) == []
    edit(ministry_officer, programme, remarks=NEW)
    case = type(case).unscoped.get(pk=case.pk)
    found = content.current_faults(case, at=at)
    assert [(f.target, str(f.label), f.message) for f in found] == [("remarks", "申请说明（示例）", "未填写")]


def test_the_blank_form_to_download_follows(ministry_officer: Actor, programme: Programme) -> None:
    def lines() -> str:
        return "".join(text_of(Client().get(reverse("application_form_pdf")).content).split())

    before = lines()
    edit(ministry_officer, programme, remarks=NEW)
    assert [("申请说明（示例）" in text, "其他说明" in text) for text in (before, lines())] == [
        (False, True),
        (True, False),
    ]


def test_a_completeness_notice_points_at_the_new_words(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor, programme: Programme
) -> None:
    edit(ministry_officer, programme, licence_authority={"label": "发证单位（示例）"})
    case = builders.returned(provider, bureau_reviewer)
    page = builders.client_of(provider).get(f"/cases/application/{case.pk}/").content.decode()
    assert "发证单位（示例）" in page
    letter = Document.objects.get(object_id=case.pk, kind="letter_correction")
    assert "发证单位（示例）" in "".join(text_of(documents.read_bytes(letter.sha256)).split())


def test_an_edition_can_be_taken_back_by_another(ministry_officer: Actor, programme: Programme) -> None:
    edit(ministry_officer, programme, remarks=NEW)
    second = edit(ministry_officer, fresh(programme), seen=1, remarks=catalogue()["remarks"])
    assert (second.number, second.settings) == (2, {})
    assert not form_of(fresh(programme)).fields["remarks"].required


def test_every_edition_is_on_record(ministry_officer: Actor, programme: Programme) -> None:
    edition = edit(ministry_officer, programme, remarks=NEW)
    entry = AuditEntry.objects.get(action="application.form_edition")
    assert (entry.person_id, entry.object_id, entry.detail) == (
        ministry_officer.person_id,
        str(edition.pk),
        {"number": 1, "fields": ["remarks"]},
    )
    assert (edition.number, edition.made_by_id) == (1, ministry_officer.person_id)


@pytest.mark.parametrize("key", sorted(RELIED_ON))
def test_what_rules_rely_on_stays_required(ministry_officer: Actor, programme: Programme, key: str) -> None:
    with pytest.raises(Refused) as refusal:
        edit(ministry_officer, programme, **{key: {"required": False}})
    assert str(refusal.value) == f"“{catalogue()[key]['label']}”是核对参与条件所必需的，不能改为选填"


def test_every_such_field_exists_and_is_required_as_shipped() -> None:
    fields = {field.key: field for section in SECTIONS for field in section.fields}
    assert {key for key in RELIED_ON if not fields[key].required} == set()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "没有改动"),
        ({"remarks": {"label": "  "}}, "“其他说明”的中文名称不能为空"),
        ({"remarks": {"label": "长" * (LONGEST["label"] + 1)}}, f"“{'长' * 61}”的文字超过 60 个字符"),
        ({"remarks": {"kind": "number"}}, "不能设置 kind"),
    ],
)
def test_what_is_refused(
    ministry_officer: Actor, programme: Programme, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused) as refusal:
        edit(ministry_officer, programme, **changes)
    assert str(refusal.value) == words


@pytest.mark.parametrize("key", ["unit_name", "uscc", "nothing"])
def test_a_field_that_is_not_typed_in_cannot_be_set(
    ministry_officer: Actor, programme: Programme, key: str
) -> None:
    with pytest.raises(Refused) as refusal:
        make_edition(actor=ministry_officer, programme=programme, seen=0, settings={key: {"label": "示例"}})
    assert str(refusal.value) == f"申请表中没有字段 {key}"


def test_two_officers_do_not_overwrite_each_other(ministry_officer: Actor, programme: Programme) -> None:
    edit(ministry_officer, programme, remarks=NEW)
    with pytest.raises(StateChanged) as refusal:
        edit(world.ministry(), fresh(programme), seen=0, channels={"label": "渠道"})
    assert str(refusal.value) == "申请表已由他人修改（现为第 1 版），请刷新后再设置"


@pytest.mark.parametrize("role", [Role.MINISTRY_APPROVER, Role.SYSTEM_ADMIN])
def test_only_an_officer_may(programme: Programme, role: str) -> None:
    with pytest.raises(NotPermitted):
        edit(world.ministry(role), programme, remarks=NEW)


# --- the page ---------------------------------------------------------------------------------------
def test_the_officer_saves_on_the_page(ministry_officer: Actor, programme: Programme) -> None:
    client = builders.client_of(ministry_officer)
    assert client.get("/settings/application-form/").status_code == 200
    response = client.post("/settings/application-form/", typed(programme, remarks=NEW))
    assert (response.status_code, response["Location"]) == (302, "/settings/application-form/")
    assert FormEdition.objects.get().settings == {"remarks": NEW}
    page = client.get("/settings/application-form/").content.decode()
    assert "现为第 1 版" in page
    assert "已保存为第 1 版，立即生效" in page
    assert 'value="申请说明（示例）"' in page


def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(
    ministry_officer: Actor, programme: Programme
) -> None:
    client = builders.client_of(ministry_officer)
    data = typed(programme, remarks={"label": ""}, channels={"label": "渠道（示例）"})
    response = client.post("/settings/application-form/", data)
    assert response.status_code == 422
    page = response.content.decode()
    assert 'href="#id_remarks-label"' in page
    assert 'value="渠道（示例）"' in page
    assert FormEdition.objects.count() == 0


def test_who_comes_second_is_told_and_keeps_what_was_typed(
    ministry_officer: Actor, programme: Programme
) -> None:
    data = typed(programme, channels={"label": "渠道（示例）"})
    edit(world.ministry(), programme, remarks=NEW)
    response = builders.client_of(ministry_officer).post("/settings/application-form/", data)
    page = response.content.decode()
    told = "申请表已由他人修改（现为第 1 版），请刷新后再设置"
    assert (response.status_code, told in page, 'value="渠道（示例）"' in page) == (422, True, True)


def test_a_locked_box_stays_ticked_whatever_is_sent(ministry_officer: Actor, programme: Programme) -> None:
    client = builders.client_of(ministry_officer)
    data = typed(programme, remarks=NEW)
    del data["licence_number-required"]
    assert client.post("/settings/application-form/", data).status_code == 302
    assert form_of(fresh(programme)).fields["licence_number"].required


def test_nothing_changed_is_said(ministry_officer: Actor, programme: Programme) -> None:
    response = builders.client_of(ministry_officer).post("/settings/application-form/", typed(programme))
    assert response.status_code == 422
    assert "没有改动" in response.content.decode()


def test_the_menu_leads_there_for_the_officer_alone(
    ministry_officer: Actor, ministry_approver: Actor
) -> None:
    def urls(actor: Actor) -> list[str]:
        return [item.url for group in context.menu(actor, "/", {}) for item in group.items]

    assert "/settings/application-form/" in urls(ministry_officer)
    assert "/settings/application-form/" not in urls(ministry_approver)
