"""How near a deadline is: the same words and tone in lists, on the page of a case and in the to-do list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.timezone import localtime

from filings.enums import SanctionKind
from filings.services import supervision
from pilot import context, due
from pilot.actors import Actor
from pilot.models import ProgrammeRule
from pilot.rules import last_moment
from pilot.ui import Tag
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import text
from tests.factories import world
from tests.factories.cases import Cast
from tests.filings.builders import enrol

pytestmark = pytest.mark.django_db
END = "2019-04-23 00:00"  # of the acceptance clock of what is handed in on 2019-04-15


@pytest.mark.parametrize(
    ("now", "mark", "shown"),
    [
        ("2019-04-19 23:59:59", None, date(2019, 4, 22)),
        ("2019-04-20 00:00", Tag("还有 2 天", "warning"), Tag("2019-04-22 还有 2 天", "warning")),
        ("2019-04-21 23:59:59", Tag("还有 1 天", "warning"), Tag("2019-04-22 还有 1 天", "warning")),
        ("2019-04-22 00:00", Tag("今日到期", "warning"), Tag("2019-04-22 今日到期", "warning")),
        ("2019-04-22 23:59:59", Tag("今日到期", "warning"), Tag("2019-04-22 今日到期", "warning")),
        (END, Tag("已逾期", "danger"), Tag("2019-04-22 已逾期", "danger")),
    ],
)
def test_a_deadline_is_marked_once_it_is_near(now: str, mark: Tag | None, shown: Any) -> None:
    world.at(now)
    end = world.moment(END)
    assert (due.mark(end), due.cell(end)) == (mark, shown)


def cell(page: Any, row: int = 0) -> Any:
    """What the list says of the deadline of a row."""
    return page.rows[row].cells[[column.key for column in page.columns].index("due")]


def told(board: Any, slug: str) -> tuple[Any, ...]:
    """Number, deadline and mark of a machine in the to-do list."""
    [item] = [item for item in board.todo if item.url.startswith(f"/cases/{slug}/")]
    return item.count, item.due, item.due_mark


def test_what_is_due_today_reads_alike_everywhere(programme: Any) -> None:
    cast = Cast()
    world.at("2019-04-15 10:00")
    case = builders.submitted(cast.provider)
    world.at("2019-04-22 10:00")
    client, today = builders.client_of(cast.reviewer), Tag("今日到期", "warning")
    listed = client.get("/cases/application/?waiting=me")
    assert cell(listed.context["page"]) == Tag("2019-04-22 今日到期", "warning")
    for path in (f"/cases/application/{case.pk}/", f"/applications/{case.pk}/review/"):
        answer = client.get(path)
        assert answer.context["page"].due_mark == today
        assert text(answer).count("2019-04-22 23:59:59 今日到期") == 1
    board = client.get("/dashboard/")
    last = world.moment("2019-04-22 23:59:59")
    assert told(board.context["page"], "application") == (1, last, today)
    assert text(board).count("期限 2019-04-22 23:59:59 今日到期") == 1
    assert [item.count for item in board.context["page"].todo] == [1]  # nothing of which there is none


def test_a_list_of_what_waits_says_that_it_stands_by_deadline(programme: Any) -> None:
    cast = Cast()
    builders.submitted(cast.provider)
    client = builders.client_of(cast.reviewer)

    def sorted_by(query: str) -> list[str]:
        page = client.get(f"/cases/application/?{query}").content.decode()
        heads = [head for head in page.split("<th ")[1:] if "aria-sort" in head.partition(">")[0]]
        return [text_of.partition(">")[2].partition("</th>")[0] for text_of in heads]

    unasked, other = sorted_by("waiting=me"), sorted_by("waiting=me&sort=-submitted")
    assert (len(unasked), "办理期限" in unasked[0], "sort=-due" in unasked[0]) == (1, True, True)
    assert (len(other), "提交时间" in other[0]) == (1, True)
    assert sorted_by("view=all") == []  # what waits comes first, all else goes by another order


def test_a_draft_is_due_when_its_window_ends(provider: Actor) -> None:
    case = builders.drafted(provider)
    client = builders.client_of(provider)
    world.at("2019-04-15 23:50")
    last, today = world.moment("2019-04-15 23:59:59"), Tag("今日到期", "warning")
    for query in ("", "?sort=due"):
        assert cell(client.get(f"/cases/application/{query}").context["page"]) == Tag(
            "2019-04-15 今日到期", "warning"
        )
    assert told(client.get("/dashboard/").context["page"], "application") == (1, last, today)
    detail = client.get(f"/cases/application/{case.pk}/").context["page"]
    assert (detail.due, detail.due_mark) == (last, today)
    case.refresh_from_db()
    assert case.due_at is None  # no clock acts on it


def test_a_provider_can_sort_a_draft_by_its_deadline(provider: Actor) -> None:
    dead = builders.drafted(provider)
    fire(dead, "withdraw", actor=provider)
    draft = builders.drafted(provider)
    client = builders.client_of(provider)
    found = [
        [row.url for row in client.get(f"/cases/application/?sort={sort}").context["page"].rows]
        for sort in ("due", "-due")
    ]
    assert found == [[f"/cases/application/{case.pk}/" for case in (draft, dead)]] * 2


def test_a_returned_application_and_a_hearing_are_due_in_the_to_do_list(
    programme: Any, provider: Actor, bureau_reviewer: Actor
) -> None:
    """The removal of one whose application still waits for its answer: nothing but the two clocks matters here."""
    case: Any = builders.returned(provider, bureau_reviewer)
    near = case.due_at - timedelta(hours=1)
    world.at(f"{localtime(near):%Y-%m-%d %H:%M}")
    client = builders.client_of(provider)
    found = [told(client.get("/dashboard/").context["page"], "application")]
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(value=True, basis="示例")
    unit = enrol(programme, provider)
    world.at("2019-07-01 09:00")
    sanction: Any = supervision.propose_sanction(
        actor=bureau_reviewer, unit=unit, kind=SanctionKind.REMOVAL, grounds="示例"
    )
    sanction = fire(sanction, "notify", actor=bureau_reviewer)
    world.at("2019-07-08 23:50")
    found.append(told(client.get("/dashboard/").context["page"], "sanction"))
    today = Tag("今日到期", "warning")
    assert found == [(1, last_moment(one.due_at), today) for one in (case, sanction)]
    listed = client.get("/cases/sanction/?waiting=me").context["page"]
    assert cell(listed) == Tag("陈述申辩至 2019-07-08 今日到期", "warning")


def test_the_to_do_list_costs_one_query(
    programme: Any, django_assert_num_queries: Callable[..., Any]
) -> None:
    cast = Cast()
    builders.submitted(cast.provider)
    for actor in (cast.provider, cast.reviewer, cast.lead, cast.officer):
        request: Any = SimpleNamespace(actor=actor)
        with django_assert_num_queries(1):
            found = context.to_do(request)
        assert {slug: one.number for slug, one in found.items()} == context.waiting(actor)
        assert request.waiting_counts == context.waiting(actor)
