from __future__ import annotations

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0007_national_answers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: list[migrations.operations.base.Operation] = [
        migrations.CreateModel(
            name="InspectionReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("turn", models.PositiveSmallIntegerField()),
                ("fields", models.JSONField()),
                ("identity_right", models.BooleanField()),
                ("form_right", models.BooleanField()),
                ("remark", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["item", "turn"],
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="inspection",
            name="accepted_errors",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="允许差错数"),
        ),
        migrations.AddField(
            model_name="inspection",
            name="allocation",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="inspection",
            name="claimed_ppm",
            field=models.PositiveIntegerField(db_default=500, default=500, verbose_name="声称差错率"),
        ),
        migrations.AddField(
            model_name="inspection",
            name="result",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="inspection",
            name="risk_ppm",
            field=models.PositiveIntegerField(db_default=50000, default=50000, verbose_name="风险"),
        ),
        migrations.AddField(
            model_name="inspection",
            name="second_share",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="二次检查比例"),
        ),
        migrations.AddField(
            model_name="inspection",
            name="strata",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "不分层"),
                    ("province", "主体所在省"),
                    ("kind", "主办者类型"),
                    ("filing_type", "备案类型"),
                ],
                db_default="",
                default="",
                max_length=16,
                verbose_name="分层",
            ),
        ),
        migrations.AddField(
            model_name="inspection",
            name="tolerated_ppm",
            field=models.PositiveIntegerField(db_default=500, default=500, verbose_name="可容忍差错率"),
        ),
        migrations.AddField(
            model_name="inspectionitem",
            name="held_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="inspectionitem",
            name="held_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="inspectionitem",
            name="second",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="inspectionitem",
            name="stratum",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspection",
            trigger=pgtrigger.compiler.Trigger(
                name="law",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IN ('planned', 'committed', 'drawn', 'in_progress', 'concluded', 'cancelled') AND NEW.state = OLD.state AND (OLD.unit_id, OLD.period, OLD.size, OLD.strata, OLD.risk_ppm, OLD.tolerated_ppm, OLD.accepted_errors, OLD.second_share, OLD.claimed_ppm, OLD.seed, OLD.seed_hash, OLD.frame_size, OLD.frame_digest, OLD.allocation, OLD.result, OLD.conclusion) IS DISTINCT FROM (NEW.unit_id, NEW.period, NEW.size, NEW.strata, NEW.risk_ppm, NEW.tolerated_ppm, NEW.accepted_errors, NEW.second_share, NEW.claimed_ppm, NEW.seed, NEW.seed_hash, NEW.frame_size, NEW.frame_digest, NEW.allocation, NEW.result, NEW.conclusion))",
                    func="RAISE EXCEPTION 'what was decided in % does not change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="cf2f3dd358dd8208e10ef03c05dd6da356c33c28",
                    operation="UPDATE",
                    pgid="pgtrigger_law_c410e",
                    table="filings_inspection",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="inspectionreading",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="filings.inspectionitem",
            ),
        ),
        migrations.AddField(
            model_name="inspectionreading",
            name="read_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="inspectionreading",
            constraint=models.UniqueConstraint(fields=("item", "turn"), name="inspection_turn_once"),
        ),
        migrations.AddConstraint(
            model_name="inspectionreading",
            constraint=models.UniqueConstraint(fields=("item", "read_by"), name="inspection_reader_once"),
        ),
        migrations.AddConstraint(
            model_name="inspectionreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("turn__range", (1, 3))), name="inspection_three_turns"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspectionreading",
            trigger=pgtrigger.compiler.Trigger(
                name="facts",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."turn" IS DISTINCT FROM (NEW."turn") OR OLD."fields" IS DISTINCT FROM (NEW."fields") OR OLD."identity_right" IS DISTINCT FROM (NEW."identity_right") OR OLD."form_right" IS DISTINCT FROM (NEW."form_right") OR OLD."read_by_id" IS DISTINCT FROM (NEW."read_by_id") OR OLD."at" IS DISTINCT FROM (NEW."at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="46dd2d94ccd8b8e5b44f409bf1517b29e68d52cc",
                    operation="UPDATE",
                    pgid="pgtrigger_facts_04c2a",
                    table="filings_inspectionreading",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="inspectionreading",
            trigger=pgtrigger.compiler.Trigger(
                name="kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="fddeadd18c04e1049957e8df18dbb3c6d857a3cc",
                    operation="DELETE",
                    pgid="pgtrigger_kept_5b5ed",
                    table="filings_inspectionreading",
                    when="BEFORE",
                ),
            ),
        ),
    ]
