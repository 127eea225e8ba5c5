"""What several people do to one case at the same moment: each with a connection of its own, let go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread

import pytest
from django.db import connection

from applications.models import Application
from assessment.models import ApprovalList
from assessment.services.lists import create_list
from assessment.services.reports import open_reports, open_supplement
from pilot.actors import Actor
from pilot.errors import PilotError, Refused
from pilot.models import Organisation
from pilot.selectors import programmes
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT
from tests.factories import world
from tests.factories.locks import while_held

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[type[PilotError] | None]:
    """Do all acts together; how each ended, in order: None, or the kind of refusal."""
    barrier = Barrier(len(acts))
    ended: list[type[PilotError] | None] = [PilotError] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            act()
            ended[place] = None
        except PilotError as error:
            ended[place] = type(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return ended


@pytest.fixture
def desk() -> builders.Desk:
    world.install()
    return builders.desk()


def panel(size: int = 2) -> Sequence[Actor]:
    return [world.assessor() for _ in range(size)]


def test_an_opinion_is_not_reopened_while_its_report_is_being_sent(desk: builders.Desk) -> None:
    application = builders.recommended(desk)
    builders.begin_review()
    opinion = builders.opinion_of(application)
    reopened = while_held(
        lambda: builders.sent(desk),
        lambda: fire(opinion, "reopen", actor=desk.lead, reason="示例"),
    )
    assert (reopened, builders.refreshed(application).state) == (Refused, "recommended")


def test_a_report_is_not_returned_while_a_supplement_is_being_begun(desk: builders.Desk) -> None:
    builders.recommended(desk)
    builders.begin_review()
    report = builders.sent(desk)
    world.at("2019-04-12 09:00")
    builders.recommended(desk)
    world.at("2019-04-16 09:00")
    bureau = Organisation.objects.get(pk=desk.lead.organisation_id)
    returned = while_held(
        lambda: open_supplement(bureau=bureau, actor=desk.lead),
        lambda: fire(report, "return_to_bureau", actor=desk.officer, reason="示例"),
    )
    assert (returned, builders.refreshed(report).state) == (Refused, "sent")


def test_the_last_two_declarations_at_once_start_the_assessment(desk: builders.Desk) -> None:
    case, people = builders.planned(desk), panel(6)
    builders.assigned(case, desk, people)
    acts = [
        lambda actor=actor: fire(builders.declaration_of(case, actor), "declare_none", actor=actor)
        for actor in people
    ]
    assert at_once(*acts) == [None] * 6
    assert builders.refreshed(case).state == "in_progress"


def test_the_last_two_sheets_at_once_are_compared(desk: builders.Desk) -> None:
    people = panel()
    case = builders.started(builders.planned(desk), desk, people)
    assert at_once(
        lambda: builders.score(case, people[0]),
        lambda: builders.score(case, people[1], builders.less(40)),
    ) == [None, None]
    assert builders.refreshed(case).state == "in_moderation"


def test_an_assessor_scores_once_however_often_the_button_is_pressed(desk: builders.Desk) -> None:
    people = panel()
    case = builders.started(builders.planned(desk), desk, people)
    ended = at_once(*[lambda: builders.score(case, people[0])] * 6)
    assert (ended.count(None), ended.count(Refused)) == (1, 5)


def test_withdrawal_and_preparation_at_once_agree(desk: builders.Desk) -> None:
    provider = world.provider()
    goes, stays = builders.recommended(desk, provider), builders.recommended(desk)
    builders.begin_review()
    builders.received(desk)
    people = panel()
    for application in (goes, stays):
        builders.concluded(builders.assessment_of(application), desk, people)
    draft = create_list(actor=desk.officer, effective_from=EFFECT)
    withdrawn, prepared = at_once(
        lambda: fire(goes, "withdraw", actor=provider, reason="示例"),
        lambda: fire(draft, "prepare", actor=desk.officer),
    )
    assert prepared is None
    on_the_list = [pk for pk, _listed, _reason in builders.entries(draft)]
    state = Application.unscoped.get(pk=goes.pk).state
    assert (withdrawn, state, on_the_list) in [
        (None, "withdrawn", [stays.pk]),
        (Refused, "reported", [goes.pk, stays.pk]),
    ]


def test_one_list_and_one_set_of_reports_however_many_begin_them(desk: builders.Desk) -> None:
    builders.recommended(desk)
    world.at("2019-04-16 09:00")
    programme = programmes.current()
    assert at_once(*[lambda: open_reports(programme=programme, actor=world.SETUP)] * 4) == [None] * 4
    builders.received(desk)
    ended = at_once(*[lambda: create_list(actor=desk.officer, effective_from=EFFECT)] * 4)
    assert (ended.count(None), ended.count(Refused)) == (1, 3)
    assert list(ApprovalList.unscoped.values_list("sequence", flat=True)) == [1]
