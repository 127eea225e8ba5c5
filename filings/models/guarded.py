"""Triggers that refuse what bears on counts unless its writer has the change counted (``services.deltas``).

The writer says so by a setting that ends with its transaction, so that no writer can forget.
"""

from __future__ import annotations

from typing import Final

import pgtrigger

DECLARED: Final = "pilot.counted"
REFUSAL: Final = (
    f"IF coalesce(current_setting('{DECLARED}', true), '') = '' THEN "
    "RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
    "END IF; "
)


def insert() -> pgtrigger.Trigger:
    """Rows come in only while their writer counts them; once per statement, after what else the table refuses."""
    return pgtrigger.Trigger(
        name="uncounted_insert",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func=REFUSAL + "RETURN NULL;",
    )


def change(column: str, *, to: str = "") -> pgtrigger.Trigger:
    """A column changes (to this value) only while its writer counts it.

    Triggers go by their names: the machine's pairs (``state_pairs``) are judged before.
    """
    becomes = f" AND NEW.{column} = '{to}'" if to else ""
    return pgtrigger.Trigger(
        name="uncounted_change",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(column),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Condition(f"OLD.{column} IS DISTINCT FROM NEW.{column}{becomes}"),
        func=REFUSAL + "RETURN NEW;",
    )
