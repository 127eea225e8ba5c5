"""Whatever JSON a row holds, checking it ends with findings, never with an exception."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filings.intake.check import check_row
from filings.intake.fields import MOST_ERRORS
from filings.intake.ndjson import parse_object
from filings.intake.records import UnitContext
from filings.intake.sound import sound, typed_text
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


def test_a_row_of_nothing_but_faults_tells_the_first_hundred(unit_form: Form, context: UnitContext) -> None:
    row = check_row(copy.deepcopy(unit_form) | {f"name{n}": "x" for n in range(300)}, context)
    assert [error.field for error in row.errors] == [f"/name{n}" for n in range(MOST_ERRORS)]
    assert MOST_ERRORS == 100


@pytest.mark.parametrize("name", ["collection_methods", "websites", "images"])
def test_a_list_longer_than_any_is_not_looked_into(name: str, unit_form: Form, context: UnitContext) -> None:
    """A hundred of what was sound are taken as they are, one more is a fault of the list."""
    full = check_row(unit_form | {name: (unit_form[name] * 100)[:100]}, context)
    over = check_row(unit_form | {name: [unit_form[name][0]] * 101}, context)
    of_list = [(error.code, error.field) for error in over.errors if error.field == f"/{name}"]
    assert [error for error in full.errors if error.field == f"/{name}"] == []
    assert of_list == [("field.length", f"/{name}")]
    assert sound(
        [typed_text(json.dumps(unit_form | {name: [unit_form[name][0]] * 101}).encode())], context
    ) == [None]


def test_a_list_deeper_than_any_is_a_fault_of_its_item(unit_form: Form, context: UnitContext) -> None:
    line = json.dumps(unit_form | {"collection_methods": ["here"]}).encode()
    nested = b"[" * 900 + b'"\\t"' + b"]" * 900
    data = parse_object(line.replace(b'"here"', nested))
    assert [(error.code, error.field) for error in check_row(data, context).errors] == [
        ("field.type", "/collection_methods/0")
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_line(line: bytes) -> None:
    parsed = parse_object(line)
    assert parsed is None or isinstance(parsed, dict)
