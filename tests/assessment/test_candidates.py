"""Whom to ask: least loaded first, of different agencies, and who cannot be asked with the reason in words."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessment.forms import AssessorsForm, ModeratorForm
from assessment.models import CapabilityAssessment
from assessment.rules.panel import Free, Load, suggest
from assessment.selectors import candidates
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Role
from pilot.masking import mask_name
from pilot.models import Membership, Organisation, Person
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.builders import less
from tests.factories import world


# --- the rule ------------------------------------------------------------------------------------
def free(*rows: tuple[int, int, int, int]) -> list[Free]:
    """Key, agency, in hand, total."""
    return [Free(key, agency, Load(in_hand, total)) for key, agency, in_hand, total in rows]


@pytest.mark.parametrize(
    ("people", "besides", "expected"),
    [
        ([], [], []),
        (free((1, 10, 0, 0)), [], [1]),
        (free((1, 10, 2, 2), (2, 20, 1, 9), (3, 30, 0, 9)), [], [3, 2]),
        (free((1, 10, 0, 5), (2, 20, 0, 4), (3, 30, 1, 1)), [], [2, 1]),
        (free((1, 10, 0, 0), (2, 10, 0, 0), (3, 30, 7, 7)), [], [1, 3]),
        (free((1, 10, 0, 0), (2, 10, 0, 0)), [], [1]),
        (free((1, 10, 0, 0), (2, 20, 1, 1), (3, 30, 2, 2)), [10], [2, 3]),
    ],
)
def test_the_two_least_loaded_of_different_agencies(people: list, besides: list, expected: list) -> None:
    assert suggest(people, wanted=2, besides=besides) == expected


# --- the forms -----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def agencies(assessors: list[Actor]) -> list[Organisation]:
    """The agencies of the three assessors, renamed so that their order is known."""
    found = []
    for letter, actor in zip("ABC", assessors, strict=True):
        agency = Organisation.objects.get(pk=actor.organisation_id)
        agency.name = f"示例评估中心{letter}"
        agency.save()
        found.append(agency)
    return found


def offered(form: AssessorsForm | ModeratorForm, name: str) -> list[tuple[str, bool]]:
    """The choices in order: words, and whether they can be made."""
    return [
        (str(option.data["label"]), not option.data["attrs"].get("disabled", False)) for option in form[name]
    ]


def login(actor: Actor) -> str:
    return Person.objects.get(pk=actor.person_id).username


def words(actor: Actor, agency: Organisation, in_hand: int, total: int, end: str = "") -> str:
    return f"{mask_name(actor.name)} {login(actor)}（{agency.name}），在办 {in_hand} 件，累计 {total} 件{end}"


@pytest.mark.django_db
def test_candidates_stand_by_load_and_two_are_suggested(
    staff: builders.Desk, assessors: list[Actor], agencies: list[Organisation]
) -> None:
    first, second, third = assessors
    done, running, new = (builders.recommended(staff) for _ in range(3))
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(done), staff, [second, third])
    builders.assigned(builders.assessment_of(running), staff, [first, third])
    case = builders.assessment_of(new)
    form = AssessorsForm(case=case, actor=staff.officer)
    assert offered(form, "assessors") == [
        (words(second, agencies[1], 0, 1, "【建议】"), True),
        (words(first, agencies[0], 1, 1, "【建议】"), True),
        (words(third, agencies[2], 1, 2), True),
    ]
    assert form["assessors"].value() is None
    fire(builders.declaration_of(builders.assessment_of(running), first), "declare", actor=first, reason="x")
    assert offered(AssessorsForm(case=case, actor=staff.officer), "assessors") == [
        (words(first, agencies[0], 0, 1, "【建议】"), True),
        (words(second, agencies[1], 0, 1, "【建议】"), True),
        (words(third, agencies[2], 1, 2), True),
    ]


@pytest.mark.django_db
def test_whoever_has_ties_is_shown_with_the_reason_and_cannot_be_ticked(
    staff: builders.Desk, assessors: list[Actor], agencies: list[Organisation]
) -> None:
    first, second, third = assessors
    case = builders.planned(staff)
    Membership.objects.create(
        person_id=first.person_id,
        organisation=case.application.provider,
        role=Role.PROVIDER_OPERATOR,
        valid_from=world.moment("2018-01-01 00:00"),
        valid_until=world.moment("2018-12-31 00:00"),
    )
    supplier = world.people.add_organisation(
        actor=world.SETUP, kind=OrganisationKind.AGENCY, name="示例智能有限公司"
    )
    tied = world.assessor(supplier)
    form = AssessorsForm(case=case, actor=staff.officer)
    employed = "。不能选定：在申请单位任职或曾任职，应予回避"
    supplies = "。不能选定：所在机构是核验产品供应方，应予回避"
    assert sorted(offered(form, "assessors")) == sorted(
        [
            (words(first, agencies[0], 0, 0, employed), False),
            (words(second, agencies[1], 0, 0, "【建议】"), True),
            (words(third, agencies[2], 0, 0, "【建议】"), True),
            (words(tied, supplier, 0, 0, supplies), False),
        ]
    )
    client = client_of(staff.officer)
    url = reverse("capability-assessment_act", args=[case.pk, "assign"])
    page = client.get(url).content.decode()
    assert (page.count('type="checkbox"'), page.count(" disabled"), page.count("checked")) == (4, 2, 0)
    chosen = [str(first.membership_id), str(second.membership_id)]
    answer = client.post(url, {"assessors": chosen, "seen": "planned"})
    assert (answer.status_code, builders.refreshed(case).state) == (422, "planned")
    assert f"{mask_name(first.name)}：在申请单位任职或曾任职，应予回避" in answer.content.decode()


@pytest.mark.django_db
def test_in_place_of_one_recused_one_of_a_third_agency_is_suggested(
    staff: builders.Desk, assessors: list[Actor], agencies: list[Organisation]
) -> None:
    first, second, third = assessors
    colleague = world.assessor(agencies[1])
    case = builders.assigned(builders.planned(staff), staff, [first, second])
    fire(builders.declaration_of(case, first), "declare", actor=first, reason="持有申请单位股份")
    asked = "。不能选定：已参与过本案"
    form = AssessorsForm(case=case, actor=staff.officer)
    assert sorted(offered(form, "assessors")) == sorted(
        [
            (words(first, agencies[0], 0, 1, asked), False),
            (words(second, agencies[1], 1, 1, asked), False),
            (words(colleague, agencies[1], 0, 0), True),
            (words(third, agencies[2], 0, 0, "【建议】"), True),
        ]
    )


@pytest.mark.django_db
def test_one_moderator_of_another_agency_is_suggested(
    staff: builders.Desk, assessors: list[Actor], agencies: list[Organisation]
) -> None:
    first, second, third = assessors
    case = builders.started(builders.planned(staff), staff, [first, second])
    builders.score(case, first)
    builders.score(case, second, less(40))
    form = ModeratorForm(case=builders.refreshed(case), actor=staff.officer)
    assert offered(form, "moderator") == [
        (words(third, agencies[2], 0, 0, "【建议】"), True),
        (words(first, agencies[0], 1, 1, "。不能选定：已参与过本案"), False),
        (words(second, agencies[1], 1, 1, "。不能选定：已参与过本案"), False),
    ]
    url = reverse("capability-assessment_act", args=[case.pk, "replace"])
    client = client_of(staff.officer)
    page = client.get(url).content.decode()
    assert (page.count('type="radio"'), page.count(" disabled"), page.count("checked")) == (3, 2, 0)
    data = {"moderator": str(third.membership_id), "seen": "in_moderation"}
    assert client.post(url, data).status_code == 302
    assert builders.declaration_of(case, third).moderator


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_candidates(staff: builders.Desk, assessors: list[Actor]) -> None:
    case: CapabilityAssessment = builders.planned(staff)

    def queries() -> int:
        fresh = CapabilityAssessment.unscoped.get(pk=case.pk)
        with CaptureQueriesContext(connection) as captured:
            candidates.of_case(fresh, staff.officer, wanted=2)
        return len(captured)

    few = queries()
    for _ in range(4):
        world.assessor()
    assert queries() == few
