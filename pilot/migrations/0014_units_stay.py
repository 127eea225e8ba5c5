"""Stored forms refer to units without foreign keys (filings/models/forms.py), so no unit is ever deleted."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("pilot", "0013_acts_by_person"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="pilotunit",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="25d699b8740a429f2e651b4edd638a24124ae9cd",
                    operation="DELETE",
                    pgid="pgtrigger_kept_3875a",
                    table="pilot_pilotunit",
                    when="BEFORE",
                ),
            ),
        ),
    ]
