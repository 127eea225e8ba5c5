"""The working-day calendar against the State Council's lists, day by day (F08)."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import pytest

from pilot import rules
from pilot.models import Programme
from pilot.selectors import programmes
from pilot.services.programmes import change_calendar
from tests.factories import world

# 国办发明电〔2025〕7号, 2025-11-04: first and last day off, and the weekend days worked for it.
OFF_2026 = {
    "元旦": ((1, 1), (1, 3)),
    "春节": ((2, 15), (2, 23)),
    "清明节": ((4, 4), (4, 6)),
    "劳动节": ((5, 1), (5, 5)),
    "端午节": ((6, 19), (6, 21)),
    "中秋节": ((9, 25), (9, 27)),
    "国庆节": ((10, 1), (10, 7)),
}
WORKED_2026 = {
    "元旦": [(1, 4)],
    "春节": [(2, 14), (2, 28)],
    "劳动节": [(5, 9)],
    "国庆节": [(9, 20), (10, 10)],
}


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def enter(programme: Programme, day: date, *, working: bool, name: str) -> None:
    """As the ministry keeps the calendar."""
    change_calendar(
        actor=world.SETUP,
        programme=programme,
        day=day,
        working=working,
        name=name,
        announced_on=date(2025, 11, 4),
        basis="国办发明电〔2025〕7号",
    )


@pytest.mark.parametrize("year", [2019, 2020])
def test_the_calendar_of_the_pilot_is_the_list_of_its_years(programme: Programme, year: int) -> None:
    """2020 to the end of the run phase's holidays as they were announced in 2019, before the epidemic moved them."""
    kept = programmes.calendar(programme)
    last = date(2019, 12, 31) if year == 2019 else date(2020, 1, 30)
    differ = [
        day
        for day in days(date(year, 1, 1), last)
        if rules.is_working_day(day, kept) != chinese_calendar.is_workday(day)
    ]
    assert differ == []


def test_the_list_of_2026_entered_by_the_ministry_gives_every_day_of_the_year(programme: Programme) -> None:
    for name, (first, last) in OFF_2026.items():
        for day in days(date(2026, *first), date(2026, *last)):
            if day.weekday() < 5:
                enter(programme, day, working=False, name=name)
    for name, worked in WORKED_2026.items():
        for month, number in worked:
            enter(programme, date(2026, month, number), working=True, name=f"{name}调休")
    kept = programmes.calendar(programme)
    year = days(date(2026, 1, 1), date(2026, 12, 31))
    ours = [rules.is_working_day(day, kept) for day in year]
    assert ours == [chinese_calendar.is_workday(day) for day in year]
    assert (len(year), sum(ours)) == (365, 248)
    # Five working days from the eve of the Spring Festival, over nine days off and a Saturday that is worked.
    assert rules.add_working_days(date(2026, 2, 13), 5, kept) == date(2026, 2, 27)
    # A year whose list is not entered counts Monday to Friday.
    assert sum(rules.is_working_day(d, kept) for d in days(date(2027, 1, 1), date(2027, 12, 31))) == 261
