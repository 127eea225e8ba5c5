"""A draft that the end of the window left behind: it can be read, and nobody is asked to do what cannot be done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from applications.models import Application
from applications.services import deadlines
from applications.services.drafts import merge_draft, save_draft
from applications.services.files import add_file
from applications.services.late_admissions import propose_late_admission
from pilot import context
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Organisation
from pilot.selectors import people
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import text, url
from tests.factories import world

pytestmark = pytest.mark.django_db
CLOSED = "申请阶段已结束，草稿不能再修改或提交，仍可查看"
WAY = "由部经办人员提出逾期准入，审批人员批准后，草稿可以继续填写和提交"


def admit(provider: Actor, officer: Actor, approver: Actor, until: str) -> None:
    organisation = Organisation.objects.get(pk=provider.organisation_id)
    admission = propose_late_admission(
        actor=officer, provider=organisation, until=world.moment(until), reason="示例"
    )
    fire(admission, "approve", actor=approver)


def refusal(write: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        write()
    return str(refused.value)


def test_nothing_is_written_until_a_late_admission_is_granted(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    case = builders.drafted(provider)

    def save() -> Application:
        return save_draft(case=case, actor=provider, revision=1, contact_name="示例二")

    world.at("2019-04-16 00:00")
    writing = (
        save,
        lambda: merge_draft(case=case, actor=provider, base={}, contact_name="示例二"),
        lambda: add_file(
            case=case, actor=provider, kind="other", upload=builders.upload("b.pdf", builders.pdf("b"))
        ),
    )
    assert [refusal(write) for write in writing] == [CLOSED] * 3
    autosaved = builders.client_of(provider).post(
        url(case, "form", "people"),
        {"contact_name": "示例二"},
        headers={"X-Autosave": "1", "Accept": "application/json"},
    )
    assert (autosaved.status_code, CLOSED in autosaved.json()["detail"]) == (422, True)
    admit(provider, ministry_officer, ministry_approver, "2019-05-10 00:00")
    assert save().draft["contact_name"] == "示例二"


def test_its_pages_show_it_and_name_the_way_on(provider: Actor) -> None:
    case = builders.drafted(provider, contact_email="")
    client: Client = builders.client_of(provider)
    world.at("2019-04-16 00:00")
    asked = [client.get(url(case, *parts)) for parts in (("form",), ("form", "licence"))]
    assert [answer["Location"] for answer in asked] == [url(case, "check")] * 2
    answer = client.get(url(case, "check"))
    page, words = answer.context["page"], text(answer)
    assert (page.title, page.left) == ("查看草稿", "草稿中尚未完成的内容（1 处）")
    assert [gap.url for gap in page.gaps] == [""]
    assert [link.url for gap in page.gaps for link, _words in gap.faults] == [""]
    assert ([part.url for part in page.answers], page.files_url) == ([""] * len(page.answers), "")
    assert [words.count(word) for word in ("去填写", "提交前还需完成", "声明并提交")] == [0, 0, 0]
    assert words.count(CLOSED) == 2  # once for each page that led here
    bureau = people.bureau_of(case.province)
    assert page.bell.note.count(bureau.name) == page.bell.note.count(WAY) == words.count(page.bell.note) == 1


def test_the_case_and_its_progress_ask_for_nothing(provider: Actor) -> None:
    case = builders.drafted(provider, contact_email="")
    client = builders.client_of(provider)
    world.at("2019-04-16 00:00")
    detail = client.get(f"/cases/application/{case.pk}/")
    shown = detail.context["page"]
    assert [action.name for action in shown.actions if action.allowed] == ["progress", "withdraw"]
    assert shown.waiting_for == "无（申请阶段已结束，未提交）"
    assert (text(detail).count("提交前还需完成"), text(detail).count(WAY)) == (0, 1)
    progress = client.get(url(case, "progress"))
    assert progress.context["page"].main is None
    assert text(progress).count(WAY) == 1
    files = client.get(url(case, "files")).context["page"]
    assert (files.check, files.bell.note.count(WAY), {card.locked for card in files.cards}) == (
        None,
        1,
        {CLOSED},
    )


def test_it_waits_for_its_owner_until_told_and_again_once_it_can_be_handed_in(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    builders.drafted(provider)
    client = builders.client_of(provider)

    def waiting() -> tuple[int, int]:
        listed = client.get("/cases/application/?waiting=me").context["page"].total
        return context.waiting(provider).get("application", 0), listed

    found = [waiting()]
    world.at("2019-04-16 00:01")
    deadlines.pass_deadlines()
    found.append(waiting())
    admit(provider, ministry_officer, ministry_approver, "2019-04-20 00:00")
    found.append(waiting())
    world.at("2019-04-20 00:01")
    deadlines.pass_deadlines()
    found.append(waiting())
    assert found == [(1, 1), (0, 0), (1, 1), (0, 0)]
