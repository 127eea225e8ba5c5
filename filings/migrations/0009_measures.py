"""Alerts, causes of findings, rechecks and repeats of orders, the record of a hearing."""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("filings", "0008_inspection_readings")]
    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("case_key", models.UUIDField(db_index=True, editable=False)),
                ("opened_at", models.DateTimeField(editable=False)),
                ("state_since", models.DateTimeField(editable=False)),
                ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("state", models.CharField(default="open", max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("m1", "M1 未达标"),
                            ("m2", "出现 M2 差错"),
                            ("undeterminable", "无法判定占比过高"),
                            ("silence", "连续无报送"),
                            ("error_change", "差错占比突变"),
                            ("volume_change", "报送量突变"),
                        ],
                        max_length=16,
                        verbose_name="预警事项",
                    ),
                ),
                ("period", models.CharField(max_length=10, verbose_name="期间")),
                ("figures", models.JSONField()),
                ("basis", models.CharField(max_length=255, verbose_name="依据")),
                ("acknowledged_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="FindingCause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(verbose_name="差错原因")),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="rectification",
            name="recheck",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rechecked_orders",
                to="filings.inspection",
            ),
        ),
        migrations.AddField(
            model_name="rectification",
            name="repeat_of",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repeats",
                to="filings.rectification",
            ),
        ),
        migrations.AddField(
            model_name="sanction",
            name="heard_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="sanction",
            name="hearing_opinion",
            field=models.TextField(blank=True, db_default="", verbose_name="复核意见"),
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledged_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="result",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="filings.accuracyresult",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="pilot.pilotunit"
            ),
        ),
        migrations.AddField(
            model_name="findingcause",
            name="recorded_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="findingcause",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="finding_causes",
                to="pilot.pilotunit",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="cause",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="filings.findingcause",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("unit", "kind", "period"),
                name="one_open_alert",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alert",
            trigger=pgtrigger.compiler.Trigger(
                name="state_pairs",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:cleared}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="71965dcf28257c384314deb9c8af80b58a8816e1",
                    operation="UPDATE",
                    pgid="pgtrigger_state_pairs_7f860",
                    table="filings_alert",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alert",
            trigger=pgtrigger.compiler.Trigger(
                name="first_state",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF NEW.state <> 'open' THEN RAISE EXCEPTION 'first state % is not allowed', NEW.state USING ERRCODE = 'check_violation'; END IF; RETURN NEW;",
                    hash="c3a4dcfd884bd20ec9cf3cebb4436417dc27ea4a",
                    operation="INSERT",
                    pgid="pgtrigger_first_state_9eaf4",
                    table="filings_alert",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="findingcause",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="d5e809be56f88849dda527753b267af150a0d6a1",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_dbd4b",
                    table="filings_findingcause",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="findingcause",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="caa9f3ba2b3725832438af4527a6bb3ab2b14045",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_a9f7f",
                    table="filings_findingcause",
                    when="BEFORE",
                ),
            ),
        ),
    ]
