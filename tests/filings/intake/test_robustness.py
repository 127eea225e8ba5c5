"""Whatever JSON a row holds, checking it ends with findings, never with an exception."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filings.intake.check import check_row
from filings.intake.fields import MOST_ERRORS
from filings.intake.ndjson import parse_object
from filings.intake.records import UnitContext
from filings.rules import ERRORS

Form = dict[str, Any]
Path = tuple[str | int, ...]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(codec=None))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def paths_of(value: Any, path: Path = ()) -> list[Path]:
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    return [path, *(found for key, member in members for found in paths_of(member, (*path, key)))]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere(data: st.DataObject, unit_form: Form, context: UnitContext) -> None:
    form = copy.deepcopy(unit_form)
    path = data.draw(st.sampled_from(paths_of(form)[1:]))
    target: Any = form
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(VALUES)

    row = check_row(form, context)

    assert set(row.codes) <= set(ERRORS)
    assert all(error.field == "" or error.field.startswith("/") for error in row.errors)
    assert [error.message(language) != "" for error in row.errors for language in ("zh", "en")] == [
        True
    ] * 2 * len(row.errors)


@pytest.mark.parametrize(
    "faults",
    [
        {f"name{n}": "x" for n in range(300)},
        {"collection_methods": ["x"] * 300},
        {"websites": [0] * 300},
        {"images": ["x"] * 300},
    ],
    ids=lambda faults: next(iter(faults)),
)
def test_a_row_of_nothing_but_faults_tells_the_first_hundred(
    faults: Form, unit_form: Form, context: UnitContext
) -> None:
    row = check_row(copy.deepcopy(unit_form) | faults, context)
    assert len(row.errors) == MOST_ERRORS == 100
    assert len({error.field for error in row.errors}) == 100


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_line(line: bytes) -> None:
    parsed = parse_object(line)
    assert parsed is None or isinstance(parsed, dict)
