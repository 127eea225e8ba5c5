"""Triggers that queue the days whose buckets no longer hold, in the writer's own transaction (see ``DirtyDay``)."""

from __future__ import annotations

import pgtrigger


def on_determinations() -> pgtrigger.Trigger:
    """A comparison bears on the day of its form's chain; one queue row per day of a whole statement."""
    return pgtrigger.Trigger(
        name="dirty_day",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
        func="INSERT INTO filings_dirtyday (unit_id, day) "
        "SELECT DISTINCT f.unit_id, f.day FROM new_rows n JOIN filings_verificationform f "
        "ON f.unit_id = n.unit_id AND f.id = n.form_id; RETURN NULL;",
    )


def on_findings() -> pgtrigger.Trigger:
    """A finding carries its chain's day."""
    return pgtrigger.Trigger(
        name="dirty_day",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]
        func="INSERT INTO filings_dirtyday (unit_id, day) VALUES (NEW.unit_id, NEW.day); RETURN NULL;",
    )


def on_items() -> pgtrigger.Trigger:
    """Being drawn closes a chain, being read judges it."""
    return pgtrigger.Trigger(
        name="dirty_day",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("identity_right"),  # type: ignore[no-untyped-call]
        func="INSERT INTO filings_dirtyday (unit_id, day) "
        "SELECT f.unit_id, f.day FROM filings_verificationform f WHERE f.id = NEW.form_id; RETURN NULL;",
    )


def on_inspections() -> pgtrigger.Trigger:
    """A cancelled inspection no longer judges."""
    return pgtrigger.Trigger(
        name="dirty_day",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Condition("NEW.state = 'cancelled'"),
        func="INSERT INTO filings_dirtyday (unit_id, day) "
        "SELECT DISTINCT f.unit_id, f.day FROM filings_inspectionitem i "
        "JOIN filings_verificationform f ON f.id = i.form_id WHERE i.inspection_id = NEW.id; RETURN NULL;",
    )
