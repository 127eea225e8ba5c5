"""The checklist: its verdict cannot contradict its marks, and acceptance cannot contradict the verdict (R03)."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from applications.enums import Mark
from applications.forms.bureau import ReturnForm
from applications.models import Application, ChecklistMark, CompletenessNotice
from applications.rules.checklist import Verdict, by_condition, items_of, verdict
from applications.rules.form import STANDARD
from applications.selectors import review as selector
from applications.services import claims
from applications.services.files import add_file
from applications.services.review import Given, mark
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import AuditEntry, Condition, Programme
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.review import papers
from tests.factories import world

ITEMS = items_of("2019-87")
KEYS = [item.key for item in ITEMS]
MARKS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(Mark.values))


# --- pure -------------------------------------------------------------------------------------------
def test_the_shipped_checklist_covers_the_conditions_of_the_programme(programme: Programme) -> None:
    numbers = set(Condition.objects.filter(programme=programme).values_list("number", flat=True))
    assert {item.condition for item in ITEMS} == numbers == {1, 2, 3}
    assert len(KEYS) == len(set(KEYS)) == 14
    assert [t for item in ITEMS for t in item.targets if t not in STANDARD.targets] == []
    assert [item.key for item in ITEMS if not item.phrases] == []


def test_a_programme_without_a_checklist_has_no_items() -> None:
    assert (items_of("0000-00"), verdict((), {})) == ((), Verdict.OPEN)


@given(marks=MARKS)
def test_the_verdict_never_contradicts_the_marks(marks: dict[str, str]) -> None:
    found = verdict(ITEMS, marks)
    assert (found is Verdict.CANNOT_ACCEPT) == (Mark.NOT_MET in marks.values())
    assert (found is Verdict.OPEN) == (not marks)
    if found is Verdict.MAY_ACCEPT:
        assert set(marks) == set(KEYS)
        assert {item.condition for item in ITEMS if marks[item.key] == Mark.MET} == {1, 2, 3}


@given(marks=MARKS, key=st.sampled_from(KEYS))
def test_one_item_not_met_bars_whatever_else_is_marked(marks: dict[str, str], key: str) -> None:
    assert verdict(ITEMS, {**marks, key: Mark.NOT_MET}) is Verdict.CANNOT_ACCEPT


@given(marks=MARKS)
def test_the_whole_is_open_to_acceptance_exactly_when_every_condition_is(marks: dict[str, str]) -> None:
    parts = set(by_condition(ITEMS, marks).values())
    assert (verdict(ITEMS, marks) is Verdict.MAY_ACCEPT) == (parts == {Verdict.MAY_ACCEPT})


def test_a_condition_on_which_nothing_applied_has_not_been_examined() -> None:
    marks = {item.key: Mark.NOT_APPLICABLE if item.condition == 2 else Mark.MET for item in ITEMS}
    assert verdict(ITEMS, marks) is Verdict.UNDECIDED


# --- marking ----------------------------------------------------------------------------------------
@pytest.fixture
def case(provider: Actor) -> Application:
    return papers.submitted(provider)


def give(case: Application, actor: Actor, value: str, *keys: str, **more: Any) -> int:
    rows = [Given(item=key, mark=value, **more) for key in keys or KEYS]
    return mark(case=case, actor=actor, version=1, given=rows)


def test_a_mark_is_kept_with_where_it_was_seen_and_may_be_taken_away(
    case: Application, bureau_reviewer: Actor
) -> None:
    file = papers.file_of(case, "licence")
    assert give(case, bureau_reviewer, "not_met", "licence_valid", text=" 已过期 ", file=file.pk, page=2) == 1
    row = ChecklistMark.unscoped.get()
    assert (row.version, row.item, row.mark, row.text) == (1, "licence_valid", "not_met", "已过期")
    assert (row.file, row.page, row.marked_by_id) == (file, 2, bureau_reviewer.person_id)
    assert give(case, bureau_reviewer, "not_met", "licence_valid", text="已过期", file=file.pk, page=2) == 0
    assert give(case, bureau_reviewer, "", "licence_valid") == 1
    assert ChecklistMark.unscoped.count() == 0
    details = (
        AuditEntry.objects.filter(action="application.mark").order_by("pk").values_list("detail", flat=True)
    )
    assert [entry["marks"] for entry in details] == [{"licence_valid": "not_met"}, {"licence_valid": ""}]


def test_marking_takes_the_case_on_the_desk_and_is_refused_to_others(
    case: Application, bureau_reviewer: Actor
) -> None:
    give(case, bureau_reviewer, "met", "product")
    other = world.bureau()
    with pytest.raises(Refused, match="正在审核"):
        give(case, other, "not_met", "product")
    claims.release(case=case, actor=bureau_reviewer)
    assert give(case, other, "not_met", "product") == 1
    row = ChecklistMark.unscoped.get()
    assert (row.mark, row.marked_by_id) == ("not_met", other.person_id)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Given("nothing", "met"), "没有这一项"),
        (Given("product", "perhaps"), "没有这种"),
        (Given("product", "not_met", text="长" * 501), "超过 500 字"),
        (Given("product", "met", file=0), "不在本次提交"),
    ],
)
def test_what_does_not_exist_is_refused_and_nothing_is_kept(
    case: Application, bureau_reviewer: Actor, row: Given, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        mark(case=case, actor=bureau_reviewer, version=1, given=[Given("error_rates", "met"), row])
    assert ChecklistMark.unscoped.count() == 0


def test_a_page_the_file_does_not_have_is_refused(case: Application, bureau_reviewer: Actor) -> None:
    file = papers.file_of(case)
    file_pages = file.pages or 0
    with pytest.raises(Refused, match="页码"):
        give(case, bureau_reviewer, "met", "form_stamped", file=file.pk, page=file_pages + 1)


def test_a_picture_has_one_page(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    upload = builders.upload("示例.png", papers.picture())
    file = add_file(case=case, actor=provider, kind="other", upload=upload)
    fire(case, "submit", actor=provider, declaration=True)
    for page in (2, 10**11):
        with pytest.raises(Refused, match="页码"):
            give(case, bureau_reviewer, "met", "product", file=file.pk, page=page)
    assert give(case, bureau_reviewer, "met", "product", file=file.pk, page=1) == 1


def test_only_the_bureau_of_the_province_marks(
    case: Application, provider: Actor, ministry_officer: Actor
) -> None:
    for actor in (provider, ministry_officer, world.bureau(province=Province.ZHEJIANG), builders.system()):
        with pytest.raises(NotPermitted):
            give(case, actor, "met", "product")


def test_marks_of_another_province_provider_and_ministry_see_nothing(
    case: Application,
    provider: Actor,
    ministry_officer: Actor,
    ministry_approver: Actor,
    bureau_reviewer: Actor,
) -> None:
    give(case, bureau_reviewer, "met", "product")
    seen = {
        name: ChecklistMark.objects.visible_to(actor).count()
        for name, actor in {
            "reviewer": bureau_reviewer,
            "lead": world.bureau(Role.BUREAU_LEAD),
            "other bureau": world.bureau(province=Province.ZHEJIANG),
            "provider": provider,
            "officer": ministry_officer,
            "approver": ministry_approver,
            "assessor": world.assessor(),
        }.items()
    }
    assert seen == {
        "reviewer": 1, "lead": 1, "other bureau": 0, "provider": 0, "officer": 0, "approver": 0, "assessor": 0
    }  # fmt: skip


# --- what it means for the bureau's word --------------------------------------------------------------
def test_without_a_mark_acceptance_stays_possible(case: Application, bureau_reviewer: Actor) -> None:
    assert fire(case, "accept", actor=bureau_reviewer).state == "accepted"


def test_acceptance_cannot_contradict_the_checklist(case: Application, bureau_reviewer: Actor) -> None:
    give(case, bureau_reviewer, "met")
    give(case, bureau_reviewer, "not_met", "test_report")
    with pytest.raises(Refused, match="不符合项，不能受理：测试报告"):
        fire(case, "accept", actor=bureau_reviewer)
    give(case, bureau_reviewer, "", "test_report")
    with pytest.raises(Refused, match="还有 1 项未审"):
        fire(case, "accept", actor=bureau_reviewer)
    give(case, bureau_reviewer, "met", "test_report")
    assert fire(case, "accept", actor=bureau_reviewer).state == "accepted"


def test_the_notice_asserts_no_ground_that_nobody_wrote(case: Application, bureau_reviewer: Actor) -> None:
    file = papers.file_of(case, "form")
    give(case, bureau_reviewer, "not_met", "licence_valid")
    give(case, bureau_reviewer, "not_met", "form_stamped", file=file.pk, page=1)
    form = ReturnForm({}, case=case, actor=bureau_reviewer)
    rows = [form.fields[name] for name in ("item_licence_expires_on", "item_form")]
    assert [(row.initial, row.required, row.help_text) for row in rows] == [
        (
            "",
            True,
            "所填：2023-05-19。审核清单标为不符合而未写原因：许可证在有效期内，编号与扫描件一致",
        ),
        (
            "",
            True,
            "所交：form.pdf。审核清单标为不符合而未写原因："
            "申请表已加盖公章，且与网上所填一致（见盖章申请表第1页）",
        ),
    ]
    assert [name for name, row in form.fields.items() if row.required] == [
        "item_licence_expires_on",
        "item_form",
    ]
    client = builders.client_of(bureau_reviewer)
    address = reverse("application_act", args=[case.pk, "return_for_correction"])
    assert (client.post(address, {}).status_code, CompletenessNotice.unscoped.count()) == (422, 0)
    written = {"item_licence_expires_on": "所填有效期与许可证扫描件不一致", "item_form": "缺第二页"}
    assert client.post(address, written).status_code == 302
    [notice] = CompletenessNotice.unscoped.all()
    assert dict(notice.items.values_list("target", "text")) == {
        "licence_expires_on": "所填有效期与许可证扫描件不一致",
        "form": "缺第二页",
    }


def test_the_notice_comes_filled_in_and_the_answer_is_examined_afresh(
    case: Application, provider: Actor, bureau_reviewer: Actor
) -> None:
    file = papers.file_of(case, "licence")
    give(case, bureau_reviewer, "not_met", "licence_valid", text="所填有效期不一致", file=file.pk, page=2)
    give(case, bureau_reviewer, "not_met", "form_stamped")
    form = ReturnForm(case=case, actor=bureau_reviewer)
    filled = {name: row.initial for name, row in form.fields.items() if row.initial}
    assert filled == {
        "item_licence_expires_on": "所填有效期不一致（见增值电信业务经营许可证第2页）",
    }
    assert list(form.fields)[:3] == ["item_licence_expires_on", "item_form", "item_registered_address"]
    assert form.fields["item_licence_expires_on"].help_text == "所填：2023-05-19"
    assert form.fields["item_form"].help_text == (
        "所交：form.pdf。审核清单标为不符合而未写原因：申请表已加盖公章，且与网上所填一致"
    )
    assert "许可证有效期已届满，请提交延续后的许可证" in str(form["item_licence_expires_on"])

    fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    builders.corrected(case, provider)
    case.refresh_from_db()
    fire(case, "resubmit", actor=provider, declaration=True)
    case.refresh_from_db()
    assert selector.marks(case) == {}
    assert set(selector.earlier_marks(case)) == {"licence_valid", "form_stamped"}
    with pytest.raises(StateChanged):
        give(case, bureau_reviewer, "met", "product")
    assert fire(case, "accept", actor=bureau_reviewer).state == "accepted"
