"""Beginning and writing: one living application, no silent overwriting, only what a notice opened."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from applications.models import Application
from applications.services import drafts
from applications.services.drafts import merge_draft, save_draft, start_application
from pilot.actors import Actor
from pilot.enums import Province
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import AuditEntry, Organisation, Programme
from pilot.workflow import fire, open_case
from tests.applications import builders
from tests.factories import world


def test_an_application_belongs_to_the_organisation_of_the_actor(
    programme: Programme, provider: Actor
) -> None:
    case = start_application(actor=provider)
    assert (case.state, case.programme, case.provider_id, case.province, case.revision) == (
        "draft",
        programme,
        provider.organisation_id,
        Province.GUANGDONG,
        0,
    )
    assert case.number == "未提交"


def test_only_providers_begin_one(bureau_reviewer: Actor) -> None:
    with pytest.raises(NotPermitted) as refusal:
        start_application(actor=bureau_reviewer)
    assert str(refusal.value) == "只有网络接入服务提供者可以提出申请"


def test_a_registration_without_a_province_begins_none(provider: Actor) -> None:
    Organisation.objects.filter(pk=provider.organisation_id).update(province=None)
    with pytest.raises(Refused) as refusal:
        start_application(actor=provider)
    assert str(refusal.value) == "贵单位的登记信息不完整，请联系注册地通信管理局"
    assert Application.unscoped.count() == 0


def test_one_living_application_per_provider(provider: Actor) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        start_application(actor=provider)
    assert str(refusal.value) == "贵单位已有在办申请（SQ2019-44-00001），每个单位同时只能有一件"
    fire(case, "withdraw", actor=provider)
    assert start_application(actor=provider).state == "draft"


def test_the_database_holds_to_one_living_application(provider: Actor) -> None:
    case = start_application(actor=provider)
    twin = Application(
        programme=case.programme, provider=case.provider, uscc=case.uscc, province=44, case_key=case.case_key
    )
    with pytest.raises(IntegrityError, match="one_live_application"), transaction.atomic():
        open_case(twin, actor=provider)


def test_two_beginning_at_once_get_one(provider: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    start_application(actor=provider)
    monkeypatch.setattr(drafts.cases, "live_application", lambda **_: None)  # as if it were not there yet
    with pytest.raises(Refused) as refusal:
        start_application(actor=provider)
    assert str(refusal.value) == "贵单位已有在办申请，每个单位同时只能有一件"


def test_what_is_typed_is_kept_even_when_it_is_wrong(provider: Actor) -> None:
    case = start_application(actor=provider)
    case = save_draft(
        case=case,
        actor=provider,
        revision=0,
        contact_mobile=" 123 ",
        daily_capacity=0,
        provinces=["44"],
        licence_expires_on=date(2023, 5, 19),
    )
    assert (case.revision, case.draft) == (
        1,
        {
            "contact_mobile": "123",
            "daily_capacity": 0,
            "provinces": ["44"],
            "licence_expires_on": "2023-05-19",
        },
    )
    case = save_draft(case=case, actor=provider, revision=1, contact_mobile="", provinces=[])
    assert case.draft == {"daily_capacity": 0, "licence_expires_on": "2023-05-19"}
    assert list(
        AuditEntry.objects.filter(action="application.save_draft").values_list("detail", flat=True)
    ) == [
        {"fields": ["contact_mobile", "daily_capacity", "licence_expires_on", "provinces"]},
        {"fields": ["contact_mobile", "provinces"]},
    ]


def test_two_windows_never_overwrite_silently(provider: Actor) -> None:
    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, deletion="甲")
    with pytest.raises(StateChanged) as refusal:
        save_draft(case=case, actor=provider, revision=0, deletion="乙")
    assert str(refusal.value) == "草稿已在另一窗口或由他人保存（现为第 1 次修改），请刷新后再填写"
    case.refresh_from_db()
    assert case.draft == {"deletion": "甲"}


@pytest.mark.parametrize("key", ["unit_name", "uscc", "weather"])
def test_what_is_no_field_to_type_in_is_refused(provider: Actor, key: str) -> None:
    case = start_application(actor=provider)
    with pytest.raises(Refused) as refusal:
        save_draft(case=case, actor=provider, revision=0, **{key: "x"})
    assert str(refusal.value) == f"申请表中没有可填写的“{key}”"


def test_only_the_own_application_is_written(provider: Actor, bureau_reviewer: Actor) -> None:
    case = start_application(actor=provider)
    for actor in (world.provider(), bureau_reviewer):
        with pytest.raises(Refused) as refusal:
            save_draft(case=case, actor=actor, revision=0, deletion="x")
        assert str(refusal.value) == "只能填写本单位的申请"


def test_what_was_handed_in_is_closed(provider: Actor) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        save_draft(case=case, actor=provider, revision=1, deletion="x")
    assert str(refusal.value) == "申请已提交，内容不能修改；需要补正时由通信管理局一次性告知"


def test_a_notice_opens_only_what_it_names(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    with pytest.raises(Refused) as refusal:
        save_draft(case=case, actor=provider, revision=1, licence_authority="更正", deletion="x")
    assert str(refusal.value) == "补正告知未列“到期删除方式”，不能修改"
    case = save_draft(case=case, actor=provider, revision=1, licence_authority="更正")
    assert case.draft["licence_authority"] == "更正"


def test_after_the_deadline_a_returned_application_is_closed(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    world.at("2019-05-20 09:00")
    with pytest.raises(Refused) as refusal:
        save_draft(case=case, actor=provider, revision=1, licence_authority="更正")
    assert str(refusal.value) == "补正期限已过"


# --- field by field ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("base", "own", "kept", "clashes"),
    [
        ("旧", "新", "新", False),  # nobody else changed it
        ("更旧", "更旧", "旧", False),  # only the other window changed it
        ("更旧", "旧", "旧", False),  # both changed it alike
        ("更旧", "新", "旧", True),
        (None, "", "旧", False),
        ("更旧", "", "旧", True),  # emptied here, changed there
        ("旧", "", None, False),
    ],
)
def test_three_values_of_a_field_are_merged(
    provider: Actor, base: str | None, own: str, kept: str | None, clashes: bool
) -> None:
    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, deletion="旧")
    merged = merge_draft(case=case, actor=provider, base={"deletion": base}, deletion=own)
    assert merged.case.draft.get("deletion") == kept
    assert [(clash.key, clash.own, clash.other) for clash in merged.clashes] == (
        [("deletion", own or None, "旧")] if clashes else []
    )


def test_saving_nothing_new_is_no_revision(provider: Actor) -> None:
    case = start_application(actor=provider)
    merge_draft(case=case, actor=provider, base={}, deletion="")
    case.refresh_from_db()
    assert (case.revision, AuditEntry.objects.filter(action="application.save_draft").count()) == (0, 0)


def test_proposals_that_were_seen_are_proposals_no_longer(provider: Actor) -> None:
    case = start_application(actor=provider)
    case.proposals = {key: {"value": "读", "source": "表.pdf"} for key in ("deletion", "product", "remarks")}
    case.save(update_fields=["proposals"])
    case = save_draft(case=case, actor=provider, revision=0, seen=["deletion"], deletion="读")
    seen = {"product": "读", "remarks": "别的"}  # the page showed another value of the remarks
    case = merge_draft(case=case, actor=provider, base={}, seen=seen, product="读").case
    assert (case.draft, list(case.proposals)) == ({"deletion": "读", "product": "读"}, ["remarks"])
    entries = AuditEntry.objects.filter(action="application.save_draft").order_by("pk")
    assert [entry.detail for entry in entries] == [
        {"fields": ["deletion"], "looked_at": ["deletion"]},
        {"fields": ["product"], "looked_at": ["product"]},
    ]
