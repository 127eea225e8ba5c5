"""The run phase from June 2019 to its end: eight units with eight fates, and every figure of theirs.

A line of figures is errors/n, whether the threshold is met, and the percentage shown, of M1 and of M2; then errors/n of
the first versions; then every other count that is not zero. A line of a bulletin is what was submitted and accepted,
then M1 and M2; adjustments are M1 and M2 before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from filings.models import Inspection, Rectification, Sanction
from pilot.models import AuditEntry, Programme
from pilot.services import programmes
from tests.scenarios.run_phase import LETTERS, MONTHS, Pilot, play
from tests.scenarios.run_story import rules, story

pytestmark = pytest.mark.django_db
PERIODS = [*MONTHS, "2020-01", "to-date"]

ONE = "m1 0/1 True 100.0000%; m2 0/1 True 100.0000%; first 0/1 0/1"
FOUR = "m1 0/4 True 100.0000%; m2 0/4 True 100.0000%; first 0/4 0/4"
FIVE = "m1 0/5 True 100.0000%; m2 0/5 True 100.0000%; first 0/5 0/5"
STEADY = dict.fromkeys(MONTHS[1:], ONE)
D_JUNE = "m1 1/4 False 75.0000%; m2 1/4 False 75.0000%; first 2/4 2/4; errors_corrected 1"
F_JUNE = "m1 1/4 False 75.0000%; m2 1/4 False 75.0000%; first 1/4 1/4"
G_JUNE = "m1 1/4 False 75.0000%; m2 2/4 False 50.0000%; first 1/4 2/4"

FIGURES: dict[str, dict[str, str]] = {
    "A": dict.fromkeys(MONTHS, FIVE)
    | {
        "2019-06": f"{FIVE}; duplicates 5",
        "2019-07": f"{FIVE}; refused 1",
        "to-date": "m1 0/35 True 100.0000%; m2 0/35 True 100.0000%; first 0/35 0/35; refused 1; duplicates 5",
    },
    "B": STEADY
    | {
        "2019-06": "m1 1/1999 False 99.9499%; m2 1/1999 False 99.9499%; first 1/1999 1/1999",
        "to-date": "m1 1/2005 True 99.9501%; m2 1/2005 False 99.9501%; first 1/2005 1/2005",
    },
    "C": STEADY
    | {
        "2019-06": "m1 1/2000 True 99.9500%; m2 1/2000 False 99.9500%; first 1/2000 1/2000",
        "2019-12": "m1 0/3 True 100.0000%; m2 0/3 True 100.0000%; first 0/3 0/3",
        "to-date": "m1 1/2008 True 99.9501%; m2 1/2008 False 99.9501%; first 1/2008 1/2008",
    },
    "D": STEADY
    | {
        "2019-06": D_JUNE,
        "to-date": "m1 1/10 False 90.0000%; m2 1/10 False 90.0000%; first 2/10 2/10; errors_corrected 1",
    },
    "E": STEADY
    | {
        "2019-06": FOUR,
        "to-date": "m1 0/10 True 100.0000%; m2 0/10 True 100.0000%; first 0/10 0/10",
    },
    "F": STEADY
    | {
        "2019-06": F_JUNE,
        "2019-08": f"{ONE}; refused 1",
        "2020-01": "m1 0/0 None --; m2 0/0 None --; first 0/0 0/0; refused 1; late 1",
        "to-date": "m1 1/10 False 90.0000%; m2 1/10 False 90.0000%; first 1/10 1/10; refused 2; late 1",
    },
    "G": {
        "2019-06": G_JUNE,
        "2019-07": ONE,
        "2019-08": ONE,
        "2019-09": "m1 0/0 None --; m2 0/0 None --; first 0/0 0/0; refused 1; late 1",
        "to-date": "m1 1/6 False 83.3333%; m2 2/6 False 66.6666%; first 1/6 2/6; refused 1; late 1",
    },
    "H": {},
}
# What is open or over on 18 July, when nothing has been heard of A's unknown principal yet.
ALERTS = [
    "B m1 2019-06: 06-18",
    "B m1 to-date: 06-18 – 07-18",
    "B m2 2019-06: 06-18",
    "C m2 2019-06: 06-18",
    "D m1 2019-06: 06-18",
    "D m1 to-date: 06-18",
    "D m2 2019-06: 06-18",
    "E m1 2019-06: 06-18 – 07-10",
    "E m1 to-date: 06-18 – 07-10",
    "E m2 2019-06: 06-18 – 07-10",
    "F m1 2019-06: 06-18",
    "F m1 to-date: 06-18",
    "F m2 2019-06: 06-18",
    "G m1 2019-06: 06-18",
    "G m1 to-date: 06-18",
    "G m2 2019-06: 06-18",
]
ERRORS = {
    **{letter: ["2019-06-18 M1: comparison principal confirmed"] for letter in "BCDF"},
    "G": ["2019-06-18 M1: comparison principal confirmed", "2019-06-18 M2: inspection form confirmed"],
}

ALL_RIGHT = "0/1 True 100.0000%; 0/1 True 100.0000%"
JUNE_WRONG = "1/4 False 75.0000%; 1/4 False 75.0000%"
EFG_JUNE = [f"{letter} 4 4: {JUNE_WRONG}" for letter in "EFG"]


def usual(*others: str) -> list[str]:
    """A bulletin's lines of a month in which A hands in five sound forms and B to F one each, but for ``others``."""
    lines = {"A": "A 5 5: 0/5 True 100.0000%; 0/5 True 100.0000%"}
    lines |= {letter: f"{letter} 1 1: {ALL_RIGHT}" for letter in "BCDEF"}
    lines |= {line[0]: line for line in others if line[1] == " "}
    return list(lines.values()) + [line for line in others if line[1] != " "]


BULLETINS = {
    "2019-06": [
        "A 10 5: 0/5 True 100.0000%; 0/5 True 100.0000%",
        "B 1999 1999: 1/1999 False 99.9499%; 1/1999 False 99.9499%",
        "C 2000 2000: 1/2000 True 99.9500%; 1/2000 False 99.9500%",
        f"D 6 6: {JUNE_WRONG}",
        *EFG_JUNE,
        "= 4027 4022: 6/4020 False 99.8507%; 6/4020 False 99.8507%",
    ],
    "2019-07": [
        *usual("A 6 5: 0/4 True 100.0000%; 0/5 True 100.0000%", f"G 1 1: {ALL_RIGHT}"),
        "= 12 11: 0/10 True 100.0000%; 0/11 True 100.0000%",
        "1005 2019-06: 1/4 1/4 → 0/4 0/4",
        "1007 2019-06: 1/4 1/4 → 1/4 2/4",
    ],
    "2019-08": [
        *usual(f"F 2 1: {ALL_RIGHT}", f"G 1 1: {ALL_RIGHT}"),
        "= 12 11: 0/11 True 100.0000%; 0/11 True 100.0000%",
        "1001 2019-07: 0/4 0/5 → 0/5 0/5",
    ],
    "2019-09": [
        *usual("G 2 0: 0/0 None --; 0/0 None --"),
        "= 12 10: 0/10 True 100.0000%; 0/10 True 100.0000%",
    ],
    "2019-10": [*usual(), "= 10 10: 0/10 True 100.0000%; 0/10 True 100.0000%"],
    "2019-11": [*usual(), "= 10 10: 0/10 True 100.0000%; 0/10 True 100.0000%"],
    "2019-12": [
        *usual(f"C 3 3: {ALL_RIGHT}"),
        "= 12 12: 0/10 True 100.0000%; 0/10 True 100.0000%",
    ],
    "to-date": [
        "A 41 35: 0/35 True 100.0000%; 0/35 True 100.0000%",
        "B 2005 2005: 1/2005 True 99.9501%; 1/2005 False 99.9501%",
        "C 2008 2008: 1/2008 True 99.9501%; 1/2008 False 99.9501%",
        "D 12 12: 1/10 False 90.0000%; 1/10 False 90.0000%",
        "E 10 10: 0/10 True 100.0000%; 0/10 True 100.0000%",
        "F 13 10: 1/10 False 90.0000%; 1/10 False 90.0000%",
        "G 8 6: 1/6 False 83.3333%; 2/6 False 66.6666%",
        "= 4097 4086: 5/4084 False 99.8775%; 6/4084 False 99.8530%",
        "1003 2019-12: 0/1 0/1 → 0/3 0/3",
    ],
}


@pytest.fixture(autouse=True)
def spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


def figures(pilot: Pilot, periods: Sequence[str]) -> dict[str, dict[str, str]]:
    return {letter: pilot.rows(letter, periods) for letter in LETTERS}


def states(model: Any) -> list[str]:
    return list(model.unscoped.order_by("unit").values_list("state", flat=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_seven_months(programme: Programme) -> None:
    pilot = Pilot(programme)
    rules(pilot)
    play(pilot, story(pilot, many=(1_999, 2_000)), date(2020, 1, 11))
    assert figures(pilot, PERIODS) == FIGURES
    assert pilot.errors() == ERRORS
    assert pilot.bulletins == BULLETINS
    assert pilot.alerts() == [
        "A undeterminable 2019-07: 07-18 – 08-12",
        "A undeterminable to-date: 07-18 – 08-12",
        *ALERTS[:3],
        "B volume_change 2019-07: 07-18",
        ALERTS[3],
        "C volume_change 2019-07: 07-18",
        *ALERTS[4:],
        "H silence 2019-05-16: 06-22 – 01-01",
    ]
    assert [states(model) for model in (Inspection, Rectification, Sanction)] == [
        ["concluded"],
        ["closed", "overdue"],
        ["lifted", "imposed"],
    ]
    assert not AuditEntry.objects.filter(action="figures.contradiction").exists()


@pytest.mark.slow
def test_until_july_with_few_forms(programme: Programme) -> None:
    """The same story until 18 July under a threshold of one in eight: B hands in seven forms, C eight."""
    pilot = Pilot(programme)
    rules(pilot)
    threshold = {"errors": 1, "out_of": 8}
    programmes.set_rule(
        actor=pilot.officer, programme=programme, key="identity_accuracy", value=threshold, basis="示例规则"
    )
    play(pilot, story(pilot, many=(7, 8)), date(2019, 7, 19))
    assert figures(pilot, [*MONTHS[:2], "to-date"]) == {
        "A": {
            "2019-06": f"{FIVE}; duplicates 5",
            "2019-07": "m1 0/4 True 100.0000%; m2 0/5 True 100.0000%; first 0/4 0/5; undeterminable 1; refused 1",
            "to-date": "m1 0/9 True 100.0000%; m2 0/10 True 100.0000%; first 0/9 0/10; undeterminable 1; refused 1; "
            "duplicates 5",
        },
        "B": {
            "2019-06": "m1 1/7 False 85.7142%; m2 1/7 False 85.7142%; first 1/7 1/7",
            "2019-07": ONE,
            "to-date": "m1 1/8 True 87.5000%; m2 1/8 False 87.5000%; first 1/8 1/8",
        },
        "C": {
            "2019-06": "m1 1/8 True 87.5000%; m2 1/8 False 87.5000%; first 1/8 1/8",
            "2019-07": ONE,
            "to-date": "m1 1/9 True 88.8888%; m2 1/9 False 88.8888%; first 1/9 1/9",
        },
        "D": {
            "2019-06": D_JUNE,
            "2019-07": ONE,
            "to-date": "m1 1/5 False 80.0000%; m2 1/5 False 80.0000%; first 2/5 2/5; errors_corrected 1",
        },
        "E": {"2019-06": FOUR, "2019-07": ONE, "to-date": FIVE},
        "F": {
            "2019-06": F_JUNE,
            "2019-07": ONE,
            "to-date": "m1 1/5 False 80.0000%; m2 1/5 False 80.0000%; first 1/5 1/5",
        },
        "G": {
            "2019-06": G_JUNE,
            "2019-07": ONE,
            "to-date": "m1 1/5 False 80.0000%; m2 2/5 False 60.0000%; first 1/5 2/5",
        },
        "H": {},
    }
    assert pilot.errors() == ERRORS
    assert pilot.alerts() == [
        "A undeterminable 2019-07: 07-18",
        "A undeterminable to-date: 07-18",
        *ALERTS,
        "H silence 2019-05-16: 06-22",
    ]
    assert pilot.bulletins == {
        "2019-06": [
            "A 10 5: 0/5 True 100.0000%; 0/5 True 100.0000%",
            "B 7 7: 1/7 False 85.7142%; 1/7 False 85.7142%",
            "C 8 8: 1/8 True 87.5000%; 1/8 False 87.5000%",
            f"D 6 6: {JUNE_WRONG}",
            *EFG_JUNE,
            "= 43 38: 6/36 False 83.3333%; 6/36 False 83.3333%",
        ]
    }
