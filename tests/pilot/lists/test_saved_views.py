"""Saved views (C06): kept by name, opened by default, shared with the office and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import Refused
from pilot.masking import mask_name
from pilot.models import AuditEntry, SavedView
from pilot.services import saved_views
from tests.applications.builders import client_of
from tests.factories import world
from tests.factories.audited import audited
from tests.pilot.lists.helpers import LIST, asked, find, first_cells, messages, page

URL = f"/cases/{LIST}/"


def save(client: Client, query: str, **fields: Any) -> Any:
    return client.post(f"{reverse('list_views', args=[LIST])}?{query}", fields, follow=True)


def manage(client: Client, view: SavedView, do: str) -> Any:
    return client.post(reverse("list_view", args=[LIST, view.pk]), {"do": do}, follow=True)


def tabs(client: Client, query: str = "view=all") -> list[tuple[str, str | None]]:
    found = find(page(client, query), ".view-tabs a")
    return [(" ".join(a.text_content().split()), a.get("aria-current")) for a in found]


def only() -> SavedView:
    view: SavedView = SavedView.unscoped.get()
    return view


def test_the_filter_and_order_of_the_page_are_kept_under_a_name(bureau_reviewer: Actor) -> None:
    client = client_of(bureau_reviewer)
    response = save(client, "q=示例&state=&page=3&size=50&sort=-since&nonsense=1", name=" 我的 ")
    assert list(messages(response)) == ["已保存视图：我的"]
    assert only().query == "q=%E7%A4%BA%E4%BE%8B&sort=-since"
    assert (only().shared, only().is_default) == (False, False)
    assert tabs(client) == [("全部", "true"), ("我的", None)]
    assert tabs(client, "sort=-since&q=示例&page=2") == [("全部", None), ("我的", "true")]
    assert AuditEntry.objects.filter(action="list.view_saved", object_id=str(only().pk)).count() == 1


def test_the_same_name_again_replaces_the_view(bureau_reviewer: Actor) -> None:
    client = client_of(bureau_reviewer)
    save(client, "waiting=me", name="我的")
    save(client, "state=rejected", name="我的", shared="on")
    assert (only().query, only().shared) == ("state=rejected", True)


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("", "我的", "没有可以保存的筛选条件"),
        ("page=2", "我的", "没有可以保存的筛选条件"),
        ("waiting=me", "", "请填写视图名称，不超过 40 个字"),
        ("waiting=me", "长" * 41, "请填写视图名称，不超过 40 个字"),
    ],
)
def test_what_cannot_be_kept_is_said_in_words(
    bureau_reviewer: Actor, query: str, name: str, words: str
) -> None:
    assert list(messages(save(client_of(bureau_reviewer), query, name=name))) == [words]
    assert SavedView.unscoped.count() == 0


def test_a_person_keeps_at_most_twenty_views_of_a_list(bureau_reviewer: Actor) -> None:
    for number in range(saved_views.LIMIT):
        saved_views.save(actor=bureau_reviewer, machine=LIST, name=f"{number}", query="waiting=me")
    with pytest.raises(Refused, match="筛选条件过长，不能保存"):
        saved_views.save(actor=bureau_reviewer, machine=LIST, name="长", query="q" * 2001)
    with pytest.raises(Refused, match="20"):
        saved_views.save(actor=bureau_reviewer, machine=LIST, name="再一个", query="waiting=me")
    saved_views.save(actor=bureau_reviewer, machine="application", name="别处", query="waiting=me")


def test_the_list_opens_with_the_default_view_until_all_is_asked_for(bureau_reviewer: Actor) -> None:
    client = client_of(bureau_reviewer)
    asked("示例甲")
    asked("示例乙")
    save(client, "q=甲", name="甲", is_default="on")
    response = client.get(URL)
    assert (response.status_code, response["Location"]) == (302, f"{URL}?q=%E7%94%B2")
    assert first_cells(page(client, "q=甲")) == ["示例甲"]
    assert first_cells(page(client, "view=all")) == ["示例乙", "示例甲"]
    save(client, "q=乙", name="乙", is_default="on")
    assert client.get(URL)["Location"] == f"{URL}?q=%E4%B9%99"
    manage(client, SavedView.unscoped.get(name="乙"), "plain")
    assert client.get(URL).status_code == 200
    manage(client, SavedView.unscoped.get(name="甲"), "default")
    assert client.get(URL)["Location"] == f"{URL}?q=%E7%94%B2"


def test_a_shared_view_is_seen_by_the_bureau_and_by_no_other(bureau_reviewer: Actor) -> None:
    save(client_of(bureau_reviewer), "waiting=me", name="待办", shared="on", is_default="on")
    save(client_of(bureau_reviewer), "state=rejected", name="私用")
    colleague = client_of(world.bureau(Role.BUREAU_LEAD))
    assert tabs(colleague) == [("全部", "true"), (f"待办（{mask_name(bureau_reviewer.name)}）", None)]
    assert colleague.get(URL).status_code == 200  # whose default it is, is its owner's choice
    assert find(page(colleague, "view=all"), ".view-own") == []
    elsewhere = client_of(world.bureau(province=Province.GUANGXI))
    assert find(page(elsewhere, "view=all"), ".view-bar") == []
    ministry = client_of(world.ministry())
    assert find(page(ministry, "view=all"), ".view-bar") == []


@pytest.mark.parametrize("do", ["delete", "default"])
def test_a_view_is_changed_by_its_owner_only(bureau_reviewer: Actor, do: str) -> None:
    save(client_of(bureau_reviewer), "waiting=me", name="待办", shared="on")
    colleague = client_of(world.bureau(Role.BUREAU_LEAD))
    assert list(messages(manage(colleague, only(), do))) == ["只能更改自己保存的视图"]
    stranger = client_of(world.bureau(province=Province.GUANGXI))
    assert manage(stranger, only(), do).status_code == 404
    assert (only().name, only().is_default) == ("待办", False)


def test_a_deleted_view_is_gone_for_everyone(bureau_reviewer: Actor) -> None:
    client = client_of(bureau_reviewer)
    save(client, "waiting=me", name="待办", shared="on")
    assert list(messages(manage(client, only(), "delete"))) == ["已删除视图：待办"]
    assert audited("list.view_deleted")[:3] == ("done", bureau_reviewer.person_id, "savedview")
    assert SavedView.unscoped.count() == 0


def test_a_list_one_may_not_open_keeps_no_views(provider: Actor) -> None:
    assert save(client_of(provider), "waiting=me", name="待办").status_code == 404
