"""Stored forms without foreign keys (filings/models/forms.py); what they refer to is never deleted."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

REFERENCES = {"unit_id": "pilot_pilotunit", "job_id": "filings_uploadjob", "key_id": "filings_unitmonthkey"}
DROP = "ALTER TABLE filings_verificationform " + ", ".join(
    f"DROP CONSTRAINT filings_verificationform_{column}_fkey" for column in REFERENCES
)
ADD = "ALTER TABLE filings_verificationform " + ", ".join(
    f"ADD CONSTRAINT filings_verificationform_{column}_fkey FOREIGN KEY ({column}) REFERENCES {table} (id)"
    for column, table in REFERENCES.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0017_more_words"),
        ("pilot", "0014_units_stay"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="unitmonthkey",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="a08b02380674babe3cca7214866bb658f542acc6",
                    operation="DELETE",
                    pgid="pgtrigger_kept_e5422",
                    table="filings_unitmonthkey",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="uploadjob",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="8efcf3fcacf1c8d7f1955e4228ca2d28b688f62f",
                    operation="DELETE",
                    pgid="pgtrigger_kept_346d9",
                    table="filings_uploadjob",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(DROP, reverse_sql=ADD),
    ]
