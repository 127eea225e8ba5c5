"""The menu's numbers: one query for all machines, the same as each list's, and none on a page of refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils.translation import override

from pilot import context, policy
from pilot.actors import Actor
from pilot.registry import all_pages
from pilot.views import case_parts
from tests.applications import builders
from tests.factories import world
from tests.factories.cases import Cast
from tests.factories.readers import everybody

pytestmark = pytest.mark.django_db
COUNT = 'class="count"'


def singly(actor: Actor) -> dict[str, int]:
    """Machine → what its list counts with the filter 待我办理."""
    found = {}
    for pages in all_pages():
        wanted = pages.waiting(actor)
        if wanted is not None and policy.may_open(f"{pages.slug}_list", actor.role):
            found[pages.slug] = pages.model.objects.visible_to(actor).filter(wanted).count()
    return found


def test_one_query_counts_what_each_list_counts(
    programme: Any, django_assert_num_queries: Callable[..., Any]
) -> None:
    cast = Cast()
    builders.submitted(cast.provider)
    people = (cast.provider, cast.reviewer, cast.lead, cast.officer)
    for actor in people:
        with django_assert_num_queries(1):
            counted = context.waiting(actor)
        assert counted == singly(actor)
    assert context.waiting(cast.reviewer)["application"] == 1


def test_the_statement_hangs_on_the_actor_alone(programme: Any) -> None:
    """It is kept for as long as the process lives: neither the time nor the language may be in it."""
    cast = Cast()
    made = []
    for moment, language in (("2019-04-12 09:00", "zh-hans"), ("2019-07-01 09:00", "en")):
        world.at(moment)
        with override(language):
            made.append(
                [
                    (
                        context._waiting_statement.__wrapped__(actor),
                        context._to_do_statement.__wrapped__(actor),
                        case_parts._related_statement.__wrapped__("finding", actor),
                    )
                    for actor in everybody(cast)
                ]
            )
    assert made[0] == made[1]
    assert all(statement[0] for statements in made[0] for statement in statements)


def test_a_refusal_shows_the_menu_without_numbers(programme: Any) -> None:
    cast = Cast()
    builders.submitted(cast.provider)
    client = builders.client_of(cast.reviewer)
    client.handler.enforce_csrf_checks = True
    answers = [client.get(path) for path in ("/dashboard/", "/no-such-page/", "/audit/")]
    answers.append(client.post("/dashboard/"))
    assert [answer.status_code for answer in answers] == [200, 404, 403, 403]
    menus = [answer.text.partition('<nav id="menu"')[2].partition("</nav>")[0] for answer in answers]
    assert ["/cases/application/" in menu for menu in menus] == [True] * 4
    assert [COUNT in menu for menu in menus] == [True, False, False, False]
