"""The task list: how far every section is, what is missing, until when (P03), and a notice's items on top (P09)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from applications.models import Application, LateAdmission
from applications.pages.form import bell
from applications.rules.form import SECTIONS
from applications.services.drafts import save_draft, start_application
from applications.services.late_admissions import propose_late_admission
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Organisation
from pilot.ui import Tag
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import propose, text, url
from tests.factories import world


def shown(actor: Actor, case: Application) -> Any:
    return builders.client_of(actor).get(url(case, "form")).context["page"]


def statuses(page: Any) -> list[str]:
    return [row.status.label if isinstance(row.status, Tag) else row.status for row in page.rows]


def test_a_new_application_is_not_started_and_every_row_is_a_link(provider: Actor) -> None:
    case = start_application(actor=provider)
    page = shown(provider, case)
    assert [row.title for row in page.rows] == [*(str(section.title) for section in SECTIONS), "材料"]
    assert statuses(page) == ["未开始"] * 7
    assert [row.url for row in page.rows] == [
        *(url(case, "form", section.key) for section in SECTIONS),
        url(case, "files"),
    ]
    assert (page.done, page.total) == (0, 7)


def test_beginning_an_application_opens_its_task_list(provider: Actor) -> None:
    client = builders.client_of(provider)
    response = client.post("/cases/application/new/", {"csrfmiddlewaretoken": "x"})
    assert response["Location"] == url(Application.unscoped.get(), "form")
    detail = client.get(f"/cases/application/{Application.unscoped.get().pk}/").context["page"]
    assert (detail.actions[0].label, detail.actions[0].url) == ("填写申请", response["Location"])


def test_each_section_says_how_far_it_is(provider: Actor) -> None:
    case = start_application(actor=provider)
    scope = {"provinces": ["44"], "channels": ["app"], "planned_start": "2019-05-16"}
    values = {"postal_address": "示例", "contact_mobile": "12", "contact_name": "示例", **scope}
    case = save_draft(case=case, actor=provider, revision=0, **values)
    propose(case, product="示例 3.0", liveness_method="眨眼")
    page = shown(provider, case)
    assert statuses(page) == [
        "填写中（缺 5 项）", "未开始", "有误 1 处", "待核对 2 项", "未开始", "已完成", "未开始",
    ]  # fmt: skip
    assert [row.hint for row in page.rows[:4]] == [
        "缺：注册地址、法定代表人、企业性质、已备案接入主体数等 5 项",
        "",
        "有误：联系人手机",
        "待核对：活体检测方法、产品名称及版本",
    ]


def test_nothing_read_and_unseen_can_be_handed_in(provider: Actor) -> None:
    case = builders.drafted(provider)
    propose(case, product="示例 3.0")
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, declaration=True)
    assert str(refusal.value) == "还不能提交：产品名称及版本：自动识别的内容尚未核对"


def test_the_notice_stands_on_top_and_locks_the_rest(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    page = shown(provider, case)
    assert [row.url for row in page.notice.rows] == [
        f"{url(case, 'form', 'licence')}#id_licence_authority",
        f"{url(case, 'files')}#licence",
    ]
    locked = "本次补正不涉及"
    assert statuses(page) == [locked, "待补正 1 项", locked, locked, locked, locked, "待补正 1 项"]
    assert [row.hint for row in page.rows if row.hint] == [
        "待补正：发证机关",
        "待补正：增值电信业务经营许可证",
    ]
    assert [bool(row.url) for row in page.rows] == [False, True, False, False, False, False, True]
    assert (page.done, page.total, page.locked) == (0, 2, 5)
    words = "本次补正涉及 2 部分，已完成 0 部分；其余 5 部分本次补正不涉及，不能修改。"
    assert text(builders.client_of(provider).get(url(case, "form"))).count(words) == 1
    builders.corrected(case, provider)
    answered = shown(provider, case)
    assert statuses(answered) == [locked, "已完成", locked, locked, locked, locked, "已完成"]
    assert (answered.done, answered.total, answered.locked) == (2, 2, 5)


@pytest.mark.parametrize(
    ("at", "words", "parts"),
    [
        ("2019-03-31 00:00", "申请阶段 2019-04-01 00:00 开始，可以先填写", (1, 0, 0)),
        ("2019-04-15 21:58", "请在 2019-04-15 23:59:59 前提交", (0, 2, 2)),
        ("2019-04-16 00:00", "申请阶段已于 2019-04-15 23:59:59 结束，不能再提交；草稿仍可查看", None),
    ],
)
def test_the_bell_rings_by_the_server_clock(
    provider: Actor, at: str, words: str, parts: tuple[int, ...] | None
) -> None:
    case = start_application(actor=provider)
    now = world.moment(at)
    found = bell(case, at=now)
    assert found.text == words
    assert (found.countdown.parts[:3] if found.countdown else None) == parts


def test_a_late_admission_has_a_bell_of_its_own(provider: Actor, ministry_officer: Actor) -> None:
    case = start_application(actor=provider)
    organisation = Organisation.objects.get(pk=provider.organisation_id)
    admission: LateAdmission = propose_late_admission(
        actor=ministry_officer,
        provider=organisation,
        until=world.moment("2019-05-10 00:00"),
        reason="示例：自然灾害",
    )
    fire(admission, "approve", actor=world.ministry(Role.MINISTRY_APPROVER))
    world.at("2019-05-08 00:00")
    bell = shown(provider, case).bell
    assert (bell.text, bell.tone) == (
        "申请阶段已结束；经批准逾期准入，请在 2019-05-09 23:59:59 前提交",
        "warning",
    )


def test_what_was_handed_in_leads_to_its_progress(provider: Actor) -> None:
    case = builders.submitted(provider)
    client: Client = builders.client_of(provider)
    assert client.get(url(case, "form"))["Location"] == url(case, "progress")
    assert "申请已提交，内容不能修改" in text(client.get(url(case, "progress")))
