"""The register and a unit's page: what is asked of the list, the scope in a grid, switches and licences on screen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings.services import supervision
from pilot.actors import Actor
from pilot.enums import FilingType
from pilot.masking import mask_name
from pilot.models import PilotUnit, Programme, ProgrammeRule, ScopeChange
from pilot.services import licences, register
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders
from tests.filings.test_pages import signed_in, text_of

TYPES = [kind.value for kind in FilingType]
FORM = {
    "opened": "0",
    "provinces": ["44", "11"],
    "filing_types": ["new_filing", "change"],
    "effective_from": "2019-08-01",
    "reason": "对接系统升级",
}


@pytest.fixture
def units(programme: Programme, ministry_officer: Actor) -> list[PilotUnit]:
    """Four units: licence over, in 20 days, in 60 days and unknown; the second in Guangxi, closed in Beijing."""
    made = [builders.enrol(programme, world.provider(province)) for province in (44, 45, 44, 44)]
    world.at("2019-07-01 09:00")
    for unit, day in zip(made, ("2019-06-30", "2019-07-21", "2019-08-30"), strict=False):
        PilotUnit.unscoped.filter(pk=unit.pk).update(licence_expires_on=day)
    switch(made[1], ministry_officer, [11], date(2019, 7, 1))
    return made


def switch(unit: PilotUnit, officer: Actor, provinces: list[int], day: date, opened: bool = False) -> None:
    register.set_scope(
        actor=officer,
        unit=unit,
        provinces=provinces,
        filing_types=TYPES,
        opened=opened,
        effective_from=day,
        reason="示例理由",
    )


def listed(client: Client, query: str) -> list[str]:
    """The codes of the register's rows for a query, in order."""
    page = client.get(f"{reverse('pilot-unit_list')}?{query}").context["page"]
    assert page.total == len(page.rows)
    return [row.cells[1] for row in page.rows]


def test_what_is_asked_of_the_register(units: list[PilotUnit], ministry_officer: Actor) -> None:
    gone = world.moment("2019-06-20 00:00")
    register.set_status(actor=world.SETUP, unit=units[3], kind="removed", start=gone, reason="示例")
    client = signed_in(ministry_officer)
    for query, codes in [
        ("", ["1001", "1002", "1003", "1004"]),
        ("licence=expired", ["1001"]),
        ("licence=30", ["1002"]),
        ("licence=90", ["1002", "1003"]),
        ("province=45", ["1002"]),
        ("opened=11", ["1001", "1003", "1004"]),
        ("status=removed", ["1004"]),
        ("q=100", ["1001", "1002", "1003", "1004"]),
        # By the whole name: a short number may stand in the name of another unit.
        (f"q={units[2].organisation.name}&status=active", ["1003"]),
        ("sort=-licence", ["1003", "1002", "1001", "1004"]),
        ("sort=province", ["1001", "1003", "1004", "1002"]),
        ("sort=nonsense", ["1001", "1002", "1003", "1004"]),
        ("opened=99&licence=7", ["1001", "1002", "1003", "1004"]),
    ]:
        assert listed(client, query) == codes, query
    rows = client.get(reverse("pilot-unit_list")).context["page"].rows
    assert [row.cells[4].replace("\u00a0", " ") for row in rows] == [
        "31 省，4 类备案",
        "30 省，4 类备案",
        "31 省，4 类备案",
        "31 省，4 类备案",
    ]
    assert [getattr(row.cells[5], "label", row.cells[5]) for row in rows] == [
        "2019-06-30 已到期",
        "2019-07-21 剩 20 天",
        "2019-08-30 剩 60 天",
        None,
    ]


def test_the_register_and_the_page_cost_the_same_for_one_and_for_many(
    units: list[PilotUnit], ministry_officer: Actor
) -> None:
    client, url = signed_in(ministry_officer), reverse("pilot-unit_list")
    page = reverse("pilot-unit_detail", args=["1001"])
    client.get(url), client.get(page)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    assert cost(f"{url}?q=1001") == cost(url)
    costs = []
    for opened in (False, True, False):
        switch(units[0], ministry_officer, [44], date(2019, 8, 1), opened)
        costs.append(cost(page))
    assert costs[0] == costs[1] == costs[2]


def test_a_bureau_counts_the_expired_licences_of_its_province(
    units: list[PilotUnit], bureau_reviewer: Actor
) -> None:
    for actor, value in ((bureau_reviewer, "1"), (world.bureau(province=45), "0")):
        tiles = signed_in(actor).get(reverse("dashboard")).context["page"].tiles
        assert [(t.value, t.tone) for t in tiles if t.label == "许可证已到期单位"] == [
            (value, "danger" if value == "1" else "neutral")
        ]
    tiles = signed_in(world.provider()).get(reverse("dashboard")).context["page"].tiles
    assert "许可证已到期单位" not in [tile.label for tile in tiles]


def test_the_history_names_decision_and_office_and_marks_what_is_to_come(
    units: list[PilotUnit], ministry_officer: Actor, ministry_approver: Actor
) -> None:
    ProgrammeRule.objects.filter(key="sanctions").update(value=True)
    unit = units[0]
    sanction = supervision.propose_sanction(
        actor=ministry_officer, unit=unit, kind="suspension", grounds="示例"
    )
    sanction = fire(sanction, "notify", actor=ministry_officer)
    owner = Actor(role="provider_admin", organisation_id=unit.organisation_id, person_id=None)
    sanction = fire(sanction, "close_hearing", actor=owner, statement="示例陈述")
    supervision.record_hearing(case=sanction, actor=ministry_officer, opinion="所述属实，不影响认定")
    fire(sanction, "impose", actor=ministry_approver, effect_from=world.moment("2019-07-15 00:00"))

    def history(actor: Actor) -> list[tuple[Any, ...]]:
        page = signed_in(actor).get(reverse("pilot-unit_detail", args=[unit.code])).context["page"]
        return [
            (s.tag.label, s.mark and s.mark.label, s.current, str(s.by), s.link and s.link.label)
            for s in page.history
        ]

    office = f"{ministry_approver.organisation_name} · {mask_name(ministry_approver.name)}"
    assert history(ministry_officer) == [
        ("试点结束", "尚未生效", False, "系统", None),
        ("已暂停", "尚未生效", False, office, sanction.number),
        ("试点中", "现行", True, "系统", None),
    ]
    other = world.person(unit.organisation, "provider_operator")
    assert history(other)[1] == (
        "已暂停",
        "尚未生效",
        False,
        ministry_approver.organisation_name,
        sanction.number,
    )
    world.at("2019-07-15 00:00")
    assert [step[1:3] for step in history(ministry_officer)] == [
        ("尚未生效", False),
        ("现行", True),
        (None, False),
    ]


def test_a_switch_from_the_form_over_the_preview_to_the_grid(
    units: list[PilotUnit], ministry_officer: Actor
) -> None:
    client, url = signed_in(ministry_officer), reverse("pilot-unit_scope", args=["1001"])
    page = reverse("pilot-unit_detail", args=["1001"])
    assert url in text_of(client, page)
    assert client.post(url, {}).status_code == 422
    assert client.post(url, FORM | {"effective_from": "2019-06-30"}).status_code == 422
    preview = client.post(url, FORM)
    assert preview.status_code == 200
    shown = preview.context["page"]
    assert [(row.cells[0], row.cells[1]) for row in shown.preview.rows] == [
        ("北京市", "新增备案、变更备案"),
        ("广东省", "新增备案、变更备案"),
    ]
    assert not ScopeChange.objects.filter(unit=units[0]).exists()
    carried: dict[str, Any] = {}
    for name, value in shown.carried:
        carried.setdefault(name, []).append(value)
    again = client.post(url, carried | {"step": "edit"})
    assert (again.status_code, again.context["page"].preview) == (200, None)
    switch(units[0], ministry_officer, [45], date(2019, 9, 2))  # a colleague was faster
    stale = client.post(url, carried | {"step": "confirm"})
    assert "开通范围在此期间已有变更" in stale.content.decode()
    carried["seen"] = dict(stale.context["page"].carried)["seen"]
    assert client.post(url, carried | {"step": "confirm"})["Location"] == page
    assert client.post(url, carried | {"step": "confirm"}).status_code == 422  # sent twice: done once
    assert ScopeChange.objects.filter(unit=units[0]).count() == 2

    def cells(query: str) -> list[tuple[bool, str]]:
        grid = client.get(f"{page}?{query}").context["page"].grid
        return [(cell.open, cell.planned) for cell in dict(grid.halves[0])["北京市"]]

    assert cells("") == [(True, "至 08-01"), (True, ""), (True, ""), (True, "至 08-01")]
    assert cells("on=2019-08-01") == [(False, ""), (True, ""), (True, ""), (False, "")]
    assert "对接系统升级" in text_of(client, page)


def test_what_is_open_stands_above_the_switch(units: list[PilotUnit], ministry_officer: Actor) -> None:
    def opened(unit: PilotUnit) -> list[tuple[str, str]]:
        page = signed_in(ministry_officer).get(reverse("pilot-unit_scope", args=[unit.code])).context["page"]
        return [(str(fact.label), str(fact.value)) for fact in page.opened.facts]

    register.set_scope(
        actor=ministry_officer,
        unit=units[0],
        provinces=[11, 44],
        filing_types=[FilingType.CHANGE, FilingType.NEW_ACCESS],
        opened=False,
        effective_from=date(2019, 7, 1),
        reason="示例",
    )
    whole, part = opened(units[0])
    assert (whole[0], "北京市" in whole[1], "天津市" in whole[1]) == ("全部类型", False, True)
    assert part == ("新增备案、新增网站", "北京市、广东省")
    shown = text_of(signed_in(ministry_officer), reverse("pilot-unit_scope", args=[units[0].code]))
    assert ("全部类型" in shown, "没有开通的省份" in shown) == (True, False)


def test_whoever_may_not_switch_finds_no_way_there(
    units: list[PilotUnit], ministry_approver: Actor, ministry_officer: Actor
) -> None:
    url = reverse("pilot-unit_scope", args=["1001"])
    for actor in (ministry_approver, world.bureau(), world.person(units[0].organisation, "provider_admin")):
        client = signed_in(actor)
        assert url not in text_of(client, reverse("pilot-unit_detail", args=["1001"]))
        assert client.post(url, FORM | {"step": "confirm", "seen": "0"}).status_code == 403
    register.set_status(
        actor=world.SETUP,
        unit=units[0],
        kind="removed",
        start=world.moment("2019-06-20 00:00"),
        reason="示例",
    )
    client = signed_in(ministry_officer)
    assert "该单位已不在试点中" in text_of(client, reverse("pilot-unit_detail", args=["1001"]))
    assert client.post(url, FORM | {"step": "confirm", "seen": "0"}).status_code == 422


def test_the_unit_reads_what_to_do_and_its_bureau_records_the_new_licence(
    units: list[PilotUnit], bureau_reviewer: Actor
) -> None:
    page, url = (reverse(f"pilot-unit_{name}", args=["1001"]) for name in ("detail", "licence"))
    owner = signed_in(world.person(units[0].organisation, "provider_admin"))
    assert "并将新证报送广东省通信管理局登记" in text_of(owner, page)
    client = signed_in(bureau_reviewer)
    assert url in text_of(client, page)
    text_of(signed_in(world.bureau(province=45)), url, 404)
    assert client.post(url, {"expires_on": "2019-06-30", "reason": "示例"}).status_code == 422
    answer = client.post(url, {"expires_on": "2024-06-30", "reason": "已核对新证"})
    assert answer["Location"] == page
    (renewed,) = [s for s in client.get(page).context["page"].records if s.title == "许可证延续记录"]
    assert renewed.rows[0].cells[1:4] == ["2019-06-30", "2024-06-30", "已核对新证"]
    assert bureau_reviewer.name not in text_of(owner, page)
    assert licences.watch() == 2


def test_of_a_unit_that_is_out_the_grid_is_that_of_its_end(
    units: list[PilotUnit], ministry_officer: Actor
) -> None:
    client, url = signed_in(ministry_officer), reverse("pilot-unit_detail", args=[units[0].code])
    grid = client.get(url).context["page"].grid
    assert (grid.lead, grid.at.date()) == ("截至", date(2019, 7, 1))
    world.at("2020-01-10 09:00")
    ended = client.get(url).context["page"].grid
    assert (ended.lead, ended.at) == ("试点结束时的开通范围，截至", world.moment("2020-01-01 00:00"))
    earlier = client.get(f"{url}?on=2019-07-01").context["page"].grid
    assert (earlier.lead, earlier.summary) == ("截至", grid.summary)


def test_of_a_removed_unit_it_is_that_of_its_leaving(units: list[PilotUnit], ministry_officer: Actor) -> None:
    day = world.moment("2019-07-02 00:00")
    register.set_status(actor=world.SETUP, unit=units[0], kind="removed", start=day, reason="示例")
    world.at("2019-07-03 09:00")
    url = reverse("pilot-unit_detail", args=[units[0].code])
    grid = signed_in(ministry_officer).get(url).context["page"].grid
    assert (grid.lead, grid.at) == ("退出试点时的开通范围，截至", day)
