"""The short way never says anything but what the full check says: held together on generated and spoilt rows."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from filings import synthetic
from filings.intake import columns
from filings.intake.check import check_row
from filings.intake.columns import ERROR_COLUMNS, FIXED_COLUMNS, Layout, TableRow
from filings.intake.decode import typed
from filings.intake.ndjson import parse_object
from filings.intake.records import UnitContext
from filings.intake.sound import sound, typed_text
from filings.intake.versions import Candidate
from filings.rules import CERT_TYPES_BY_NATURE
from filings.writers import columns_of, flatten

FULL_WIDTH = str.maketrans("0123456789ABCX", "０１２３４５６７８９ＡＢＣＸ")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 5, -1, 64, 65, 2**70, 0.5, 1e400, "", " ", "x", "0", "1.0", "0.50", "是", "a" * 300,
    [], {}, [1], ["face"], ["face", "face"], "\u0000", '"', "\\", "示例.中国", "www.example.com", "com.cn",
    "example.co", "2019-06-05T16:06:17+08:00", "2019-06-05T08:06:17Z", "2019-W23-3T16:06:17+08:00",
    "2019-02-30T16:06:17+08:00", "9999-12-31T23:59:59+08:00", "010-00000000", "12345678", "no", "na", "yes",
    "change", "person", "unit", "10.0.0.1",
)  # fmt: skip

CELLS: tuple[str, ...] = (
    "", " ", "x", "x ", "0", "1", "-0", "007", "1.0", "1e0", "１", "1;2", "1; 2", "1；2", "1,2", "1;;2", ";", "null",
    "true", "[1]", "1]", "1}", '"', '","', 'x","investor":"y', 'face","lip', 'a.jpg","b.jpg', "\\", "\\u0031",
    "a\tb", "a\nb", "face;lip", "face;", "face; lip", "face；lip", "a.jpg;b.jpg", "a.jpg；b.jpg", "\ue0000", "a" * 300,
    "2019-06-05T16:06:17+08:00", "change",
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of a row, as the container and the key it is found under."""
    members: Any = ()
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    for key, member in members:
        yield value, key
        yield from places(member)


def replaced(rng: Random, row: Any) -> None:
    container, key = rng.choice(list(places(row)))
    container[key] = copy.deepcopy(rng.choice(VALUES))


def respelt(rng: Random, row: Any) -> None:
    """Another spelling of the same, or nearly the same."""
    texts = [(c, k) for c, k in places(row) if isinstance(c[k], str)]
    container, key = rng.choice(texts)
    text = container[key]
    container[key] = rng.choice(
        [
            f" {text}",
            f"{text}\u3000",
            text.lower(),
            text.upper(),
            text.translate(FULL_WIDTH),
            text[:-1],
            text + "0",
        ]
    )


def removed(rng: Random, row: Any) -> None:
    container, key = rng.choice([(c, k) for c, k in places(row) if isinstance(c, dict)])
    del container[key]


def added(rng: Random, row: Any) -> None:
    container = rng.choice([row, *(c[k] for c, k in places(row) if isinstance(c[k], dict))])
    name = rng.choice(
        ["county", "investor", "landline", "approval", "home_url", "supersedes_form", "extra", "websites"]
    )
    container[name] = copy.deepcopy(rng.choice(VALUES))


def recertified(rng: Random, row: Any) -> None:
    """Another nature or certificate type."""
    holder = rng.choice([row["subject"], row["principal"], row["websites"][0]["principal"]])
    holder["cert_type"] = rng.choice([1, 2, 7, 11, 13, 14, 15, 24, 30, 36, 41, 42, 99])
    row["subject"]["nature"] = rng.choice([*CERT_TYPES_BY_NATURE, 7])


def approved(rng: Random, row: Any) -> None:
    """Service content that needs an approval, with or without one."""
    site = row["websites"][0]
    site["service_content"] = rng.choice([[5], [1, 13], [64], [1]])
    site["approval"] = {"type": 1, "number": "示例〔2019〕1号", "files": ["a.jpg"]}
    if rng.random() < 0.5:
        del site["approval"]["files"]
    row["checks"]["approval"] = rng.choice(["yes", "na"])


def kept(rng: Random, row: Any) -> None:
    """As it is."""


SPOILERS: tuple[Callable[[Random, Any], None], ...] = (
    kept, replaced, replaced, respelt, respelt, removed, added, recertified, approved,
)  # fmt: skip


def made(
    number: int, seed: int, context: UnitContext, error_rate: float = 0.0
) -> Iterator[synthetic.SyntheticForm]:
    return synthetic.make_forms(
        number,
        unit_code=context.unit_code,
        seed=seed,
        error_rate=error_rate,
        collected_from=context.run_opens,
        collected_to=context.received_at - timedelta(minutes=4),
    )


def generated(number: int, seed: int, context: UnitContext) -> Iterator[Any]:
    """Rows of which one in six is sound, the others spoilt in one or two places."""
    rng = Random(seed)  # noqa: S311 (repeatable test data, no secret)
    for form in made(number, seed, context, error_rate=0.1):
        row = form.record
        for _ in range(rng.randint(1, 2)):
            try:
                rng.choice(SPOILERS)(rng, row)
            except (KeyError, IndexError, TypeError, AttributeError):
                break  # spoilt so much that nothing more can be done to it
        yield row


def facts(candidate: Candidate) -> tuple[Any, ...]:
    return tuple(getattr(candidate, name) for name in Candidate.__slots__)


def judged_alike(row: Any, context: UnitContext) -> bool:
    """Compare both ways; says whether the row was sound."""
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    data = parse_object(line)
    if data is None:
        assert sound([typed_text(line)], context) == [None]
        return False
    full = check_row(data, context, 7)
    (short,) = sound([typed_text(line)], context)
    if short is not None:
        assert full.errors == []
        assert short.canonical == full.digest_source
        assert facts(Candidate.of_sound(7, short, line, b"")) == facts(Candidate.of(full, line, b""))
    return short is not None


def test_whoever_is_sound_has_no_fault(context: UnitContext) -> None:
    rows = list(generated(1_500, 87, context))
    found = sum(judged_alike(row, context) for row in rows)
    assert 150 < found < 1_200


def records(number: int, seed: int, context: UnitContext) -> Iterator[Any]:
    """Sound rows, some with a website or an approval more."""
    rng = Random(seed)  # noqa: S311 (repeatable test data, no secret)
    for form in made(number, seed, context):
        site = form.record["websites"][0]
        if rng.random() < 0.3:
            site["approval"] = {"type": 1, "number": "示例〔2019〕1号", "files": ["a.jpg", "b.jpg"]}
        if rng.random() < 0.3:
            form.record["websites"].append(copy.deepcopy(site))
        yield form.record


def cells_judged_alike(row: TableRow, context: UnitContext) -> bool:
    """The text of a row is judged as its data; says whether the row was sound."""
    (short,) = sound([typed(row)], context)
    if short is None:
        return False
    full = check_row(row.data, context, row.number)
    assert full.errors == []
    assert short.canonical == full.digest_source
    return True


def test_good_cells_take_the_short_way(context: UnitContext) -> None:
    rows = list(records(300, 1, context))
    names = columns_of(rows)
    layout = Layout(names)
    for record in rows:
        flat = flatten(record)
        assert cells_judged_alike(TableRow(1, b"", [flat.get(name, "") for name in names], layout), context)


def test_no_cell_says_in_text_what_it_does_not_say_in_its_row(context: UnitContext) -> None:
    """Every column with every odd cell."""
    rows = list(records(6, 2, context))
    names = [*columns_of(rows), "remark"]
    found = 0
    for record in rows:
        layout, flat = Layout(names), flatten(record)
        for place in range(len(names) + 1):
            for odd in CELLS:
                cells = [flat.get(name, "") for name in names]
                cells[place : place + 1] = [odd]
                found += cells_judged_alike(TableRow(1, b"", cells, layout), context)
    assert 1_000 < found < 3_000


def test_the_name_of_a_column_says_nothing(context: UnitContext) -> None:
    """It may look like the mark of another column's cell."""
    (record,) = records(1, 3, context)
    flat = flatten(record) | {"verifier_name": "supersedes_form", "\ue0000": "EARLIER-1"}
    names = ["verifier_name", *(name for name in flat if name != "verifier_name")]
    row = TableRow(1, b"", [flat[name] for name in names], Layout(names))
    assert (typed(row), row.text) == (None, None)
    assert [error.code for error in check_row(row.data, context).errors] == ["field.unknown"]


@pytest.mark.parametrize(
    "filled",
    [(), ("form_no",), ("errors.code",), ("remark",)],
    ids=lambda names: "-".join(names) or "nothing",
)
def test_a_row_that_fills_next_to_nothing_takes_the_long_way(filled: tuple[str, ...]) -> None:
    names = [*FIXED_COLUMNS, *ERROR_COLUMNS, "remark"]
    row = TableRow(1, b"", ["SL-000001" if name in filled else "" for name in names], Layout(names))
    assert (row.text, typed(row)) == (None, None)


def test_the_texts_of_few_sets_of_columns_are_kept(
    context: UnitContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows beyond them take the long way, so that no table fills the memory."""
    (record,) = records(1, 4, context)
    flat = flatten(record)
    layout = Layout([*flat, *ERROR_COLUMNS])
    monkeypatch.setattr(columns, "_MOST_PLACES", 2 * len(layout.names))
    cells = [[*flat.values(), *("x" if place < told else "" for place in range(4))] for told in (0, 1, 2, 1)]
    rows = [TableRow(number, b"", one, layout) for number, one in enumerate(cells)]
    assert [row.text is None for row in rows] == [False, False, True, False]
    assert [check_row(row.data, context).errors for row in rows] == [[], [], [], []]


def test_good_rows_take_the_short_way(context: UnitContext) -> None:
    assert all(judged_alike(form.record, context) for form in made(300, 1, context))


DIGESTS = (
    "A" * 64, "g" * 64, "０" * 64, "0" * 63, "0" * 65, f" {'0' * 62} ", f"{'0' * 62}  ", f"{'0' * 31}  {'0' * 31}",
    "0" * 62 + "٠٠",
)  # fmt: skip


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("place", [0, -1])
def test_a_digest_in_another_form_takes_the_long_way(context: UnitContext, digest: str, place: int) -> None:
    (form,) = made(1, 87, context)
    form.record["images"][place]["sha256"] = digest
    assert not judged_alike(form.record, context)


@pytest.mark.parametrize("size", [62, 63, 65, 66])
def test_each_digest_has_its_own_length(context: UnitContext, size: int) -> None:
    (form,) = made(1, 87, context)
    first, second = form.record["images"][:2]
    first["sha256"], second["sha256"] = "0" * size, "0" * (128 - size)
    assert not judged_alike(form.record, context)


@pytest.mark.slow
def test_a_hundred_thousand_rows(context: UnitContext) -> None:
    found = sum(judged_alike(row, context) for row in generated(100_000, 2019, context))
    assert 10_000 < found < 80_000
