"""A section: what is typed stays, two windows merge or are asked, what was read is not taken for seen (P04, P06)."""

from __future__ import annotations

import json
import re

import pytest

from applications.models import Application
from applications.rules.form import FIELDS, MANY, SECTIONS, masked
from applications.services.drafts import start_application
from pilot.actors import Actor
from tests.applications import builders
from tests.applications.form.pages import Window, propose, text, url, window
from tests.factories import world


@pytest.fixture
def case(provider: Actor) -> Application:
    return start_application(actor=provider)


def draft(case: Application) -> dict[str, object]:
    case.refresh_from_db()
    return dict(case.draft)


def test_the_button_keeps_everything_and_names_what_is_wrong(case: Application, provider: Actor) -> None:
    opened = window(provider, case, "protection")
    response = opened.save(protection_level="3", storage_days="很久", deletion=" 到期删除 ")
    assert (response.status_code, response["Location"]) == (
        302,
        f"{url(case, 'form', 'protection')}?faults=1",
    )
    assert draft(case) == {"protection_level": "3", "storage_days": "很久", "deletion": "到期删除"}
    page = opened.client.get(response["Location"])
    assert page.context["page"].form.errors.keys() == {
        "protection_certificate", "crypto_assessment", "storage_place", "storage_days", "emergency_plan",
    }  # fmt: skip
    assert "已保存，但以下内容还需补充或更正" in text(page)
    assert page.content.decode().count('value="很久"') == 1
    assert '<a href="#id_storage_days">' in page.content.decode()


def test_a_right_section_leads_to_the_next_or_back_to_the_check(case: Application, provider: Actor) -> None:
    scope = {key: builders.CONTENT[key] for key in ("provinces", "channels", "planned_start")}
    assert window(provider, case, "scope").save(**scope)["Location"] == url(case, "files")
    back = window(provider, case, "scope", "?from=check").save(remarks="示例")
    assert back["Location"] == f"{url(case, 'check')}#scope"
    assert window(provider, case, "unit").save(then="later")["Location"] == url(case, "form")


def test_a_section_counts_the_files_among_the_parts(case: Application, provider: Actor) -> None:
    client = builders.client_of(provider)
    assert window(provider, case, "people").page.context["page"].step == "第 3 部分，共 7 部分"
    page = client.get(url(case, "form"))
    assert (page.context["page"].total, "共 7 部分。" in text(page)) == (7, True)


def test_a_star_stands_at_what_has_to_be_filled_in(case: Application, provider: Actor) -> None:
    page = window(provider, case, "scope").page
    assert re.findall(r"<(?:label|legend)[^>]*>([^<]+)<span class=\"required\"", page.content.decode()) == [
        str(field.label) for field in SECTIONS[-1].fields if field.required
    ]
    assert text(page).count("带 * 的为必填，注明“选填”的可以不填；内容自动保存") == 1


def test_what_does_not_fit_a_control_stays_on_the_page(case: Application, provider: Actor) -> None:
    response = window(provider, case, "scope").save(remarks="长" * 4001, channels=["app"])
    assert response.status_code == 422
    assert response.content.decode().count("长" * 4001) == 1
    assert draft(case) == {"channels": ["app"]}


def test_a_typed_date_that_is_none_is_shown_again(case: Application, provider: Actor) -> None:
    window(provider, case, "scope").save(planned_start="5月下旬")
    again = window(provider, case, "scope")
    assert 'value="5月下旬"' in again.page.content.decode()
    again.save()
    assert draft(case) == {"planned_start": "5月下旬"}


def test_two_windows_with_different_fields_are_merged(case: Application, provider: Actor) -> None:
    one, two = window(provider, case, "protection"), window(provider, case, "protection")
    assert one.autosave(deletion="甲")[0] == 200
    status, answer = two.autosave(storage_place="乙")
    assert (status, answer["clashes"], answer["revision"]) == (200, {}, 2)
    assert draft(case) == {"deletion": "甲", "storage_place": "乙"}
    assert two.autosave(deletion="丙")[1]["clashes"] == {}  # the answer had told it of 甲
    assert one.save(then="later").status_code == 302  # changes nothing, so it overwrites nothing
    assert draft(case) == {"deletion": "丙", "storage_place": "乙"}


def test_two_windows_with_one_field_ask_and_lose_nothing(case: Application, provider: Actor) -> None:
    one, two = window(provider, case, "protection"), window(provider, case, "protection")
    one.save(deletion="甲")
    response = two.save(deletion="乙", storage_place="示例机房")
    page = response.content.decode()
    assert response.status_code == 409
    assert draft(case) == {"deletion": "甲", "storage_place": "示例机房"}
    assert 'name="deletion" value="乙"' in page
    assert "本窗口所填： 乙" in text(response)
    assert "另一窗口已保存： 甲" in text(response)


@pytest.mark.parametrize(("take", "kept"), [("own", "乙"), ("other", "甲")])
def test_the_person_decides_which_of_two_values_holds(
    case: Application, provider: Actor, take: str, kept: str
) -> None:
    one, two = window(provider, case, "protection"), window(provider, case, "protection")
    one.save(deletion="甲")
    two.page = two.save(deletion="乙")
    two.sent |= {"deletion": "乙", "other-deletion": '"甲"', "take-deletion": take}
    assert two.save(then="later").status_code == 302
    assert draft(case) == {"deletion": kept}


def test_a_choice_made_on_an_old_value_asks_again(case: Application, provider: Actor) -> None:
    one, two = window(provider, case, "protection"), window(provider, case, "protection")
    one.autosave(deletion="甲")
    two.save(deletion="乙")
    one.autosave(deletion="甲二")
    two.sent |= {"deletion": "乙", "other-deletion": '"甲"', "take-deletion": "own"}
    assert two.save().status_code == 409
    assert draft(case) == {"deletion": "甲二"}


def test_the_background_tells_a_clash_and_saves_the_rest(case: Application, provider: Actor) -> None:
    one, two = window(provider, case, "protection"), window(provider, case, "protection")
    one.autosave(deletion="甲")
    status, answer = two.autosave(deletion="乙", storage_place="示例机房")
    assert (status, list(answer["clashes"])) == (409, ["deletion"])
    assert "另一窗口已保存" in answer["clashes"]["deletion"]
    assert draft(case) == {"deletion": "甲", "storage_place": "示例机房"}
    two.sent["other-deletion"] = '"甲"'  # in the page now, and left to the person
    status, answer = two.autosave(storage_place="示例机房二", deletion="乙二")
    assert (status, answer["clashes"]) == (200, {})
    assert draft(case) == {"deletion": "甲", "storage_place": "示例机房二"}
    two.sent["take-deletion"] = "own"
    two.save(then="later")
    assert draft(case)["deletion"] == "乙二"


def test_a_page_saves_again_and_again_without_disagreeing_with_itself(
    case: Application, provider: Actor
) -> None:
    opened = window(provider, case, "protection")
    for text_so_far in ("到", "到期", "到期删除"):
        status, answer = opened.autosave(deletion=text_so_far)
        assert (status, answer["saved_at"]) == (200, "09:00")
    assert opened.save(then="later").status_code == 302
    assert draft(case) == {"deletion": "到期删除"}


# --- what was read from an uploaded form -------------------------------------------------------------------
def test_a_read_value_stands_in_a_blank_control_until_the_button_settles_it(
    case: Application, provider: Actor
) -> None:
    propose(case, storage_days=180, provinces=["44"])
    opened = window(provider, case, "protection")
    page = opened.page.content.decode()
    assert "自动识别，请核对" in page
    assert 'name="storage_days" value="180"' in page
    assert opened.autosave(deletion="甲")[0] == 200
    assert (draft(case), sorted(case.proposals)) == ({"deletion": "甲"}, ["provinces", "storage_days"])
    opened.save(then="later")
    assert (draft(case)["storage_days"], list(case.proposals)) == (180, ["provinces"])


def test_editing_a_read_value_is_looking_at_it(case: Application, provider: Actor) -> None:
    propose(case, storage_days=180)
    window(provider, case, "protection").autosave(storage_days="200")
    assert (draft(case), case.proposals) == ({"storage_days": 200}, {})


@pytest.mark.parametrize(("take", "kept"), [("own", "已填"), ("other", "识别")])
def test_a_read_value_beside_another_one_is_chosen_or_not(
    provider: Actor, case: Application, take: str, kept: str
) -> None:
    window(provider, case, "protection").save(deletion="已填", then="later")
    case.refresh_from_db()
    propose(case, deletion="识别")
    opened = window(provider, case, "protection")
    assert "保留所填： 已填 采用识别的内容： 识别" in text(opened.page)
    opened.sent["take-deletion"] = "own"  # what the page presets
    opened.autosave(storage_place="示例机房")
    assert (draft(case)["deletion"], list(case.proposals)) == ("已填", ["deletion"])
    opened.sent["take-deletion"] = take
    opened.save(then="later")
    assert (draft(case)["deletion"], case.proposals) == (kept, {})


def test_what_is_sent_as_read_fits_its_field_like_what_is_typed(case: Application, provider: Actor) -> None:
    propose(case, deletion="识别", storage_place="识别")
    opened = window(provider, case, "protection")
    made_up = {"deletion": "长" * 5_000, "storage_place": ["识别", {"x": 1}]}
    opened.sent |= {"shown": json.dumps(made_up), "take-deletion": "other", "take-storage_place": "other"}
    opened.save(then="later")
    assert all(isinstance(value, str) and len(value) < 300 for value in draft(case).values())
    assert "deletion" not in draft(case)


def test_what_was_read_after_the_page_was_made_is_not_settled_by_it(
    case: Application, provider: Actor
) -> None:
    propose(case, deletion="先读")
    opened = window(provider, case, "protection")
    propose(case, deletion="后读", storage_place="后读")
    opened.save(then="later")
    case.refresh_from_db()
    assert {key: row["value"] for key, row in case.proposals.items()} == {
        "deletion": "后读",
        "storage_place": "后读",
    }


# --- a completeness notice, and whose it is ------------------------------------------------------------------
def test_a_notice_opens_its_fields_and_shows_the_rest_as_text(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    opened = window(provider, case, "licence")
    rows = {row.key: (row.control is not None, row.asked) for row in opened.page.context["page"].rows}
    assert rows["licence_authority"] == (True, "与许可证所载不一致")
    assert [key for key, (control, _asked) in rows.items() if control] == ["licence_authority"]
    assert opened.page.content.decode().count('id="id_licence_authority"') == 1
    response = opened.save(licence_authority="更正")
    assert response["Location"] == url(case, "files")  # the next place the notice names
    assert draft(case)["licence_authority"] == "更正"


def test_what_the_notice_does_not_name_stays_shut(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    before = draft(case)
    assert Window(builders.client_of(provider), case, "scope").save(remarks="x").status_code == 302
    assert draft(case) == before


def test_what_was_handed_in_meanwhile_is_told_and_kept_on_the_page(provider: Actor) -> None:
    case = builders.drafted(provider)
    opened = window(provider, case, "protection")
    builders.fire(case, "submit", actor=provider, declaration=True)
    response = opened.save(deletion="太迟")
    assert response.status_code == 422
    assert opened.client.get(opened.address)["Location"] == url(case, "progress")
    status, answer = opened.autosave(deletion="太迟")
    assert (status, answer["detail"]) == (422, "申请已提交，内容不能修改；需要补正时由通信管理局一次性告知")


def test_a_foreign_form_does_not_exist(case: Application) -> None:
    client = builders.client_of(world.provider())
    for part in ("form", "check", "progress", "receipt"):
        assert client.get(url(case, part)).status_code == 404
    assert client.post(url(case, "form", "unit"), {}).status_code == 404
    assert builders.client_of(world.bureau()).get(url(case, "form")).status_code == 403


def test_a_long_list_chosen_whole_is_told_in_a_word() -> None:
    provinces, channels = FIELDS["provinces"], FIELDS["channels"]
    every, short = ([value for value, _label in field.choices] for field in (provinces, channels))
    assert masked(provinces, every) == "全部 31 项"
    assert len(masked(provinces, every[1:])) == 30
    assert len(short) < MANY
    assert masked(channels, short) == tuple(str(label) for _value, label in channels.choices)
