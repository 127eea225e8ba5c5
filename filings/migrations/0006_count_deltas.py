"""Counts by deltas: a queue that writers append to, folded into the buckets; and no writer that could forget it."""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from pilot.enums import Province

PARTITIONS = 16
COUNTS = (
    "forms", "versions", "m1_n", "m1_errors", "m2_n", "m2_errors", "pending", "undeterminable", "m1_provisional",
    "m2_provisional", "errors_corrected", "first_pass_m1_n", "first_pass_m1_errors", "first_pass_m2_n",
    "first_pass_m2_errors", "late",
)  # fmt: skip
COLUMNS = ", ".join(("id", "unit_id", "day", "subject_province", "subject_kind", *COUNTS))
VIEW = f"""
CREATE VIEW filings_livetally AS
SELECT {COLUMNS} FROM filings_dailytally UNION ALL SELECT {COLUMNS} FROM filings_countdelta;
"""  # noqa: S608 (names of columns, ours)

# Forms come in only while they are counted (filings/models/guarded.py); triggers of a statement are not handed down
# to partitions, so each has its own.
GUARD = """
DROP TRIGGER dirty_days ON filings_verificationform;
DROP FUNCTION filings_forms_dirty_days();
CREATE FUNCTION filings_forms_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('pilot.counted', true), '') = '' THEN
        RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""
GUARDED = (
    "CREATE TRIGGER counted_insert BEFORE INSERT ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION filings_forms_counted();"
)
UNGUARD = """
CREATE FUNCTION filings_forms_dirty_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO filings_dirtyday (unit_id, day) SELECT DISTINCT unit_id, day FROM new_rows;
    RETURN NULL;
END $$;
CREATE TRIGGER dirty_days AFTER INSERT ON filings_verificationform
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION filings_forms_dirty_days();
DROP FUNCTION filings_forms_counted() CASCADE;
"""
FORM_TABLES = ("filings_verificationform", *(f"filings_verificationform_p{n}" for n in range(PARTITIONS)))


def have_rebuilt(apps, schema_editor):
    """Days that waited to be counted afresh are counted by the first worker that starts."""
    if apps.get_model("filings", "DirtyDay").objects.exists():
        from django.utils.timezone import now

        apps.get_model("pilot", "OutboxMessage").objects.create(
            kind="task", target="filings.tasks.rebuild_counts", payload={}, not_before=now()
        )


def tally():
    """The columns that buckets, changes and their view share."""
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("day", models.DateField()),
        ("subject_province", models.PositiveSmallIntegerField(choices=Province.choices)),
        ("subject_kind", models.CharField(max_length=8)),
        *((name, models.IntegerField()) for name in COUNTS),
        (
            "unit",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pilot.pilotunit",
            ),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("pilot", "0006_webhooks"), ("filings", "0005_ciphers")]
    operations = [
        migrations.RunPython(have_rebuilt, migrations.RunPython.noop),
        migrations.CreateModel(
            name="CountDelta",
            fields=tally(),
            options={"indexes": [models.Index(fields=["unit", "day"], name="filings_delta_unit_day")]},
        ),
        migrations.CreateModel(
            name="FoldMark",
            fields=[
                (
                    "unit",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="pilot.pilotunit",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
            ],
        ),
        migrations.AlterField(
            model_name="dailytally",
            name="unit",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pilot.pilotunit",
            ),
        ),
        *(
            migrations.AlterField(model_name="dailytally", name=name, field=models.IntegerField())
            for name in COUNTS
        ),
        migrations.CreateModel(
            name="LiveTally",
            fields=tally(),
            options={
                "db_table": "filings_livetally",
                "abstract": False,
                "managed": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        migrations.RunSQL(VIEW, reverse_sql="DROP VIEW filings_livetally;"),
        migrations.AddField(
            model_name="accuracyresult",
            name="errors",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        *(
            pgtrigger.migrations.RemoveTrigger(model_name=name, name="dirty_day")
            for name in ("determination", "finding", "inspection", "inspectionitem")
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="determination",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL;",
                    hash="781d6bd3949cce704e3651f8381b0a6b8b65f1dd",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_uncounted_insert_3d4a7",
                    table="filings_determination",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="finding",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL;",
                    hash="6d31f13a55b4a4c77115f82395c178920fa3a080",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_uncounted_insert_8d2e3",
                    table="filings_finding",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="finding",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IS DISTINCT FROM NEW.state)",
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW;",
                    hash="ce1453d6eba7d004731e552551a432c69cc6de99",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_uncounted_change_0cb5d",
                    table="filings_finding",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspection",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state = 'cancelled')",
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW;",
                    hash="9e08dad549b896370408f552828cfce0b93a21f6",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_uncounted_change_e62b0",
                    table="filings_inspection",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspectionitem",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL;",
                    hash="f65446645aa9971049cc30cf094547041598fc26",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_uncounted_insert_d12ee",
                    table="filings_inspectionitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspectionitem",
            trigger=pgtrigger.compiler.Trigger(
                name="uncounted_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.identity_right IS DISTINCT FROM NEW.identity_right)",
                    func="IF coalesce(current_setting('pilot.counted', true), '') = '' THEN RAISE EXCEPTION 'a change of % has to be counted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW;",
                    hash="3a129484a0edb9a3a805152c93de31f3bd3d76f8",
                    operation='UPDATE OF "identity_right"',
                    pgid="pgtrigger_uncounted_change_6e48e",
                    table="filings_inspectionitem",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(
            GUARD + "".join(GUARDED.format(table=table) for table in FORM_TABLES), reverse_sql=UNGUARD
        ),
        migrations.DeleteModel(name="DirtyDay"),
    ]
