"""The run phase of eight invented units, each with a fate of its own, played day by day through the services.

``Pilot`` holds the people and the means (files, extracts, looks at the figures); ``run_story`` says what happens when.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final

from filings import tasks, writers
from filings.accuracy.counting import COUNT_NAMES
from filings.models import Alert, Bulletin, Finding, UploadJob
from filings.periods import EVER, Period
from filings.selectors import counting, members
from filings.services import authority, comparison, figures, uploads
from filings.services.bulletins import compile_bulletin
from filings.synthetic import authority_rows, make_forms
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import PilotUnit, Programme
from pilot.rules import SHANGHAI, local_day
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders

type Form = dict[str, Any]
LETTERS: Final = "ABCDEFGH"
MONTHS: Final = [f"2019-{month:02}" for month in range(6, 13)]
FIRST_DAY: Final = date(2019, 6, 1)


@dataclass(slots=True)
class Pilot:
    """The eight units with their people."""

    programme: Programme
    officer: Actor = field(default_factory=lambda: world.ministry(Role.MINISTRY_OFFICER))
    approver: Actor = field(default_factory=lambda: world.ministry(Role.MINISTRY_APPROVER))
    reviewer: Actor = field(default_factory=lambda: world.bureau(Role.BUREAU_REVIEWER))
    second: Actor = field(default_factory=lambda: world.bureau(Role.BUREAU_REVIEWER))
    lead: Actor = field(default_factory=lambda: world.bureau(Role.BUREAU_LEAD))
    people: dict[str, Actor] = field(default_factory=dict)
    units: dict[str, PilotUnit] = field(default_factory=dict)
    unknown: Form | None = None  # the form whose principal the authority does not know yet
    bulletins: dict[str, list[str]] = field(default_factory=dict)
    serial: int = 0

    def __post_init__(self) -> None:
        for letter in LETTERS:
            self.people[letter] = world.provider()
            self.units[letter] = builders.enrol(self.programme, self.people[letter])

    # --- forms ------------------------------------------------------------------------------------
    def make(self, letter: str, number: int, collected: str) -> list[Form]:
        """Sound forms of a unit, collected within two hours from ``collected`` on."""
        start = world.moment(collected)
        self.serial += 1
        made = make_forms(
            number,
            unit_code=self.units[letter].code,
            seed=self.serial,
            collected_from=start,
            collected_to=start + timedelta(hours=2),
        )
        return [form.record for form in made]

    def on_record(
        self, forms: Sequence[Form], differ: Sequence[Form] = (), missing: Sequence[Form] = ()
    ) -> None:
        """Load the authority's extract of these forms' people, with other names or without records for some."""
        numbers = [{form["form_no"] for form in some} for some in (differ, missing)]
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(authority.COLUMNS)
        table.writerows(authority_rows(forms, differ=numbers[0], missing=numbers[1]))
        authority.load_authority(source=io.BytesIO(out.getvalue().encode()), actor=world.SETUP)

    def hand_in(self, letter: str, forms: Sequence[Form], form: str = "ndjson") -> UploadJob:
        """A unit sends a file; it is processed as the worker does it. What was counted is the job as it then is."""
        name, body = written(forms, form, str(self.units[letter].national_id))
        job = uploads.receive_upload(
            actor=self.people[letter], unit=self.units[letter], source=io.BytesIO(body), name=name
        )
        tasks.process_upload(job.pk)
        return UploadJob.unscoped.get(pk=job.pk)

    def compare(self, letter: str) -> None:
        """The worker compares what a unit handed in."""
        tasks.compare_unit(self.units[letter].pk)
        assert comparison.pending(unit=self.units[letter]) == 0

    def send(self, letter: str, number: int, collected: str, form: str = "ndjson") -> list[Form]:
        """The usual case: sound forms whose people are on record, sent and compared."""
        forms = self.make(letter, number, collected)
        self.on_record(forms)
        self.hand_in(letter, forms, form)
        self.compare(letter)
        return forms

    # --- looking ----------------------------------------------------------------------------------
    def findings(self, letter: str, *states: str) -> list[Finding]:
        """The unit's findings in these states (default: all), oldest first."""
        rows = Finding.unscoped.filter(unit=self.units[letter]).order_by("pk")
        return list(rows.filter(state__in=states) if states else rows)

    def row(self, letter: str, period: str) -> str:
        """All that the recount says of a unit and period, in one line; counts of zero are left out."""
        unit = self.units[letter]
        shape = figures.figures(unit=unit, period=period)
        counts = figures.count(unit=unit, period=Period.parse(period))
        assert figures.figures(unit=unit, period=period, recount=False) | {"as_of": ""} == shape | {
            "as_of": ""
        }
        assert (counts.m1_n, counts.m2_errors) == (shape["m1"]["n"], shape["m2"]["errors"])
        parts = [f"{key} {_figure(shape[key])}" for key in ("m1", "m2")]
        first = [
            f"{getattr(counts, f'first_pass_{key}_errors')}/{getattr(counts, f'first_pass_{key}_n')}"
            for key in ("m1", "m2")
        ]
        rest = [
            name for name in COUNT_NAMES if not name.startswith(("m1_e", "m1_n", "m2_e", "m2_n", "first"))
        ]
        others = [f"{name} {number}" for name in rest if (number := getattr(counts, name))]
        return "; ".join([*parts, "first {} {}".format(*first), *others])

    def rows(self, letter: str, periods: Sequence[str]) -> dict[str, str]:
        """The lines of a unit's periods that are not empty."""
        lines = {period: self.row(letter, period) for period in periods}
        return {period: line for period, line in lines.items() if line != NOTHING}

    def errors(self) -> dict[str, list[str]]:
        """Every error that stands to date and why: form, M1 or M2 only, and the findings behind it."""
        listed = {letter: self._errors(letter) for letter in LETTERS}
        return {letter: lines for letter, lines in listed.items() if lines}

    def _errors(self, letter: str) -> list[str]:
        unit = self.units[letter].pk
        wrong = members.of_figure(unit=unit, period=EVER, count="m2_errors").forms
        identity = {form.pk for form in members.of_figure(unit=unit, period=EVER, count="m1_errors").forms}
        why = members.explanations([form.pk for form in wrong], identity=False)
        return [
            f"{form.day} {'M1' if form.pk in identity else 'M2'}: "
            + ", ".join(f"{one.source} {one.field} {one.state}" for one in why[form.pk])
            for form in wrong
        ]

    def alerts(self) -> list[str]:
        """Every alert that ever was: unit, what, period, the days on which it was opened and cleared."""
        letters = {unit.pk: letter for letter, unit in self.units.items()}
        return sorted(
            f"{letters[one.unit_id]} {one.kind} {one.period}: {local_day(one.opened_at):%m-%d}"
            + (f" – {local_day(one.cleared_at):%m-%d}" if one.cleared_at else "")
            for one in Alert.unscoped.all()
        )

    def agree(self) -> None:
        """The buckets, folded or waiting, hold what a recount of all forms gives."""
        assert counting.differences(units=[unit.pk for unit in self.units.values()]) == []

    def publish(self, **what: Any) -> None:
        """A bulletin: compiled, signed and published; what it says is kept by its period."""
        bulletin = compile_bulletin(actor=self.officer, **what)
        fire(bulletin, "sign", actor=self.approver)
        fire(bulletin, "publish", actor=self.approver)
        self.bulletins[bulletin.period] = published(bulletin)


NOTHING: Final = "m1 0/0 None --; m2 0/0 None --; first 0/0 0/0"


def _figure(one: dict[str, Any]) -> str:
    return f"{one['errors']}/{one['n']} {one['met']} {one['shown']}"


def published(bulletin: Bulletin) -> list[str]:
    """What a bulletin says: a line for every unit with figures, the totals, the adjustments."""
    frozen = bulletin.figures
    lines = [
        f"{LETTERS[place]} {unit['submitted']} {unit['accepted']}: {_figure(unit['m1'])}; {_figure(unit['m2'])}"
        for place, unit in enumerate(frozen["units"])
        if unit["submitted"]
    ]
    totals = frozen["totals"]
    lines.append(
        f"= {totals['submitted']} {totals['accepted']}: {_figure(totals['m1'])}; {_figure(totals['m2'])}"
    )
    return lines + [
        f"{one['code']} {one['period']}: "
        + " → ".join(
            f"{some['m1_errors']}/{some['m1_n']} {some['m2_errors']}/{some['m2_n']}"
            for some in (one["before"], one["after"])
        )
        for one in frozen["adjustments"]
    ]


def written(forms: Sequence[Form], form: str, national_id: str) -> tuple[str, bytes]:
    """A file of these forms: its name and its bytes."""
    out = io.BytesIO()
    if form in {"csv", "xlsx"}:
        write = writers.write_csv if form == "csv" else writers.write_xlsx
        write(forms, out, writers.columns_of(forms))
    elif form == "xml":
        writers.write_v3(forms, out, national_id)
    else:
        writers.write_ndjson(forms, out)
    body = out.getvalue()
    return f"示例.{form}", gzip.compress(body) if form.endswith(".gz") else body


def company(forms: Sequence[Form]) -> Form:
    """The first of these forms whose subject is no person: its principal is somebody else than the subject."""
    return next(form for form in forms if form["subject_kind"] == "unit")


def correction(form: Form, **changes: Any) -> Form:
    """The same form once more, corrected."""
    return {**form, "form_no": f"{form['form_no']}-C", "supersedes_form": form["form_no"], **changes}


# --- time passes --------------------------------------------------------------------------------------
type Event = tuple[datetime, Callable[[], Any]]


def play(pilot: Pilot, events: Sequence[Event], until: date) -> None:
    """Let every day pass as the timetable does, with what happens on it; buckets are always what the forms give."""
    by_day = {
        day: list(some) for day, some in groupby(sorted(events, key=lambda e: e[0]), lambda e: e[0].date())
    }
    for day in _days(until):
        _at(day, time(0, 10))
        tasks.pass_deadlines()
        tasks.review_alerts()
        if day.day == 1:
            tasks.nightly_recount()
            pilot.agree()
        for at, act in by_day.get(day, ()):
            world.at(f"{at:%Y-%m-%d %H:%M}")
            act()
        if day in by_day:
            _at(day, time(23, 0))
            pilot.agree()
            tasks.fold_counts()
            tasks.review_alerts()


def _days(until: date) -> Iterator[date]:
    for number in range((until - FIRST_DAY).days):
        yield FIRST_DAY + timedelta(days=number)


def _at(day: date, hour: time) -> None:
    world.at(f"{datetime.combine(day, hour, SHANGHAI):%Y-%m-%d %H:%M}")
