"""The cipher of each unit-month's key, and the references by which V3.0 additions find their subject."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("filings", "0004_retention")]

    operations = [
        migrations.CreateModel(
            name="SubjectLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("number", "主体备案号"),
                            ("subject_id", "省系统主体标识"),
                            ("website_id", "省系统网站标识"),
                        ],
                        max_length=16,
                    ),
                ),
                ("found_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SubjectReference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("named", models.BooleanField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("number", "主体备案号"),
                            ("subject_id", "省系统主体标识"),
                            ("website_id", "省系统网站标识"),
                        ],
                        max_length=16,
                    ),
                ),
                ("index", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="unitmonthkey",
            name="cipher",
            field=models.CharField(
                choices=[("aes-256-gcm", "AES-256-GCM"), ("sm4-gcm", "SM4-GCM")],
                db_default="aes-256-gcm",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="subjectlink",
            name="form",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subject_link",
                to="filings.verificationform",
            ),
        ),
        migrations.AddField(
            model_name="subjectlink",
            name="subject_form",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="additions",
                to="filings.verificationform",
            ),
        ),
        migrations.AddField(
            model_name="subjectlink",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pilot.pilotunit"
            ),
        ),
        migrations.AddField(
            model_name="subjectreference",
            name="form",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="references",
                to="filings.verificationform",
            ),
        ),
        migrations.AddField(
            model_name="subjectreference",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pilot.pilotunit"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subjectlink",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="e2102f8eec9759a1b48e1c535b4f0e9a87d40441",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_6584f",
                    table="filings_subjectlink",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subjectlink",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="71470908858e28faa071bf547cac33ace7bd4c65",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_14dfd",
                    table="filings_subjectlink",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="subjectreference",
            index=models.Index(fields=["unit", "index"], name="subject_reference_index"),
        ),
        migrations.AddConstraint(
            model_name="subjectreference",
            constraint=models.UniqueConstraint(
                fields=("form", "kind", "index"), name="subject_reference_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subjectreference",
            trigger=pgtrigger.compiler.Trigger(
                name="kept_while_openable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM filings_unitmonthkey k WHERE k.id = (SELECT f.key_id FROM filings_verificationform f WHERE f.unit_id = OLD.unit_id AND f.id = OLD.form_id) AND k.destroyed_at IS NOT NULL) THEN RETURN OLD; END IF; RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="37fffddf40d0e2f848f2f03da19326df887266c0",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_kept_while_openable_de57b",
                    table="filings_subjectreference",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="subjectreference",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="d5c5f405f9db139ae9e4aaf6103cc6d9093726f4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_7b62a",
                    table="filings_subjectreference",
                    when="BEFORE",
                ),
            ),
        ),
    ]
