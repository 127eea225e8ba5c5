"""The register: enrolment once, status by effect date without overlaps, a new range after an annulled sanction."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from psycopg.types.range import Range

from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Organisation, PilotUnit, Programme, Window
from pilot.selectors import register as selectors
from pilot.services import programmes, register
from pilot.workflow import fire
from tests.factories import world
from tests.factories.audited import audited


@pytest.fixture
def unit(programme: Programme, provider: Actor) -> PilotUnit:
    return enrol(programme, provider)


def enrol(programme: Programme, provider: Actor, **scope: Any) -> PilotUnit:
    return register.enrol_unit(
        actor=world.SETUP,
        programme=programme,
        organisation=Organisation.objects.get(pk=provider.organisation_id),
        case_key=uuid4(),
        at=world.moment("2019-05-15 10:00"),
        effective_from=world.moment("2019-05-01 00:00"),
        **scope,
    )


def timeline(unit: PilotUnit) -> list[tuple[str, str, str | None]]:
    return [
        (
            s.kind,
            f"{s.during.lower:%Y-%m-%dT%H%z}",
            f"{s.during.upper:%Y-%m-%dT%H%z}" if s.during.upper else None,
        )
        for s in unit.statuses.order_by("during")
    ]


RUN_OPENS, RUN_CLOSES = "2019-05-15T16+0000", "2019-12-31T16+0000"


def test_a_unit_is_active_from_the_run_phase_until_its_end(unit: PilotUnit) -> None:
    assert (unit.code, unit.national_id) == ("1001", 1001)
    assert audited("register.enrol") == ("done", None, "pilotunit", str(unit.pk))
    assert timeline(unit) == [("active", RUN_OPENS, RUN_CLOSES), ("completed", RUN_CLOSES, None)]
    assert unit.scopes.count() == 31 * 4


def test_codes_run_on(programme: Programme, unit: PilotUnit) -> None:
    assert enrol(programme, world.provider()).code == "1002"


def test_nobody_is_enrolled_twice(programme: Programme, provider: Actor, unit: PilotUnit) -> None:
    with pytest.raises(Refused, match="已在试点单位名录中"):
        enrol(programme, provider)


def test_a_run_phase_that_is_extended_keeps_its_units_in_the_pilot(
    programme: Programme, unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    other = enrol(programme, world.provider())
    removal, later = world.moment("2019-10-01 00:00"), world.moment("2020-02-01 00:00")
    register.set_status(actor=world.SETUP, unit=other, kind="removed", start=removal, reason="示例")
    extension = programmes.propose_extension(
        actor=ministry_officer, window=Window.objects.get(kind="run"), closes=later, reason="示例"
    )
    assert timeline(unit)[-1] == ("completed", RUN_CLOSES, None)
    fire(extension, "approve", actor=ministry_approver)
    end = "2020-01-31T16+0000"
    assert timeline(unit) == [("active", RUN_OPENS, end), ("completed", end, None)]
    assert [row[0] for row in timeline(other)] == ["active", "removed"]
    assert audited("register.run_extended")[0] == "done"
    assert len(selectors.decisions(unit)) == len(selectors.decisions(other)) == 2


def test_suspension_and_reinstatement_leave_their_ranges(unit: PilotUnit) -> None:
    for kind, day in (("suspended", "2019-08-19 00:00"), ("active", "2019-09-12 10:00")):
        register.set_status(actor=world.SETUP, unit=unit, kind=kind, start=world.moment(day), reason="示例")
    assert timeline(unit) == [
        ("active", RUN_OPENS, "2019-08-18T16+0000"),
        ("suspended", "2019-08-18T16+0000", "2019-09-12T02+0000"),
        ("active", "2019-09-12T02+0000", RUN_CLOSES),
        ("completed", RUN_CLOSES, None),
    ]
    assert selectors.status_at(unit, world.moment("2019-08-18 23:59")) == "active"
    assert selectors.status_at(unit, world.moment("2019-08-19 00:00")) == "suspended"


def test_removal_has_no_end_and_nothing_comes_after_it(unit: PilotUnit) -> None:
    start = world.moment("2019-09-16 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="removed", start=start, reason="示例")
    assert timeline(unit) == [
        ("active", RUN_OPENS, "2019-09-15T16+0000"),
        ("removed", "2019-09-15T16+0000", None),
    ]
    with pytest.raises(Refused, match="该单位在生效时间已不在试点中"):
        register.set_status(
            actor=world.SETUP,
            unit=unit,
            kind="suspended",
            start=world.moment("2019-10-01 00:00"),
            reason="示例",
        )


def test_an_annulled_removal_starts_a_new_active_range(unit: PilotUnit) -> None:
    register.set_status(
        actor=world.SETUP, unit=unit, kind="removed", start=world.moment("2019-09-16 00:00"), reason="示例"
    )
    register.annul_status(
        actor=world.SETUP, unit=unit, kind="removed", start=world.moment("2019-10-01 00:00"), reason="示例"
    )
    assert (
        audited("register.status")
        == audited("register.reinstate")
        == ("done", None, "pilotunit", str(unit.pk))
    )
    assert timeline(unit) == [
        ("active", RUN_OPENS, "2019-09-15T16+0000"),
        ("removed", "2019-09-15T16+0000", "2019-09-30T16+0000"),
        ("active", "2019-09-30T16+0000", RUN_CLOSES),
        ("completed", RUN_CLOSES, None),
    ]


SUSPEND = "INSERT INTO pilot_unitstatus (unit_id, kind, during, reason) VALUES (%s, 'suspended', %s, '示例')"


def test_the_database_refuses_overlapping_ranges(unit: PilotUnit) -> None:
    start = world.moment("2019-06-03 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=start, reason="示例")
    for day in (start, world.moment("2019-07-01 00:00"), world.moment("2020-02-01 00:00")):
        with pytest.raises(IntegrityError, match="unit_status_no_overlap"), transaction.atomic():
            connection.cursor().execute(SUSPEND, [unit.pk, Range(day, None)])


def test_a_planned_suspension_follows_its_date_and_no_job(unit: PilotUnit) -> None:
    start = world.moment("2019-07-15 00:00")
    world.at("2019-07-01 09:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=start, reason="示例")
    seen = []
    for text in ("2019-07-01 09:00", "2019-07-14 23:59", "2019-07-15 00:00"):
        (row,) = selectors.units(world.SETUP, at=world.at(text))
        seen.append((selectors.status_at(unit, world.moment(text)), row.status))
    assert seen == [("active", "active"), ("active", "active"), ("suspended", "suspended")]


def test_a_sanction_annulled_before_it_takes_effect_leaves_no_trace_in_the_status(unit: PilotUnit) -> None:
    effect = world.moment("2019-09-16 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=effect, reason="示例")
    register.annul_status(actor=world.SETUP, unit=unit, kind="suspended", start=effect, reason="示例")
    assert timeline(unit) == [
        ("active", RUN_OPENS, "2019-09-15T16+0000"),
        ("active", "2019-09-15T16+0000", RUN_CLOSES),
        ("completed", RUN_CLOSES, None),
    ]


def annul(unit: PilotUnit, start: str) -> None:
    register.annul_status(
        actor=world.SETUP, unit=unit, kind="removed", start=world.moment(start), reason="示例"
    )


def test_nothing_is_annulled_where_the_unit_is_active(unit: PilotUnit) -> None:
    annul(unit, "2019-10-01 00:00")
    assert timeline(unit) == [("active", RUN_OPENS, RUN_CLOSES), ("completed", RUN_CLOSES, None)]
    assert AuditEntry.objects.filter(action="register.reinstate").count() == 0


def test_a_removal_annulled_after_the_run_phase_leaves_the_unit_completed(unit: PilotUnit) -> None:
    start = world.moment("2019-09-16 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="removed", start=start, reason="示例")
    annul(unit, "2020-02-01 00:00")
    assert timeline(unit) == [
        ("active", RUN_OPENS, "2019-09-15T16+0000"),
        ("removed", "2019-09-15T16+0000", "2020-01-31T16+0000"),
        ("completed", "2020-01-31T16+0000", None),
    ]


@pytest.mark.parametrize("nothing", [{"provinces": ()}, {"filing_types": ()}])
def test_nobody_is_enrolled_for_nothing(
    programme: Programme, provider: Actor, nothing: dict[str, tuple[()]]
) -> None:
    with pytest.raises(Refused, match="请至少开通一个省份和一类备案"):
        enrol(programme, provider, **nothing)
    assert PilotUnit.unscoped.count() == 0
