"""Many rows at once (C07): shown first, then done one by one; what fails is listed with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.models import AuditEntry, ProviderRegistration
from pilot.registry import Batch, pages_of
from pilot.views import lists
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.applications.builders import client_of
from tests.factories import world
from tests.pilot.lists.helpers import LIST, asked, find, first_cells, messages, page


def turn_down(*, case: ProviderRegistration, actor: Actor) -> None:
    """A real act of the machine."""
    fire(case, "reject", actor=actor, reason="示例批量")


@pytest.fixture(autouse=True)
def batches(programme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch("reject", "不予确认", turn_down, "登记不予确认，并告知申请人")
    monkeypatch.setattr(pages_of(LIST), "batches", [batch])


def url(query: str = "", machine: str = LIST, name: str = "reject") -> str:
    return f"{reverse('list_batch', args=[machine, name])}?{query}"


def send(client: Client, query: str = "", address: str = "", **fields: Any) -> Any:
    return client.post(address or url(query), fields, follow=True)


def states() -> dict[str, str]:
    return dict(ProviderRegistration.unscoped.values_list("name", "state"))


def hidden(response: Any) -> dict[str, str]:
    """What the page that asks once more sends along."""
    root = html.document_fromstring(response.content.decode())
    return {e.get("name"): e.get("value") for e in find(root, "main form [type=hidden]")}


def test_a_hundred_rows_of_which_three_are_not_possible(bureau_reviewer: Actor) -> None:
    cases = [asked(f"示例{serial:03d}") for serial in range(100)]
    settled = cases[10:13]
    for case in settled:
        fire(case, "confirm", actor=bureau_reviewer)
    client = client_of(bureau_reviewer)
    preview = send(client, all="1")
    assert preview.context["page"].count == 100
    assert len(preview.context["page"].rows) == lists.SHOWN
    assert ProviderRegistration.unscoped.filter(state="rejected").count() == 0
    result = send(client, **hidden(preview))
    assert result.context["page"].title == "不予确认：成功 97，失败 3"
    assert [row.cells for row in result.context["page"].rows] == [
        [f"{case.number} {case.name}", "当前状态为“已确认”，不能不予确认"] for case in reversed(settled)
    ]
    assert ProviderRegistration.unscoped.filter(state="rejected").count() == 97
    entry = AuditEntry.objects.get(action="list.batch")
    assert (entry.object_id, entry.detail) == (f"{LIST}.reject", {"done": 97, "failed": 3})
    # Reading the result again repeats nothing.
    assert client.get(result.request["PATH_INFO"]).context["page"].title == "不予确认：成功 97，失败 3"
    assert AuditEntry.objects.filter(action="list.batch").count() == 1


def test_only_the_ticked_rows_and_only_once_they_were_shown(bureau_reviewer: Actor) -> None:
    first, second, third = (asked(name) for name in ("示例甲", "示例乙", "示例丙"))
    client = client_of(bureau_reviewer)
    preview = send(client, "q=示例", pick=[first.pk, third.pk])
    assert [row.cells[0] for row in preview.context["page"].rows] == ["示例丙", "示例甲"]
    assert preview.context["page"].effect == "登记不予确认，并告知申请人"
    done = send(client, "q=示例", **hidden(preview))
    assert list(messages(done)) == ["不予确认：成功 2，失败 0"]
    assert done.redirect_chain[0][0] == f"/cases/{LIST}/?q=%E7%A4%BA%E4%BE%8B"
    assert states() == {"示例甲": "rejected", "示例乙": second.state, "示例丙": "rejected"}


def test_all_means_what_answers_the_filter_and_a_late_comer_is_not_dragged_in(
    bureau_reviewer: Actor,
) -> None:
    asked("示例甲"), asked("别家乙")
    client = client_of(bureau_reviewer)
    preview = send(client, "q=示例", all="1")
    asked("示例丙")
    send(client, "q=示例", **hidden(preview))
    assert states() == {"示例甲": "rejected", "别家乙": "requested", "示例丙": "requested"}


@pytest.mark.parametrize("fields", [{}, {"pick": ""}, {"pick": "x"}, {"pick": "0", "confirmed": "1"}])
def test_nothing_ticked_is_said(bureau_reviewer: Actor, fields: dict[str, str]) -> None:
    asked("示例甲")
    assert list(messages(send(client_of(bureau_reviewer), **fields))) == ["请先选择要办理的事项"]


def test_too_many_are_refused_with_the_number(
    bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    for name in ("示例甲", "示例乙", "示例丙"):
        asked(name)
    said = list(messages(send(client_of(bureau_reviewer), all="1")))
    assert said == ["一次最多办理 2 项，已选择 3 项，请缩小范围"]


def test_foreign_rows_are_not_there_whoever_names_them(bureau_reviewer: Actor) -> None:
    own, foreign = asked("示例甲"), asked("示例桂", province=Province.GUANGXI)
    client = client_of(bureau_reviewer)
    assert [row.cells[0] for row in send(client, pick=[own.pk, foreign.pk]).context["page"].rows] == [
        "示例甲"
    ]
    result = send(client, pick=f"{own.pk},{foreign.pk}", confirmed="1")
    assert result.context["page"].title == "不予确认：成功 1，失败 1"
    assert [row.cells for row in result.context["page"].rows] == [["", "事项已不存在或不再可见"]]
    assert states()["示例桂"] == "requested"


def test_a_filter_the_list_does_not_know_is_no_filter_to_act_on(bureau_reviewer: Actor) -> None:
    asked("示例甲")
    assert send(client_of(bureau_reviewer), "state=nonsense", all="1").status_code == 404


def test_who_may_not_act_sees_no_ticks_and_reaches_no_batch(ministry_officer: Actor) -> None:
    case = asked("示例甲")
    client = client_of(ministry_officer)
    assert find(page(client), "[name=pick], .batch-bar") == []
    assert send(client, pick=case.pk).status_code == 404
    assert send(client, address=url(name="nonsense"), pick=case.pk).status_code == 404


def test_the_bar_offers_the_page_and_all_of_the_filter(bureau_reviewer: Actor) -> None:
    for serial in range(12):
        asked(f"示例{serial}")
    root = page(client_of(bureau_reviewer), "size=10&q=示例&page=2")
    assert len(find(root, "td.pick [name=pick][form=batch]")) == 2
    assert find(root, ".batch-all")[0].text_content().strip() == "全部 12 条符合条件的记录"
    assert [(b.text_content(), b.get("formaction")) for b in find(root, ".batch-bar [type=submit]")] == [
        ("批量不予确认", url("q=%E7%A4%BA%E4%BE%8B"))
    ]


def test_the_result_of_one_role_is_not_shown_to_another(bureau_reviewer: Actor) -> None:
    asked("示例甲")
    client = client_of(bureau_reviewer)
    send(client, pick=f"{asked('示例乙').pk},0", confirmed="1")
    session = client.session
    session[lists.RESULT] = {**session[lists.RESULT], "of": [LIST, "reject", 0]}
    session.save()
    assert client.get(url()).status_code == 302


def test_applications_are_taken_on_the_desk_together(
    bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    mine, taken = intake.submitted(provider), intake.submitted(world.provider())
    address = url(machine="application", name="claim")
    send(client_of(bureau_lead), address=address, pick=taken.pk, confirmed="1")
    result = send(client_of(bureau_reviewer), address=address, pick=f"{mine.pk},{taken.pk}", confirmed="1")
    assert result.context["page"].title == "认领：成功 1，失败 1"
    assert result.context["page"].rows[0].cells[0].startswith(taken.number)
    root = page(client_of(bureau_reviewer), "desk=mine", machine="application")
    assert first_cells(root) == [mine.number]


@pytest.mark.parametrize("role", [Role.BUREAU_REVIEWER, Role.BUREAU_LEAD])
def test_both_roles_of_the_bureau_may(role: str) -> None:
    case = asked("示例甲")
    send(client_of(world.bureau(role)), pick=case.pk, confirmed="1")
    assert states() == {"示例甲": "rejected"}
