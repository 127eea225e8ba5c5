"""The filter bar and the order of a machine's list: the address is the view (C03, C05)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from pilot.actors import Actor
from pilot.enums import Province
from pilot.registry import ListFilter, MachinePages, pages_of
from pilot.ui import PAGE_SIZES
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.factories import world
from tests.pilot.lists.helpers import LIST, asked, find, first_cells, page

LONG_NAMES = ListFilter(
    "length",
    "名称长度",
    lambda actor: [("long", "长"), ("short", "短")] if actor.is_bureau else [],
    lambda value, actor: Q(name__regex=r".{8,}") if value == "long" else ~Q(name__regex=r".{8,}"),
)


@pytest.fixture
def pages(programme: Any) -> MachinePages:
    return pages_of(LIST)


@contextmanager
def with_filter(pages: MachinePages, extra: ListFilter) -> Iterator[None]:
    pages.filters = [extra]
    try:
        yield
    finally:
        pages.filters = ()


def names(pages: MachinePages, actor: Actor, query: str) -> list[str]:
    return [case.name for case in rows_for(pages, actor, QueryDict(query))]


def test_newest_change_first_unless_a_column_is_asked_for(
    pages: MachinePages, bureau_reviewer: Actor
) -> None:
    for name in ("示例乙", "示例甲", "示例丙"):
        asked(name)
    assert names(pages, bureau_reviewer, "") == ["示例丙", "示例甲", "示例乙"]
    assert names(pages, bureau_reviewer, "sort=since") == ["示例乙", "示例甲", "示例丙"]
    assert names(pages, bureau_reviewer, "sort=-since") == ["示例丙", "示例甲", "示例乙"]


def test_what_waits_for_the_reader_comes_first_and_what_is_over_last(
    pages: MachinePages, bureau_reviewer: Actor, ministry_officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("示例乙", "示例甲"):
        asked(name)
    fire(asked("示例丙"), "reject", actor=bureau_reviewer, reason="示例")  # the newest change
    assert names(pages, bureau_reviewer, "") == ["示例甲", "示例乙", "示例丙"]
    monkeypatch.setattr(
        pages, "waiting", lambda actor: Q(name="示例乙") if actor == bureau_reviewer else None
    )
    assert names(pages, bureau_reviewer, "") == ["示例乙", "示例甲", "示例丙"]
    assert names(pages, ministry_officer, "") == ["示例甲", "示例乙", "示例丙"]
    assert names(pages, bureau_reviewer, "sort=-since") == ["示例丙", "示例甲", "示例乙"]


def test_what_waits_for_the_reader_stands_by_its_deadline(
    pages: MachinePages, bureau_reviewer: Actor, ministry_officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, due in (
        ("示例甲", "2019-04-16 00:00"),
        ("示例乙", "2019-04-18 00:00"),
        ("示例丙", None),
        ("示例丁", None),
    ):
        asked(name)
        pages.model.unscoped.filter(name=name).update(due_at=due and world.moment(due))
    mine = Q(name__in=["示例甲", "示例乙", "示例丙"])
    monkeypatch.setattr(pages, "waiting", lambda actor: mine if actor == bureau_reviewer else None)
    assert names(pages, bureau_reviewer, "waiting=me") == ["示例甲", "示例乙", "示例丙"]
    assert names(pages, bureau_reviewer, "") == ["示例甲", "示例乙", "示例丙", "示例丁"]
    assert names(pages, ministry_officer, "") == ["示例丁", "示例丙", "示例乙", "示例甲"]


@pytest.mark.parametrize("sort", ["name", "email", "organisation__name", "--since", "-", "since;drop"])
def test_an_order_the_list_does_not_offer_is_no_order(
    pages: MachinePages, bureau_reviewer: Actor, sort: str
) -> None:
    for name in ("示例乙", "示例甲"):
        asked(name)
    query = QueryDict(mutable=True)
    query["sort"] = sort
    assert names(pages, bureau_reviewer, query.urlencode()) == ["示例甲", "示例乙"]


def test_a_list_offers_its_orders_in_the_head_and_shows_the_rows_it_was_asked_for(
    pages: MachinePages, bureau_reviewer: Actor
) -> None:
    client = client_of(bureau_reviewer)
    asked("示例乙")
    asked("示例甲")
    root = page(client, "q=示例&sort=since")
    assert [th.get("aria-sort") for th in find(root, "thead th") if th.get("aria-sort")] == ["ascending"]
    assert [a.get("href") for a in find(root, "thead .sort")] == ["?q=%E7%A4%BA%E4%BE%8B&sort=-since"]
    assert first_cells(root) == ["示例乙", "示例甲"]


def test_what_a_machine_adds_is_folded_named_and_taken_off_again(
    pages: MachinePages, bureau_reviewer: Actor
) -> None:
    asked("示例短名")
    asked("示例很长的名称有限公司")
    with with_filter(pages, LONG_NAMES):
        root = page(client_of(bureau_reviewer), "length=long&province=44")
    assert first_cells(root) == ["示例很长的名称有限公司"]
    fields = "[name]:not([type=hidden])"
    assert [e.get("name") for e in find(root, f".filter-fold > .filter-fields {fields}")] == [
        "q",
        "state",
        "waiting",
    ]
    assert [e.get("name") for e in find(root, f".filter-more[open] {fields}")] == ["length"]
    assert [("".join(a.text_content().split()), a.get("href")) for a in find(root, ".chips a")] == [
        ("省份：广东省移除此条件", "?length=long"),
        ("名称长度：长移除此条件", "?province=44"),
    ]
    assert [a.get("href") for a in find(root, ".filter-buttons a")] == [f"{reverse(f'{LIST}_list')}?view=all"]


def test_a_filter_without_a_choice_for_this_reader_is_neither_shown_nor_obeyed(
    pages: MachinePages, ministry_officer: Actor
) -> None:
    asked("示例短名")
    with with_filter(pages, LONG_NAMES):
        root = page(client_of(ministry_officer), "length=long")
    assert first_cells(root) == ["示例短名"]
    assert find(root, "[name=length]") == []


def test_a_filter_that_tells_none_of_the_readers_rows_apart_is_obeyed_but_not_offered(
    pages: MachinePages, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    asked("示例甲")
    asked("示例桂", province=Province.GUANGXI)

    def offered(actor: Actor) -> list[str]:
        root = page(client_of(actor), "province=45")
        assert first_cells(root) == ([] if actor == bureau_reviewer else ["示例桂"])
        assert len(find(root, ".chips a")) == 1
        return [str(e.get("name")) for e in find(root, ".filter-bar [name]:not([type=hidden])")]

    assert offered(bureau_reviewer) == ["q", "state", "waiting"]  # all in its own province
    assert offered(ministry_officer) == ["q", "state", "province"]  # confirming is the bureaus' work


def test_an_unknown_value_filters_nothing_away_and_says_so(
    pages: MachinePages, bureau_reviewer: Actor
) -> None:
    asked("示例甲")
    fire(asked("示例乙"), "reject", actor=bureau_reviewer, reason="示例")
    root = page(client_of(bureau_reviewer), "state=nonsense&waiting=me")
    assert first_cells(root) == ["示例甲"]  # what makes sense still holds
    assert len(find(root, ".filter-bar .has-errors")) == 1


def test_every_reader_gets_the_rows_of_his_province_whatever_the_address_says(
    pages: MachinePages, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    asked("示例甲")
    asked("示例桂", province=Province.GUANGXI)
    assert names(pages, bureau_reviewer, "province=45") == []
    assert names(pages, ministry_officer, "province=45") == ["示例桂"]


def test_pages_are_cut_from_the_same_rows(pages: MachinePages, bureau_reviewer: Actor) -> None:
    for serial in range(12):
        asked(f"示例{serial:02d}")
    client = client_of(bureau_reviewer)
    shown = [name for number in (1, 2) for name in first_cells(page(client, f"size=10&page={number}"))]
    assert shown == names(pages, bureau_reviewer, "size=10&page=2")
    assert len(first_cells(page(client, "size=7"))) == 12  # not one of the sizes: the usual twenty
    assert PAGE_SIZES == (10, 20, 50, 100)


@pytest.mark.parametrize(("number", "bars", "told"), [(3, 0, 0), (12, 1, 0), (21, 1, 1)])
def test_below_a_single_page_the_total_is_not_said_again(
    programme: Any, bureau_reviewer: Actor, number: int, bars: int, told: int
) -> None:
    for serial in range(number):
        asked(f"示例{serial}")
    root = page(client_of(bureau_reviewer))
    said = [len(find(root, selector)) for selector in (".pagination-bar", ".pagination-bar > p")]
    assert (said, find(root, ".toolbar-total")[0].text_content()) == ([bars, told], f"共 {number} 条")
