"""Retention: a destroyed data key, pictures that go with it, and partitions no truncation reaches by their own name."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

PARTITIONS = 16

# A row may lose its blind index once its key is destroyed; nothing else of it ever changes.
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION filings_forms_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    swept record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        swept := OLD;
        swept.subject_index := ''::bytea;
        IF NEW *= swept AND EXISTS (
            SELECT 1 FROM filings_unitmonthkey k WHERE k.id = OLD.key_id AND k.destroyed_at IS NOT NULL
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'stored forms are append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
WITHOUT_RETENTION = """
CREATE OR REPLACE FUNCTION filings_forms_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stored forms are append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""

# Triggers of a statement are not handed down to partitions, so each has its own.
TRUNCATE = (
    "CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON filings_verificationform_p{n} "
    "FOR EACH STATEMENT EXECUTE FUNCTION filings_forms_append_only();"
)
DROP = "DROP TRIGGER append_only_truncate ON filings_verificationform_p{n};"


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0003_v3_access"),
    ]

    operations = [
        migrations.AddField(
            model_name="unitmonthkey",
            name="destroyed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="formpicture",
            trigger=pgtrigger.compiler.Trigger(
                name="kept_while_openable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM filings_unitmonthkey k WHERE k.id = (SELECT c.key_id FROM filings_picturecontent c WHERE c.id = OLD.content_id) AND k.destroyed_at IS NOT NULL) THEN RETURN OLD; END IF; RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="00009bef7daef19d57eef3c7c6908bf07cdeb8b9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_kept_while_openable_ac4e8",
                    table="filings_formpicture",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="formpicture",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="7fbb8d11da93a0596cc9d6ad88b247ed642865dc",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_3f36a",
                    table="filings_formpicture",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="picturecontent",
            trigger=pgtrigger.compiler.Trigger(
                name="kept_while_openable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM filings_unitmonthkey k WHERE k.id = (OLD.key_id) AND k.destroyed_at IS NOT NULL) THEN RETURN OLD; END IF; RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="4adb8163a53bb95c1ef8a74a59db734273a4615b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_kept_while_openable_9998a",
                    table="filings_picturecontent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="picturecontent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="c57c2f446c80a4cc231dd3f9321921557c499cb0",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_ed29d",
                    table="filings_picturecontent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="unitmonthkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("destroyed_at__isnull", True), ("wrapped", b""), _connector="XOR"),
                name="destroyed_key_is_gone",
            ),
        ),
        migrations.RunSQL(
            APPEND_ONLY + "\n".join(TRUNCATE.format(n=n) for n in range(PARTITIONS)),
            reverse_sql="\n".join(DROP.format(n=n) for n in range(PARTITIONS)) + WITHOUT_RETENTION,
        ),
    ]
