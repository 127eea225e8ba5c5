"""Nation, province, unit: one figure on every page, drawn from the buckets, down to the forms it counts."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings.models import FormRefusal, UploadJob
from filings.selectors import forms
from filings.services import buckets
from pilot.actors import Actor
from pilot.models import AuditEntry, PilotUnit
from tests.factories import world
from tests.filings import builders
from tests.filings.test_pages import signed_in


@pytest.fixture
def spread(unit: PilotUnit) -> PilotUnit:
    """Six forms of June: Guangdong 3 agree and 1 does not, Beijing 1 agrees and 1 waits; two rows were refused."""
    right = [builders.form(unit, f"F-{n}") for n in range(3)]
    builders.compared(*right, builders.form(unit, "B-1", province=11))
    builders.compared(builders.form(unit, "F-9"), outcome="mismatch")
    builders.form(unit, "B-2", province=11)
    job = UploadJob.unscoped.get()
    FormRefusal.unscoped.bulk_create(
        FormRefusal(unit=unit, job=job, row=row, form_no="", errors=[], received_at=job.received_at)
        for row in (7, 8)
    )
    buckets.fold()
    return unit


def board(client: Client, url: str = "") -> Any:
    return client.get(url or reverse("dashboard")).context["page"]


def unit_page(client: Client, unit: PilotUnit) -> Any:
    return board(client, reverse("pilot-unit_detail", args=[unit.code]))


def funnel(page: Any, title: str = "从提交到差错") -> list[int]:
    """The totals of the stages, from the drawing's own description."""
    sections = [*getattr(page, "charts", ()), *getattr(page, "sections", ())]
    svg = next(section.svg for section in sections if section.title == title)
    desc = re.search("<desc>(.*?)</desc>", svg)
    return [int(number) for number in re.findall(r"[一-龥]+ (\d+):", desc[1] if desc else "")]


def axis(svg: str) -> list[str]:
    """The values at the lines of a trend's grid."""
    return re.findall(r'text-anchor="end">([\d.]+)<', svg)


def test_the_unit_reads_the_same_numbers_as_the_ministry(
    spread: PilotUnit, provider: Actor, ministry_officer: Actor
) -> None:
    own, above = signed_in(provider), signed_in(ministry_officer)
    assert board(own).units == board(above).units
    url = reverse("pilot-unit_detail", args=[spread.code])
    own_page, page = board(own, url), board(above, url)
    figures = slice(0, 2)
    assert [f.value for f in own_page.sections[0].facts[figures]] == [
        f.value for f in page.sections[0].facts[figures]
    ]
    drawn = {"主体身份信息准确率（M1）按月走势", "近 30 天接收的核验单", "从提交到差错"}
    assert [s.svg for s in own_page.sections if s.title in drawn] == [
        s.svg for s in page.sections if s.title in drawn
    ]
    assert funnel(page) == funnel(own_page) == funnel(board(above)) == funnel(board(own)) == [8, 6, 5, 1]


def test_from_the_nation_down_to_the_forms(
    spread: PilotUnit, ministry_officer: Actor, bureau_lead: Actor
) -> None:
    client = signed_in(ministry_officer)
    tiles = {tile.code: tile for tile in board(client).provinces}
    assert (tiles[44].value, tiles[11].value, tiles[31].value) == ("4", "2", "--")
    for province, errors, n, shown in ((44, 1, 4, "75.0000%"), (11, 0, 1, "100.0000%")):
        page = board(client, tiles[province].url)
        (unit,) = page.units
        assert (str(unit.m1_counts), unit.m1_shown) == (f"{errors} / {n}", shown)
        assert unit.m1.label == ("本省部分有差错" if errors else "本省部分无差错")
        for link in (one for one in (unit.m1_counts.errors, unit.m1_counts.n) if one != "0"):
            section = board(client, link.url).sections[0]
            assert len(section.rows) == int(link.label)
            assert f"共 {link.label} 份" in section.title
        assert funnel(page) == [int(tiles[province].value), n, errors]
        assert client.get(unit.url).status_code == 200
    home = signed_in(bureau_lead)
    assert board(home, tiles[44].url).units == board(client, tiles[44].url).units
    assert home.get(tiles[11].url).status_code == 404
    tile = {tile.code: tile for tile in board(home).provinces}[11]
    assert tile.url == f"{reverse('verification-form_list')}?province=11"


def test_a_bureau_reads_its_part_of_a_unit_of_another_province(spread: PilotUnit) -> None:
    beijing = signed_in(world.bureau(province=11))
    page = board(beijing, reverse("province", args=[11]))
    assert (page.title, page.tiles[0].value, page.units[0].m1_shown) == ("北京市准确率", "2", "100.0000%")
    for row in (board(beijing).units[0], page.units[0]):
        assert (row.m1.label, row.m2.label) == ("本省部分无差错", "本省部分无差错")
    for read, drawn in (
        (board(beijing), "charts"),
        (page, "charts"),
        (unit_page(beijing, spread), "sections"),
    ):
        trend = next(s for s in getattr(read, drawn) if s.title == "主体身份信息准确率（M1）按月走势")
        assert "达标线" not in trend.svg
        assert axis(trend.svg) == ["50", "100"] * 2  # wide and slim
    heads = ("M1 差错情况", "M2 差错情况")
    assert board(beijing).met_heads == page.met_heads == heads
    months = next(s for s in unit_page(beijing, spread).sections if s.title == "各月准确率")
    assert tuple(months.columns[n].label for n in (2, 4)) == heads
    guangdong = signed_in(world.bureau())
    assert board(guangdong).met_heads == ("M1 是否达线", "M2 是否达线")
    shown = guangdong.get(reverse("dashboard")).content.decode()
    assert shown.count("M1 是否达线") == shown.count("M1 差错情况") + 2
    listed = board(beijing, reverse("pilot-unit_list")).rows[0].cells
    assert [str(cell) for cell in listed[6:]] == ["100.0000% (0 / 1) 本省部分无差错"] * 2
    assert len(board(beijing, page.units[0].m1_counts.n.url).sections[0].rows) == 1
    assert funnel(board(beijing)) == [2, 1, 0]  # rows refused belong to no province
    for number in ("99", "x"):
        address = f"{reverse('figure', args=[spread.code, 'to-date', 'm1_n'])}?province={number}"
        assert signed_in(world.ministry()).get(address).status_code == 404


def test_the_list_of_forms_says_exactly_how_many_there_are(
    spread: PilotUnit, ministry_officer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    """Summed up from the buckets and from what still waits to be folded, whatever is asked by whom."""
    first = builders.form(spread, "L-1", "2019-05-20 10:00", late=True, province=11)
    builders.form(spread, "L-2", "2019-06-20 10:00", corrects=first, province=44)
    asked: list[dict[str, Any]] = [
        {}, {"province": 11}, {"unit": spread.code}, {"unit": "0"}, {"since": date(2019, 6, 1)},
        {"until": date(2019, 6, 17), "province": 44}, {"late": "yes"}, {"late": "no"}, {"form_no": "F-1"},
        {"late": "no", "province": 11}, {"job": str(first.job_id)},
    ]  # fmt: skip
    readers = [ministry_officer, bureau_lead, provider, world.bureau(province=11), world.provider()]
    told = [[forms.number(actor, wanted) for wanted in asked] for actor in readers]
    assert told == [[len(forms.listed(actor, wanted)) for wanted in asked] for actor in readers]
    assert told[0] == [8, 3, 8, 0, 6, 1, 1, 7, 1, 2, told[0][-1]]


def test_looking_writes_nothing_and_costs_no_more_for_more_forms(
    spread: PilotUnit, ministry_officer: Actor
) -> None:
    client = signed_in(ministry_officer)
    pages = [
        reverse("dashboard"),
        reverse("province", args=[44]),
        reverse("pilot-unit_detail", args=[spread.code]),
    ]

    def asked() -> list[list[str]]:
        found = []
        for url in pages:
            with CaptureQueriesContext(connection) as caught:
                assert client.get(url).status_code == 200
            found.append([query["sql"] for query in caught])
        return found

    asked()  # fills per-process caches
    before = asked()
    other = builders.enrol(spread.programme, world.provider())
    for month in ("2019-05-20", "2019-06-01", "2019-06-30"):
        builders.compared(builders.form(other, f"N-{month}", f"{month} 10:00"))
    buckets.fold()
    entries = AuditEntry.objects.count()
    after = asked()
    assert [len(queries) for queries in after] == [len(queries) for queries in before]
    assert AuditEntry.objects.count() == entries
    for queries in after:
        written = [sql for sql in queries if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
        assert [sql for sql in written if "django_session" not in sql] == []  # a session that slides on
    for queries in after[:2]:
        assert [sql for sql in queries if '"filings_verificationform"' in sql] == []
