"""The commands of the run phase: JSON shapes and exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from filings.models import AccuracyResult
from pilot.models import PilotUnit
from tests.filings import builders


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_accuracy_compares_what_is_pending_first(unit: PilotUnit) -> None:
    firm, person = (1, "91440000MA0000001X", "示例科技有限公司"), (2, "440101199001010011", "示例甲")
    builders.form(unit, "F-1", content=builders.content(firm, person))
    builders.on_record(firm, person)
    result = run("accuracy", "--unit", unit.code, "--period", "2019-06")
    as_of = result.pop("as_of")
    assert as_of.startswith("2019-07-01T09:00:0")
    assert as_of.endswith("+08:00")
    figure = {"n": 1, "errors": 0, "met": True, "shown": "100.0000%"}
    assert result == {
        "unit": unit.code,
        "period": "2019-06",
        "rule_version": "2019-87/1",
        "m1": figure,
        "m2": figure,
        "pending": 0,
        "undeterminable": 0,
        "refused": 0,
        "duplicates": 0,
        "late": 0,
    }
    assert not AccuracyResult.unscoped.exists()


def test_a_recount_is_kept(unit: PilotUnit) -> None:
    builders.compared(builders.form(unit, "F-1"))
    result = run("accuracy", "--unit", unit.code, "--period", "to-date", "--recount")
    kept = AccuracyResult.unscoped.get()
    assert (kept.period, kept.counts["m1_n"], result["m1"]["n"]) == ("to-date", 1, 1)


@pytest.mark.parametrize(
    ("unit_code", "period", "words"), [("9999", "2019-06", "没有代码为 9999"), ("1001", "June", "期间应为")]
)
def test_accuracy_refuses_in_words(unit: PilotUnit, unit_code: str, period: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("accuracy", "--unit", unit_code, "--period", period)


def test_draw_sample_gives_the_published_vector(unit: PilotUnit) -> None:
    for number in range(1, 11):
        builders.form(unit, f"HYD-{number:02d}")
    arguments = ("draw_sample", "--unit", unit.code, "--period", "2019-06", "--size", "3", "--seed")
    assert run(*arguments, "2019-06/PU-01/a7") == {
        "frame_size": 10,
        "frame_digest": "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b",
        "seed": "2019-06/PU-01/a7",
        "size": 3,
        "form_nos": ["HYD-07", "HYD-01", "HYD-08"],
    }


def test_draw_sample_of_nothing_and_of_too_much(unit: PilotUnit) -> None:
    arguments = ("draw_sample", "--unit", unit.code, "--period", "2019-06", "--seed", "s", "--size")
    assert run(*arguments, "5")["form_nos"] == []
    builders.form(unit, "F-1")
    assert run(*arguments, "5")["form_nos"] == ["F-1"]
    with pytest.raises(CommandError, match="not negative"):
        run(*arguments, "-1")


def test_register_lists_the_units(unit: PilotUnit) -> None:
    assert run("register") == [
        {
            "code": "1001",
            "national_id": 1001,
            "name": unit.organisation.name,
            "province": "广东省",
            "status": "active",
        }
    ]
