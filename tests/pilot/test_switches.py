"""Switches: provinces and filing types of a unit opened and closed from a day on, as the decisions in order say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import localtime

from filings.intake.check import judge_collection_time
from filings.selectors.contexts import unit_context
from pilot import clock
from pilot.actors import Actor
from pilot.enums import FilingType, Province, UnitStatusKind
from pilot.errors import NotPermitted, PilotError, Refused, StateChanged
from pilot.models import AuditEntry, Notice, PilotUnit, Programme, ScopeChange
from pilot.scope import Cell, Scope, is_open
from pilot.selectors import register as selectors
from pilot.services import register
from tests.factories import world
from tests.filings import builders

GUANGDONG, GUANGXI = Province.GUANGDONG.value, Province.GUANGXI.value
NEW = FilingType.NEW_FILING.value
ALL, TYPES = [p.value for p in Province], [t.value for t in FilingType]
JULY, AUGUST, SEPTEMBER = date(2019, 7, 15), date(2019, 8, 1), date(2019, 9, 2)


@pytest.fixture
def unit(programme: Programme, provider: Actor) -> PilotUnit:
    made = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return made


@pytest.fixture
def switch(unit: PilotUnit, ministry_officer: Actor) -> Callable[..., ScopeChange]:
    """Open or close on a day, by the ministry's officer."""

    def by(opened: bool, day: date, provinces: Any = (GUANGDONG,), types: Any = (NEW,), **other: Any) -> Any:
        given = {"actor": ministry_officer, "reason": "示例理由", **other}
        return register.set_scope(
            unit=unit, provinces=provinces, filing_types=types, opened=opened, effective_from=day, **given
        )

    return by


def days(unit: PilotUnit, province: int = GUANGDONG, kind: str = NEW) -> list[tuple[str, str | None]]:
    """The times over which a cell is open, in days of Shanghai."""
    return [
        (f"{localtime(a):%m-%d}", f"{localtime(b):%m-%d}" if b else None)
        for a, b in selectors.scope_of(unit).get((province, kind), [])
    ]


def test_a_closing_is_written_once_told_and_audited(
    unit: PilotUnit, provider: Actor, ministry_officer: Actor, switch: Callable[..., ScopeChange]
) -> None:
    concerned = [provider, world.bureau(), world.bureau("bureau_lead", GUANGXI)]
    world.bureau(province=11)
    change = switch(False, AUGUST, [GUANGXI, GUANGDONG], reason=" 能力不足 ")
    assert (change.provinces, change.filing_types, change.reason, change.decided_by_id) == (
        [GUANGDONG, GUANGXI],
        [NEW],
        "能力不足",
        ministry_officer.person_id,
    )
    assert [days(unit), days(unit, GUANGXI), days(unit, 11)] == [
        [("05-16", "08-01")],
        [("05-16", "08-01")],
        [("05-16", None)],
    ]
    assert unit.scopes.count() == 31 * 4
    notices = Notice.objects.filter(source=f"scope-change:{change.pk}")
    assert {n.person_id for n in notices} == {actor.person_id for actor in concerned}
    assert {n.subject for n in notices} == {"1001 · 自 2019-08-01 起关闭 2 个省的备案范围"}
    entry = AuditEntry.objects.get(action="register.scope")
    assert (entry.person_id, entry.detail["cells"], entry.detail["opened"]) == (
        ministry_officer.person_id,
        2,
        False,
    )


def test_the_last_decision_holds_from_its_effect_on(
    unit: PilotUnit, switch: Callable[..., ScopeChange]
) -> None:
    switch(False, AUGUST)
    switch(True, SEPTEMBER)
    assert days(unit) == [("05-16", "08-01"), ("09-02", None)]
    switch(False, JULY)  # before what was planned: that gives way
    assert days(unit) == [("05-16", "07-15")]
    switch(True, JULY)  # on the same day: as if nothing had happened
    assert days(unit) == [("05-16", None)]
    switch(False, date(2019, 7, 1))  # today: at once, not since midnight
    now = clock.now()
    assert [is_open(selectors.scope_of(unit)[GUANGDONG, NEW], now - timedelta(hours=h)) for h in (0, 1)] == [
        False,
        True,
    ]
    assert ScopeChange.objects.count() == 5


def test_what_stands_so_already_is_left_alone(unit: PilotUnit, switch: Callable[..., ScopeChange]) -> None:
    switch(False, AUGUST)
    rows = set(unit.scopes.values_list("pk", flat=True))
    switch(False, AUGUST, [GUANGDONG, GUANGXI])
    assert len(set(unit.scopes.values_list("pk", flat=True)) - rows) == 1
    with pytest.raises(Refused, match="自生效时间起已经是关闭的"):
        switch(False, SEPTEMBER)
    with pytest.raises(Refused, match="自生效时间起已经是开通的"):
        switch(True, AUGUST, [11])
    assert ScopeChange.objects.count() == 2


def test_refusals_in_words(
    unit: PilotUnit, ministry_approver: Actor, switch: Callable[..., ScopeChange]
) -> None:
    for match, arguments, other in [
        ("生效日期不得早于今天", (False, date(2019, 6, 30)), {}),
        ("须在试点运行阶段之内", (False, date(2020, 1, 1)), {}),
        ("请选择省份和备案类型", (False, AUGUST, []), {}),
        ("请选择省份和备案类型", (False, AUGUST, [99]), {}),
        ("请选择省份和备案类型", (False, AUGUST, [GUANGDONG], ["other"]), {}),
        ("请填写理由", (False, AUGUST), {"reason": " "}),
        ("须依暂停程序办理", (False, AUGUST, ALL, TYPES), {}),
    ]:
        with pytest.raises(Refused, match=match):
            switch(*arguments, **other)
    with pytest.raises(NotPermitted, match="由部经办人员调整"):
        switch(False, AUGUST, actor=ministry_approver)
    with pytest.raises(StateChanged, match="已有变更"):
        switch(False, AUGUST, seen=1)
    gone = world.moment("2019-07-20 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind=UnitStatusKind.REMOVED, start=gone, reason="示例")
    with pytest.raises(Refused, match="在生效时间已不在试点中"):
        switch(False, AUGUST)
    assert switch(False, JULY).effective_from == world.moment("2019-07-15 00:00")
    assert ScopeChange.objects.count() == 1


def test_the_last_open_scope_stays_whatever_the_order_of_dates(
    unit: PilotUnit, switch: Callable[..., ScopeChange]
) -> None:
    switch(False, SEPTEMBER, [GUANGDONG], TYPES)
    others = [p for p in ALL if p != GUANGDONG]
    with pytest.raises(Refused, match="须依暂停程序办理"):
        switch(False, AUGUST, others, TYPES)  # Guangdong would still be open then, but not for good
    switch(True, date(2019, 10, 8), [GUANGDONG])
    with pytest.raises(Refused, match="须依暂停程序办理"):
        switch(False, AUGUST, others, TYPES)  # a gap in September
    switch(False, date(2019, 10, 8), others, TYPES)
    assert selectors.opened([unit.pk], at=world.moment("2019-10-08 00:00"))[unit.pk].cells == 1


def test_what_was_collected_before_a_closing_counts_whenever_it_is_received(
    unit: PilotUnit, switch: Callable[..., ScopeChange]
) -> None:
    switch(False, AUGUST, [GUANGDONG])
    context = unit_context(unit, world.moment("2019-08-20 10:00"))
    code = Province(GUANGDONG).code6
    faults: list[str] = []
    reader: Any = SimpleNamespace(add=lambda fault, pointer: faults.append(fault))
    for collected in ("2019-07-31 23:59", "2019-08-01 00:00"):
        judge_collection_time(reader, context, world.moment(collected), code, NEW)
        faults.append(collected)
    assert faults == ["2019-07-31 23:59", "unit.filing_type_not_enabled", "2019-08-01 00:00"]


def naive(base: Scope, rows: list[ScopeChange], cell: Cell, at: datetime) -> bool:
    """Whether a cell is open at a moment: as enrolled, then every decision in order, from its effect on."""
    opened = is_open(base.get(cell, []), at)
    for row in rows:
        if at >= row.effective_from and cell[0] in row.provinces and cell[1] in row.filing_types:
            opened = row.opened
    return opened


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_switches_answers_as_a_replay_of_the_decisions(
    unit: PilotUnit, switch: Callable[..., ScopeChange], seed: int
) -> None:
    dice, base = Random(seed), selectors.scope_of(unit)  # noqa: S311 (reproducible)
    provinces, kinds = [GUANGDONG, GUANGXI, 11], TYPES[:2]
    first, done = date(2019, 7, 1), 0
    for _step in range(25):
        if days_on := dice.randrange(3):  # the clock never goes back
            first += timedelta(days=days_on)
            world.at(f"{first.isoformat()} 09:00")
        try:
            switch(
                dice.random() < 0.5,
                first + timedelta(days=dice.randrange(40)),
                dice.sample(provinces, dice.randint(1, 3)),
                dice.sample(kinds, dice.randint(1, 2)),
            )
            done += 1
        except Refused:
            continue
    scope, rows = selectors.scope_of(unit), list(ScopeChange.objects.all())
    assert len(rows) == done >= 10
    for _probe in range(300):
        at = world.moment("2019-05-20 00:00") + timedelta(minutes=dice.randrange(200 * 24 * 60))
        cell = dice.choice(provinces), dice.choice(kinds)
        assert is_open(scope.get(cell, []), at) == naive(base, rows, cell, at), (cell, at)


@pytest.mark.django_db(transaction=True)
def test_two_officers_cannot_close_both_halves_at_once(unit: PilotUnit, ministry_officer: Actor) -> None:
    halves, ended, barrier = (ALL[:15], ALL[15:]), [], Barrier(2)

    def close(provinces: list[int]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            register.set_scope(
                actor=ministry_officer,
                unit=unit,
                provinces=provinces,
                filing_types=TYPES,
                opened=False,
                effective_from=AUGUST,
                reason="示例",
            )
            ended.append("done")
        except PilotError as refusal:
            ended.append(refusal.code)
        finally:
            connection.close()

    threads = [Thread(target=close, args=[half], daemon=True) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ended) == ["condition", "done"]
    assert ScopeChange.objects.count() == 1
