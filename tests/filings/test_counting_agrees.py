"""The statement that counts in SQL agrees with the plain reference in Python, on any life of any chains."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filings.accuracy import counting as reference
from filings.accuracy.counting import Chain, Counts, Finding, FindingState, Outcome, Version
from filings.enums import FindingKind, FindingSource
from filings.models import Determination, Inspection, InspectionItem
from filings.periods import Period
from filings.selectors import counting
from filings.services import deltas
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.rules import SHANGHAI
from pilot.workflow import open_case
from tests.factories import world
from tests.filings import builders

START = datetime(2019, 6, 18, 20, tzinfo=SHANGHAI)
PATHS: dict[FindingState, tuple[str, ...]] = {
    FindingState.OPEN: (),
    FindingState.CONFIRMED: ("confirmed",),
    FindingState.DISPUTED: ("disputed",),
    FindingState.UPHELD: ("disputed", "upheld"),
    FindingState.OVERTURNED: ("disputed", "overturned"),
}

hours = st.integers(0, 30)
findings = st.lists(
    st.tuples(
        st.sampled_from([FindingSource.COMPARISON, FindingSource.REPORT]),
        st.sampled_from(list(FindingState)),
        st.booleans(),
        hours,
    ),
    max_size=2,
)
versions = st.tuples(
    hours,
    st.lists(st.sampled_from(list(Outcome)), max_size=2),
    findings,
    st.sampled_from([None, False, True]),
)
chains = st.tuples(
    st.booleans(), st.lists(versions, min_size=1, max_size=3), st.one_of(st.none(), hours), st.booleans()
)


@given(life=st.lists(chains, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_agrees_with_the_reference(unit: PilotUnit, bureau_reviewer: Actor, life: list[Any]) -> None:
    with deltas.recorded(unit_id=unit.pk), transaction.atomic():
        built = [_build(unit, bureau_reviewer, number, *chain) for number, chain in enumerate(life)]
        found = counting.tallies(units=[unit.pk], period=Period.parse("to-date"))
        whole = reference.total(
            Counts(**{name: bucket[name] for name in counting.CHAIN_NAMES})
            for bucket in counting.buckets(units=[unit.pk])
        )
        transaction.set_rollback(True)
    expected = reference.total(reference.contribution(chain).counts for chain in built)
    assert found[()].counts == expected
    assert whole == expected


def _build(
    unit: PilotUnit,
    reader: Actor,
    number: int,
    late: bool,
    life: list[Any],
    drawn: int | None,
    cancelled: bool,
) -> Chain:
    """Write one chain to the database, and return it as the reference sees it."""
    at = world.moment("2020-01-02 10:00") if late else START
    previous, built, notified = None, [], []
    inspection = None if drawn is None else _inspection(unit, reader, at + timedelta(hours=drawn))
    for place, (gap, outcomes, faults, judged) in enumerate(life):
        at += timedelta(hours=gap) if previous else timedelta()
        row = builders.form(unit, f"F-{number}-{place}", at, corrects=previous, late=late)
        compared = [outcome for outcome in outcomes if outcome != Outcome.PENDING]
        for step, outcome in enumerate(compared, start=1):
            Determination.unscoped.create(form=row, unit=unit, number=step, outcome=outcome, at=at)
        for field, (source, state, identity, wait) in enumerate(faults):
            kind = FindingKind.IDENTITY if identity else FindingKind.FORM
            notice = at + timedelta(hours=wait)
            builders.decide(
                builders.found(row, source=source, kind=kind, field=f"f{field}", at=notice), *PATHS[state]
            )
            notified.append(notice)
        if inspection is not None and place == 0:
            InspectionItem.unscoped.create(
                inspection=inspection, form=row, rank=1, identity_right=judged, form_right=judged
            )
        built.append(
            Version(
                form_no=row.form_no,
                received_at=at,
                outcome=compared[-1] if compared else Outcome.PENDING,
                findings=tuple(
                    Finding(source=str(source), state=state, identity=identity)
                    for source, state, identity, _wait in faults
                ),
                inspected=inspection is not None and place == 0 and judged is not None and not cancelled,
                late=late,
            )
        )
        previous = row
    if inspection is not None and cancelled:
        Inspection.unscoped.filter(pk=inspection.pk).update(state="cancelled")
    return Chain(
        versions=tuple(built),
        end_of_first_day=reference.first_day(built[0].received_at, SHANGHAI)[1],
        drawn_at=inspection.drawn_at if inspection else None,
        notified_at=min(notified, default=None),
    )


def _inspection(unit: PilotUnit, planner: Actor, drawn_at: datetime) -> Inspection:
    inspection = Inspection(
        case_key=unit.case_key,
        unit=unit,
        organisation_id=planner.organisation_id,
        period="to-date",
        size=1,
        planned_by_id=planner.person_id,
        drawn_at=drawn_at,
    )
    open_case(inspection, actor=planner, at=drawn_at)
    return inspection
