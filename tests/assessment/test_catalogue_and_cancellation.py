"""The criteria catalogue, and how a withdrawal ends an assessment."""

from __future__ import annotations

import pytest

from assessment.models import CatalogueEdition, Criterion
from assessment.services import criteria
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.models import Programme
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import FULL, LEAST
from tests.assessment.refusals import refusal
from tests.factories import world
from tests.factories.audited import audited

pytestmark = pytest.mark.django_db


def test_the_catalogue_of_the_programme_sums_to_a_hundred_and_is_installed_once(programme: Programme) -> None:
    first = criteria.install(programme)
    assert criteria.install(programme) == first
    assert audited("criteria.install") == ("done", None, "programme", str(programme.pk))
    assert sum(criterion.points for criterion in first) == 100
    assert {criterion.code: criterion.points for criterion in first} == FULL
    assert {criterion.code: criterion.must_pass for criterion in first} == LEAST
    assert Criterion.objects.count() == 12


def test_a_programme_without_a_catalogue_of_its_own_gets_none(programme: Programme) -> None:
    other = Programme.objects.get(pk=programme.pk)
    other.pk, other.code, other.number, other.is_current = None, "2030-1", "示例〔2030〕1号", False
    other.save()
    with pytest.raises(Refused, match="没有评估指标数据文件 2030-1"):
        criteria.install(other)
    assert Criterion.objects.count() == 0


def test_an_edition_may_be_issued_before_the_shipped_one_was_ever_used(
    staff: builders.Desk, programme: Programme
) -> None:
    version, shipped = criteria.in_force(programme)
    assert (version, len(shipped), Criterion.objects.count()) == (1, 12, 0)
    names = ("code", *criteria.WORDS, "points", "must_pass")
    rows = [{name: getattr(criterion, name) for name in names} for criterion in reversed(shipped)]
    criteria.issue(actor=staff.officer, programme=programme, seen=1, criteria=rows, reason="调整顺序")
    assert list(CatalogueEdition.objects.values_list("version", flat=True)) == [1, 2]
    assert [criterion.code for criterion in criteria.install(programme)] == list(reversed(FULL))


def test_withdrawal_cancels_the_running_assessment(staff: builders.Desk, assessors: list[Actor]) -> None:
    provider = world.provider()
    application = builders.recommended(staff, provider)
    builders.begin_review()
    builders.received(staff)
    case = builders.assessment_of(application)
    builders.assigned(case, staff, assessors[:2])
    application.refresh_from_db()
    fire(application, "withdraw", actor=provider, reason="示例")
    assert builders.refreshed(case).state == "cancelled"
    assert refusal(builders.declaration_of(case, assessors[0]), "declare_none", actor=assessors[0]) == (
        Refused,
        "评估已经结束",
    )
    assert refusal(case, "assign", actor=staff.officer)[0] is StateChanged
