"""One company under one code in several provinces: flagged to officials, and no more told than number and state."""

from __future__ import annotations

from typing import Any

from applications.pages import case as case_page
from applications.pages import duplicates as duplicates_page
from applications.selectors import duplicates
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Province, Role
from pilot.models import Organisation, Programme
from pilot.services import people
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world


def moved(provider: Actor, province: Province) -> Actor:
    """The same company, now registered in another province."""
    Organisation.objects.filter(pk=provider.organisation_id).update(province=province)
    return provider


def two_applications(provider: Actor) -> tuple[Any, Any]:
    """One withdrawn in Guangdong, then one in Guangxi."""
    first = builders.submitted(provider)
    fire(first, "withdraw", actor=provider)
    return first, builders.submitted(moved(provider, Province.GUANGXI))


def test_an_application_elsewhere_is_flagged(provider: Actor) -> None:
    first, second = two_applications(provider)
    (twin,) = duplicates.twins(second)
    assert (twin.what, twin.number, twin.province, twin.state, twin.other_province) == (
        "试点申请",
        first.case_number,
        "广东省",
        "已撤回",
        True,
    )
    assert [t.number for t in duplicates.twins(first)] == [second.case_number]


def test_drafts_and_other_companies_are_not(provider: Actor) -> None:
    draft = builders.drafted(provider)
    fire(draft, "withdraw", actor=provider)
    case = builders.submitted(provider)
    builders.submitted(world.provider())
    assert duplicates.twins(case) == []


def test_a_registration_asked_for_elsewhere_is_flagged(programme: Programme) -> None:
    code = world.uscc(77_000_001)
    people.request_registration(
        actor=world.SETUP,
        name="示例",
        uscc=code,
        province=Province.BEIJING,
        contact="示例",
        email="a@example.cn",
        phone="010-00000001",
    )
    organisation = people.add_organisation(
        actor=world.SETUP,
        kind=OrganisationKind.PROVIDER,
        name="示例网络科技有限公司",
        province=Province.GUANGDONG,
        uscc=code,
    )
    case = builders.submitted(world.person(organisation, Role.PROVIDER_ADMIN))
    (twin,) = duplicates.twins(case)
    assert (twin.what, twin.number, twin.province, twin.state, twin.other_province) == (
        "账号申请",
        "",
        "北京市",
        "待确认",
        True,
    )


def test_only_officials_see_the_section_and_only_where_there_is_one(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    first, second = two_applications(provider)
    reviewer = world.bureau(province=Province.GUANGXI)
    assert duplicates_page.section(builders.submitted(world.provider()), bureau_reviewer) is None
    assert duplicates_page.section(second, provider) is None
    for actor in (reviewer, ministry_officer):
        section = duplicates_page.section(second, actor)
        assert section is not None
        assert section.title == "同一统一社会信用代码的其他申请和账号申请（1 件）"
        (row,) = section.rows
        assert (row.url, row.marker) == ("", "warning")
        assert row.cells[:4] == ["试点申请", first.case_number, "广东省", "已撤回"]
        assert section in case_page.sections(second, actor)


def test_the_other_case_itself_stays_closed(provider: Actor) -> None:
    first, second = two_applications(provider)
    reviewer = world.bureau(province=Province.GUANGXI)
    client = builders.client_of(reviewer)
    assert client.get(f"/cases/application/{second.pk}/").status_code == 200
    assert client.get(f"/cases/application/{first.pk}/").status_code == 404
