"""Every number opens what it counts: the forms behind a figure, and why each error is one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings.enums import FindingKind
from filings.models import Finding
from filings.periods import EVER, Period
from filings.selectors import members, statements
from filings.services import figures
from pilot.actors import Actor
from pilot.masking import mask_name
from pilot.models import PilotUnit
from tests.factories import world
from tests.filings import builders
from tests.filings.test_pages import signed_in, text_of

JUNE = Period.parse("2019-06")


@pytest.fixture
def life(unit: PilotUnit, bureau_reviewer: Actor) -> PilotUnit:
    """A month in which every count counts something."""
    names = ("right", "wrong", "unknown", "waiting", "doubted", "spoilt")
    rows = {name: builders.form(unit, f"F-{name}", f"2019-06-1{n} 10:00") for n, name in enumerate(names)}
    builders.form(unit, "F-late", "2019-06-20 10:00", late=True)
    builders.form(unit, "F-elsewhere", "2019-07-01 10:00", province=11)
    builders.compared(rows["right"], rows["doubted"], rows["spoilt"])
    builders.compared(rows["wrong"], outcome="mismatch")
    builders.compared(rows["unknown"], outcome="undeterminable")
    builders.found(rows["doubted"], by=bureau_reviewer)
    spoilt = builders.found(rows["spoilt"], kind=FindingKind.FORM, field="domain", by=bureau_reviewer)
    builders.decide(spoilt, "disputed")
    Finding.unscoped.filter(pk=spoilt.pk).update(decided_by=world.ministry().person_id)
    builders.decide(spoilt, "upheld")
    builders.form(unit, "F-mended", "2019-06-20 11:00", corrects=rows["spoilt"])
    at = world.moment("2019-06-18 10:00")
    builders.refusal(unit, at, row=7, upload=builders.job(unit, at, duplicates=3))
    return unit


def names(unit: PilotUnit, count: str, period: Period = JUNE, **options: Any) -> list[str]:
    found = members.of_figure(unit=unit.pk, period=period, count=count, **options)
    return [form.form_no.removeprefix("F-") for form in found.forms]


def test_every_count_lists_exactly_what_it_counts(life: PilotUnit) -> None:
    counted = {count: names(life, count) for count in statements.CONDITIONS}
    assert counted == {
        "m1_n": ["right", "wrong", "doubted", "spoilt"],
        "m1_errors": ["wrong"],
        "m2_n": ["right", "wrong", "unknown", "doubted", "spoilt"],
        "m2_errors": ["wrong", "spoilt"],
        "pending": ["waiting"],
        "undeterminable": ["unknown"],
        "m1_provisional": ["doubted"],
        "m2_provisional": ["doubted"],
        "errors_corrected": ["spoilt"],
        "first_pass_m1_n": ["right", "wrong", "doubted", "spoilt"],
        "first_pass_m1_errors": ["wrong"],
        "first_pass_m2_n": ["right", "wrong", "unknown", "doubted", "spoilt"],
        "first_pass_m2_errors": ["wrong", "spoilt"],
        "late": ["late"],
    }
    counts = figures.count(unit=life, period=JUNE)
    assert {count: len(rows) for count, rows in counted.items()} == {
        count: getattr(counts, count) for count in counted
    }


def test_a_long_list_goes_on_where_the_page_before_ended(
    life: PilotUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = names(life, "m2_n", EVER)
    monkeypatch.setattr(members, "PAGE", 2)
    monkeypatch.setattr(members, "STRETCH", 3)
    place, pages = None, []
    while True:
        page = members.of_figure(unit=life.pk, period=EVER, count="m2_n", after=place)
        pages.append([form.form_no.removeprefix("F-") for form in page.forms])
        if (place := page.following) is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in page] == whole
    monkeypatch.setattr(members, "STRETCHES", 1)  # nothing found in this stretch: the next page looks further
    assert names(life, "late", after=None) == ["late"]


def test_an_error_says_field_source_time_and_who_upheld_it(life: PilotUnit, bureau_reviewer: Actor) -> None:
    client = signed_in(bureau_reviewer)
    page = client.get(reverse("figure", args=[life.code, "2019-06", "m2_errors"])).context["page"]
    spoilt = Finding.unscoped.get(field="domain")
    first, second = page.sections[0].rows
    told = [
        [row.cells[0].label, *row.cells[3:6], row.cells[7] and str(row.cells[7])] for row in (first, second)
    ]
    mismatch = Finding.unscoped.get(source="comparison")
    person = mask_name(spoilt.decided_by.name)
    assert told == [
        ["F-wrong", "备案主体身份信息", str(mismatch.get_source_display()), mismatch.opened_at, None],
        ["F-spoilt", "domain", str(spoilt.get_source_display()), spoilt.opened_at, person],
    ]
    assert second.cells[8].label == spoilt.number
    assert page.sections[0].title.endswith("共 2 份")


def test_a_provider_reads_no_names_of_officials(life: PilotUnit, provider: Actor) -> None:
    page = (
        signed_in(provider).get(reverse("figure", args=[life.code, "2019-06", "m2_errors"])).context["page"]
    )
    assert [row.cells[7] for row in page.sections[0].rows] == [None, None]


def test_a_bureau_of_another_province_opens_its_own_part(life: PilotUnit) -> None:
    client = signed_in(world.bureau(province=11))
    page = client.get(reverse("figure", args=[life.code, "to-date", "pending"])).context["page"]
    assert [row.cells[0] for row in page.sections[0].rows] == ["F-elsewhere"]
    assert page.sections[0].title.endswith("共 1 份")
    for count in ("refused", "duplicates"):
        assert client.get(reverse("figure", args=[life.code, "to-date", count])).status_code == 404


def test_what_was_turned_away_opens_too(life: PilotUnit, provider: Actor) -> None:
    client = signed_in(provider)
    (refused,) = (
        client.get(reverse("figure", args=[life.code, "2019-06", "refused"])).context["page"].sections[0].rows
    )
    assert refused.cells[1:4] == [7, "R-7", ["field.required"]]
    (job,) = (
        client.get(reverse("figure", args=[life.code, "2019-06", "duplicates"]))
        .context["page"]
        .sections[0]
        .rows
    )
    assert job.cells[1].label == "3"


@pytest.mark.parametrize("address", ["2019-13/m1_n", "2019-06/m3", "to-date/forms"])
def test_what_is_no_figure_is_not_found(unit: PilotUnit, provider: Actor, address: str) -> None:
    assert signed_in(provider).get(f"/figures/{unit.code}/{address}/").status_code == 404


def test_every_figure_that_counts_something_is_a_link_that_opens(
    life: PilotUnit, ministry_officer: Actor
) -> None:
    client, found = signed_in(ministry_officer), set()
    for page in (reverse("home"), reverse("pilot-unit_list"), reverse("pilot-unit_detail", args=[life.code])):
        found |= set(re.findall(r'href="(/figures/[^"]+)"', client.get(page).content.decode()))
    always = {"m1_n", "m1_errors", "m2_n", "m2_errors", "pending", "undeterminable", "late"}
    expected = {f"to-date/{count}" for count in always | {"refused", "duplicates"}}
    expected |= {f"2019-06/{count}" for count in always | {"m2_provisional", "errors_corrected"}}
    expected.add("2019-07/pending")
    assert found == {f"/figures/{life.code}/{rest}/" for rest in expected}
    assert {client.get(url).status_code for url in found} == {200}


def test_the_page_costs_as_many_queries_for_three_forms_as_for_one(
    unit: PilotUnit, ministry_officer: Actor
) -> None:
    client, url = signed_in(ministry_officer), reverse("figure", args=[unit.code, "2019-06", "m1_errors"])

    def cost(client: Client = client) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    builders.compared(builders.form(unit, "F-1"), outcome="mismatch")
    cost()
    one = cost()
    builders.compared(builders.form(unit, "F-2"), builders.form(unit, "F-3"), outcome="mismatch")
    assert cost() == one
    assert "F-3" in text_of(client, url)
