"""The public check of a receipt: what stands on the paper, for whoever holds it, and nothing for anybody else."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from applications.models import ApplicationVersion
from applications.selectors import receipts
from applications.services.drafts import save_draft
from pilot.actors import Actor
from pilot.models import Programme
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

GOOD, BAD = "查验通过：与本平台记录一致", "没有与此查验码一致的回执"


@pytest.fixture
def version(provider: Actor) -> ApplicationVersion:
    case = builders.drafted(provider)
    fire(case, "submit", actor=provider, at=world.at("2019-04-12 09:00"), declaration=True)
    found: ApplicationVersion = ApplicationVersion.unscoped.get(application=case)
    return found


def read(address: str, **query: str) -> str:
    response = Client().get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def test_whoever_holds_the_paper_may_check_it(version: ApplicationVersion) -> None:
    page = read(f"/check/{version.digest[:32]}/")
    case = version.application
    assert (page.count(GOOD), page.count(BAD)) == (1, 0)
    for word in (
        case.case_number,
        case.provider.name,
        case.programme.number,
        "2019-04-12 09:00:00",
        "第 1 版",
    ):
        assert word in page, word
    assert re.findall(r'data-digest="(\w+)"', page) == [file["sha256"] for file in version.files]


def test_no_person_and_no_name_of_a_file_stands_there(version: ApplicationVersion) -> None:
    page = read(f"/check/{version.digest[:32]}/")
    content = version.content
    private = [
        content[key] for key in ("legal_representative", "contact_name", "contact_mobile", "contact_email")
    ]
    private += [file["name"] for file in version.files]
    private += [version.by.name if version.by else "", version.application.uscc]
    assert [word for word in private if word in page] == []


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.upper,
        lambda code: f"  {code} ",
        lambda code: " ".join(re.findall("....", code)),
        lambda code: "-".join(re.findall("....", code)),
    ],
)
def test_a_code_may_be_typed_as_people_type(version: ApplicationVersion, write: object) -> None:
    assert callable(write)
    assert GOOD in read("/check/", code=write(version.digest[:32]))


@pytest.mark.parametrize("cut", [0, 1, 16, 31])
def test_part_of_a_code_finds_nothing(version: ApplicationVersion, cut: int) -> None:
    assert receipts.versions_of(version.digest[:cut]) == []
    assert receipts.versions_of(version.digest[: cut + 32][: 32 - 1] + "g") == []


def test_the_whole_digest_is_no_code(version: ApplicationVersion) -> None:
    assert receipts.versions_of(version.digest) == []


@pytest.mark.parametrize(
    "code", ["0" * 32, "x", "%", "SQ2019-44-00001", "'; drop table", "／" * 32, "x" * 500]
)
def test_any_other_code_is_answered_alike(version: ApplicationVersion, code: str) -> None:
    page = read("/check/", code=code)
    assert (page.count(GOOD), page.count(BAD)) == (0, 1)
    assert "data-digest" not in page


def test_the_empty_page_asks_for_a_code(programme: Programme) -> None:
    page = read("/check/")
    assert (page.count(GOOD), page.count(BAD)) == (0, 0)
    assert 'name="code"' in page


def test_an_older_version_can_still_be_checked(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    fire(case, "resubmit", actor=provider, declaration=True)
    codes = [receipts.code_of(version) for version in ApplicationVersion.unscoped.filter(application=case)]
    pages = [read(f"/check/{code}/") for code in codes]
    assert [("第 1 版" in page, "第 2 版" in page) for page in pages] == [(True, False), (False, True)]


def test_a_code_of_two_versions_tells_both(
    version: ApplicationVersion, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    """Asked to, the applicant brings back what it had handed in first: equal content, equal code, two papers."""
    case = version.application
    items = [{"target": "remarks", "text": "示例"}]
    for day, said in ((13, "补充说明"), (14, "")):
        world.at(f"2019-04-{day} 09:00")
        fire(case, "return_for_correction", actor=bureau_lead, items=items, reason="示例")
        case.refresh_from_db()
        save_draft(case=case, actor=provider, revision=case.revision, remarks=said)
        fire(case, "resubmit", actor=provider, at=world.at(f"2019-04-{day} 10:00"), declaration=True)
    first, second, third = ApplicationVersion.unscoped.filter(application=case).order_by("number")
    assert (first.digest == third.digest, first.digest == second.digest) == (True, False)
    page = read(f"/check/{third.digest[:32]}/")
    shown = ["第 1 版", "2019-04-12 09:00:00", "第 3 版", "2019-04-14 10:00:00"]
    assert [word for word in [*shown, "第 2 版"] if word in page] == shown
