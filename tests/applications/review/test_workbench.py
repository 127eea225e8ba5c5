"""The workbench: every tile counts what its list shows, by the programme's working days (R01)."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from applications.models import Application
from applications.pages.dashboard import tiles
from applications.services import claims
from pilot.actors import Actor
from pilot.enums import Province
from pilot.registry import pages_of
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

SQL = {
    "due=today": "state = 'submitted' AND due_at > %(now)s AND due_at <= %(today)s",
    "due=soon": "state = 'submitted' AND due_at > %(now)s AND due_at <= %(soon)s",
    "due=overdue": "state = 'submitted' AND due_at <= %(now)s",
    "answered=yes": (
        "state = 'submitted' AND (SELECT count(*) FROM applications_applicationversion v"
        " WHERE v.application_id = a.id) > 1"
    ),
    "desk=mine": (
        "state = 'submitted' AND EXISTS (SELECT 1 FROM applications_claim c"
        " WHERE c.application_id = a.id AND c.person_id = %(me)s)"
    ),
    "desk=unclaimed": (
        "state = 'submitted' AND NOT EXISTS (SELECT 1 FROM applications_claim c"
        " WHERE c.application_id = a.id)"
    ),
}


@pytest.fixture
def desks(bureau_reviewer: Actor) -> dict[str, Application]:
    """Applications at every stage, seen on Thursday 2019-04-11 at 10:00; clocks run five working days.

    Friday 04-05 was a holiday: handed in on Wednesday 04-03 the clock ends with Thursday 04-11.
    """
    made = {}
    for name, day in {
        "overdue": "04-02",
        "today": "04-03",
        "next": "04-04",
        "soon": "04-09",
        "later": "04-10",
    }.items():
        world.at(f"2019-{day} 09:00")
        made[name] = builders.submitted(world.provider())
    world.at("2019-04-04 09:00")
    made["accepted"] = builders.accepted(world.provider(), bureau_reviewer)
    made["returned"] = builders.returned(world.provider(), bureau_reviewer)
    provider = world.provider()
    made["answered"] = builders.returned(provider, bureau_reviewer)
    builders.submitted(world.provider(province=Province.ZHEJIANG))
    world.at("2019-04-11 09:00")
    builders.corrected(made["answered"], provider)
    fire(made["answered"], "resubmit", actor=provider, declaration=True)
    world.at("2019-04-11 10:00")
    claims.claim(case=made["today"], actor=bureau_reviewer)
    claims.claim(case=made["later"], actor=world.bureau())
    return made


def counted(condition: str, actor: Actor) -> int:
    values = {
        "now": world.moment("2019-04-11 10:00"),
        "today": world.moment("2019-04-12 00:00"),
        "soon": world.moment("2019-04-17 00:00"),  # Friday, Monday, Tuesday
        "me": actor.person_id,
        "province": actor.province,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM applications_application a WHERE province = %(province)s AND {condition}",
            values,
        )
        return int(cursor.fetchone()[0])


def test_every_tile_counts_what_the_database_holds_and_opens_exactly_that(
    desks: dict[str, Application], bureau_reviewer: Actor
) -> None:
    found = {tile.url.partition("?")[2]: int(tile.value) for tile in tiles(bureau_reviewer)}
    assert found == {query: counted(condition, bureau_reviewer) for query, condition in SQL.items()}
    assert found == {
        "due=today": 1, "due=soon": 3, "due=overdue": 1, "answered=yes": 1, "desk=mine": 1, "desk=unclaimed": 4
    }  # fmt: skip
    listed = {
        query: set(
            rows_for(pages_of("application"), bureau_reviewer, QueryDict(query)).values_list("pk", flat=True)
        )
        for query in found
    }
    assert {query: len(rows) for query, rows in listed.items()} == found
    names = {case.pk: name for name, case in desks.items()}
    assert {query: {names[pk] for pk in rows} for query, rows in listed.items()} == {
        "due=today": {"today"},
        "due=soon": {"today", "next", "soon"},
        "due=overdue": {"overdue"},
        "answered=yes": {"answered"},
        "desk=mine": {"today"},
        "desk=unclaimed": {"overdue", "next", "soon", "answered"},
    }


def test_the_first_page_shows_the_tiles_to_the_bureau_alone(
    desks: dict[str, Application], bureau_reviewer: Actor, ministry_officer: Actor, provider: Actor
) -> None:
    def shown(actor: Actor) -> bool:
        page = unescape(builders.client_of(actor).get("/dashboard/").content.decode())
        return "/cases/application/?due=today" in page

    assert [shown(actor) for actor in (bureau_reviewer, ministry_officer, provider)] == [True, False, False]


def test_late_admissions_can_be_picked_out(desks: dict[str, Application], bureau_reviewer: Actor) -> None:
    def rows(query: str) -> int:
        return int(rows_for(pages_of("application"), bureau_reviewer, QueryDict(query)).count())

    assert (rows("late=yes"), rows("late=no")) == (0, 8)


def test_desks_are_the_bureaus_own_affair(desks: dict[str, Application], ministry_officer: Actor) -> None:
    filters: dict[str, Any] = {each.name: each for each in pages_of("application").filters}
    assert list(filters["desk"].choices(ministry_officer)) == []
    condition = filters["desk"].condition("unclaimed", ministry_officer)
    assert Application.objects.visible_to(ministry_officer).filter(condition).count() == 0


def test_the_batch_claims_one_by_one(desks: dict[str, Application], bureau_reviewer: Actor) -> None:
    batch = next(each for each in pages_of("application").batches if each.name == "claim")
    batch.service(case=desks["next"], actor=bureau_reviewer)
    values = {tile.url.partition("?")[2]: tile.value for tile in tiles(bureau_reviewer)}
    assert (values["desk=mine"], values["desk=unclaimed"]) == ("2", "3")
