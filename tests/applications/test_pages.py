"""The pages: a whole intake in the browser's own requests, what each role reads, and a fixed number of queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.forms.bureau import ReturnForm
from applications.models import Application, LateAdmission
from applications.rules.completeness import REQUIRED_FILES
from applications.rules.form import STANDARD
from pilot.actors import Actor
from pilot.models import TransitionRecord
from pilot.registry import pages_of
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import hidden, typed
from tests.applications.form.pages import url as own
from tests.factories import world


def url(case: Application, *parts: str) -> str:
    return "/".join([f"/cases/application/{case.pk}", *parts]) + "/"


def test_from_nothing_to_acceptance_in_the_browser(provider: Actor, bureau_reviewer: Actor) -> None:
    client = builders.client_of(provider)
    response = client.post("/cases/application/new/", {"csrfmiddlewaretoken": "x"})
    case = Application.unscoped.get()
    assert (response.status_code, response["Location"]) == (302, own(case, "form"))

    for section in STANDARD.sections:
        keys = [field.key for field in section.fields if not field.fixed]
        said = {key: value for key, value in builders.content_of(provider).items() if key in keys}
        assert client.post(own(case, "form", section.key), typed(said)).status_code == 302
    for kind in REQUIRED_FILES:
        upload = builders.upload(f"{kind}.pdf", builders.pdf(kind))
        response = client.post(own(case, "files"), {"kind": kind, "uploads": upload})
        assert response.status_code == 302
    sent = hidden(client.get(own(case, "check")))
    assert client.post(own(case, "check"), sent).status_code == 422
    response = client.post(own(case, "check"), {**sent, "declaration": "on"})
    assert response["Location"] == own(case, "receipt")

    reviewer = builders.client_of(bureau_reviewer)
    data = {"seen": "submitted", "item_licence_authority": "与许可证不一致", "item_licence": "缺附页"}
    assert reviewer.post(url(case, "do", "return_for_correction"), data).status_code == 302

    page = client.get(own(case, "form", "licence"))
    assert 'name="licence_authority"' in page.content.decode()
    data = {**hidden(page), "licence_authority": "更正"}
    assert client.post(own(case, "form", "licence"), data)["Location"] == own(case, "files")
    sent = {**hidden(client.get(own(case, "check"))), "declaration": "on"}
    assert client.post(own(case, "check"), sent)["Location"] == own(case, "receipt")
    assert reviewer.post(url(case, "do", "accept"), {"seen": "submitted"}).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.acceptance_number) == ("accepted", "SL2019-44-00001")


def test_a_return_without_any_row_is_refused_in_words(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    response = builders.client_of(bureau_reviewer).post(
        url(case, "do", "return_for_correction"), {"seen": "submitted"}
    )
    assert response.status_code == 422
    assert "请至少列出一处需要补正的内容" in response.content.decode()


def test_the_return_form_has_one_row_per_field_and_file(provider: Actor, bureau_reviewer: Actor) -> None:
    form = ReturnForm(case=builders.submitted(provider), actor=bureau_reviewer)
    rows = [name.removeprefix("item_") for name in form.fields if name.startswith("item_")]
    assert rows == list(STANDARD.targets)
    assert form.fields["item_licence_number"].help_text == "所填：B1-20180123"


def test_only_a_further_return_asks_for_a_reason_and_takes_one(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    """A reason with the first notice would be the bureau's note to itself in the applicant's timeline."""
    case = builders.submitted(provider)
    address = url(case, "do", "return_for_correction")
    first, again = builders.client_of(bureau_reviewer), builders.client_of(bureau_lead)
    said = {"item_licence_authority": "与许可证不一致", "item_licence": "缺附页"}
    asked = ["再次补正的理由" in first.get(address).content.decode()]
    assert first.post(address, {**said, "reason": "内部备注"}).status_code == 302
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    asked.append("再次补正的理由" in again.get(address).content.decode())
    assert asked == [False, True]
    answer = again.post(address, said)
    assert (answer.status_code, answer.content.decode().count("再次要求补正须说明理由")) == (422, 2)
    assert again.post(address, {**said, "reason": "仍缺附页"}).status_code == 302
    steps = TransitionRecord.objects.filter(object_id=case.pk, name="return_for_correction")
    assert list(steps.order_by("number").values_list("reason", flat=True)) == ["", "仍缺附页"]


@pytest.mark.parametrize("role", ["bureau_reviewer", "ministry_officer", "provider"])
def test_contact_data_is_masked_for_everybody_who_does_not_edit_it(
    provider: Actor, request: pytest.FixtureRequest, role: str
) -> None:
    reader = request.getfixturevalue(role)
    case = builders.submitted(provider)
    page = builders.client_of(reader).get(url(case)).content.decode()
    assert ("13900000002" in page, "139****0002" in page) == (False, True)
    assert ("contact@example.cn" in page, "con***@example.cn" in page) == (False, True)


def test_the_bureau_reads_what_was_handed_in_not_what_is_being_written(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    pages = {
        actor.role: builders.client_of(actor).get(url(case)).content.decode()
        for actor in (provider, bureau_reviewer)
    }
    assert {role: "示例发证机关（更正）" in page for role, page in pages.items()} == {
        "provider_admin": True,
        "bureau_reviewer": False,
    }
    assert {role: "licence2.pdf" in page for role, page in pages.items()} == {
        "provider_admin": True,
        "bureau_reviewer": False,
    }
    fire(case, "resubmit", actor=provider, declaration=True)
    page = builders.client_of(bureau_reviewer).get(url(case)).content.decode()
    assert "最近一次补正的内容" in page
    assert "示例发证机关（更正）" in page


def test_what_an_application_begins_is_said_before(provider: Actor) -> None:
    address = reverse("application_create")
    (section,) = builders.client_of(provider).get(address).context["page"].sections
    facts = {fact.label: fact.value for fact in section.facts}
    assert (facts["受理单位"], str(facts["提交截止"])) == ("广东省通信管理局", "2019-04-15 15:59:59+00:00")
    builders.start_application(actor=provider)
    (section,) = builders.client_of(provider).get(address).context["page"].sections
    assert (section.title, "贵单位已有在办申请" in section.empty) == ("现在不能提出申请", True)


def test_a_foreign_case_does_not_exist(provider: Actor) -> None:
    case = builders.submitted(provider)
    for actor in (world.provider(), world.bureau(province=11)):
        assert builders.client_of(actor).get(url(case)).status_code == 404


def test_a_refusal_shows_the_way_to_object(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.refused(provider, bureau_reviewer)
    link = f"/cases/objection/new/?machine=application&amp;object_id={case.pk}"
    assert link in builders.client_of(provider).get(url(case)).content.decode()
    assert link not in builders.client_of(bureau_reviewer).get(url(case)).content.decode()


def test_what_waits_for_whom(
    provider: Actor,
    bureau_reviewer: Actor,
    ministry_officer: Actor,
    ministry_approver: Actor,
) -> None:
    builders.submitted(provider)
    builders.start_application(actor=world.provider())
    returning = world.provider()
    builders.returned(returning, bureau_reviewer)
    pages = pages_of("application")
    counts = {}
    for actor in (provider, returning, bureau_reviewer, world.bureau(province=11), ministry_officer):
        waiting = pages.waiting(actor)
        visible = Application.objects.visible_to(actor)
        counts[actor.person_id] = None if waiting is None else visible.filter(waiting).count()
    assert list(counts.values()) == [0, 1, 1, 0, None]
    assert pages_of("late-admission").waiting(ministry_officer) is None
    assert pages_of("late-admission").waiting(ministry_approver) is not None


def test_late_admission_in_the_browser(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    name = provider.organisation_name
    data = {"provider": name[:-1], "until": "2019-04-25 00:00", "reason": "示例：自然灾害"}
    officer = builders.client_of(ministry_officer)
    told = officer.post("/cases/late-admission/new/", data)
    assert f"没有这个单位；名称相近的有：{name}" in told.text
    assert officer.post("/cases/late-admission/new/", data | {"provider": name}).status_code == 302
    admission = LateAdmission.unscoped.get()
    target = f"/cases/late-admission/{admission.pk}/"
    assert builders.client_of(ministry_approver).get(target).status_code == 200
    response = builders.client_of(ministry_approver).post(f"{target}do/approve/", {"seen": "proposed"})
    assert response.status_code == 302
    admission.refresh_from_db()
    assert admission.state == "granted"
    assert "示例：自然灾害" in builders.client_of(provider).get(target).content.decode()


def test_the_list_costs_the_same_for_one_row_and_for_three(provider: Actor, bureau_reviewer: Actor) -> None:
    client = builders.client_of(bureau_reviewer)
    counts = []
    for more in ([provider], [world.provider(), world.provider()]):
        for actor in more:
            builders.submitted(actor)
        client.get("/cases/application/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/cases/application/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_case_page_costs_the_same_after_one_version_and_after_two(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    client = builders.client_of(bureau_reviewer)
    client.get(url(case))
    builders.corrected(case, provider)
    fire(case, "resubmit", actor=provider, declaration=True)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url(case)).status_code == 200
    assert len(queries) <= 70


def test_what_an_answer_changed_is_shown_and_masked(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.submitted(provider)
    items = [{"target": "contact_mobile", "text": "无法接通"}, {"target": "form", "text": "印章不清"}]
    case = fire(case, "return_for_correction", actor=bureau_reviewer, items=items)
    builders.save_draft(case=case, actor=provider, revision=1, contact_mobile="13900000099")
    upload = builders.upload("form2.pdf", builders.pdf("form2"))
    builders.add_file(case=case, actor=provider, kind="form", upload=upload)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    rows = {}
    for actor in (bureau_reviewer, ministry_officer):
        sections = pages_of("application").sections(case, actor)
        section = next(part for part in sections if part.title == "最近一次补正的内容")
        cells = [
            [cell if isinstance(cell, tuple) else str(cell) for cell in row.cells] for row in section.rows
        ]
        rows[actor.role] = cells
    files = ["盖章申请表", ("form.pdf",), ("form2.pdf",)]
    assert rows == {
        "bureau_reviewer": [["联系人手机", "139****0002", "139****0099"], files],
        "ministry_officer": [["联系人手机", "139****0002", "139****0099"], files],
    }


def test_every_item_of_a_notice_leads_to_its_control(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    sections = {
        actor.role: next(
            section
            for section in pages_of("application").sections(case, actor)
            if section.title == "需要补正的内容（第 1 次告知）"
        )
        for actor in (provider, bureau_reviewer)
    }
    assert {role: [row.url for row in section.rows] for role, section in sections.items()} == {
        "provider_admin": [
            f"{own(case, 'form', 'licence')}#id_licence_authority",
            f"/applications/{case.pk}/files/#licence",
        ],
        "bureau_reviewer": ["", ""],
    }
    page = builders.client_of(provider).get(own(case, "form", "licence")).content.decode()
    assert page.count('id="id_licence_authority"') == 1
