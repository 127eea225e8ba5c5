"""The rows of an upload that repeat what was handed in before, so that their number opens them."""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("filings", "0010_reports")]

    operations = [
        migrations.CreateModel(
            name="FormRepeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("form_no", models.CharField(blank=True, max_length=160)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repeats",
                        to="filings.uploadjob",
                    ),
                ),
            ],
            options={
                "ordering": ["job", "row"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("job", "row"), name="repeat_once_per_row")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="formrepeat",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="55b52a2a1771471b90a322bbfcb6f06ce01c7115",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_149e6",
                    table="filings_formrepeat",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="formrepeat",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="92c1b53ba55b22a8bca16321324c30f746d554e4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_840af",
                    table="filings_formrepeat",
                    when="BEFORE",
                ),
            ),
        ),
    ]
