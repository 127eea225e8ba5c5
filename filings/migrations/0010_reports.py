"""Categories and deadlines of coordination cases, questions and answers made of them, the final report."""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0009_measures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="bulletin",
            name="conclusions",
            field=models.TextField(blank=True, db_default="", default="", verbose_name="总结意见"),
        ),
        migrations.AddField(
            model_name="bulletin",
            name="kind",
            field=models.CharField(
                choices=[("monthly", "月度通报"), ("final", "试点总结报告")],
                db_default="monthly",
                default="monthly",
                max_length=8,
                verbose_name="种类",
            ),
        ),
        migrations.AddField(
            model_name="coordinationcase",
            name="category",
            field=models.CharField(
                choices=[
                    ("interface", "技术接口"),
                    ("collection", "身份信息采集"),
                    ("comparison", "权威库比对"),
                    ("form", "核验单与核验规则"),
                    ("accuracy", "准确率统计"),
                    ("national", "全国备案系统"),
                    ("other", "其他"),
                ],
                db_default="other",
                default="other",
                max_length=16,
                verbose_name="类别",
            ),
        ),
        migrations.AddField(
            model_name="coordinationcase",
            name="reminded_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="FaqEntry",
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
                ("state", models.CharField(default="drafted", max_length=32)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("interface", "技术接口"),
                            ("collection", "身份信息采集"),
                            ("comparison", "权威库比对"),
                            ("form", "核验单与核验规则"),
                            ("accuracy", "准确率统计"),
                            ("national", "全国备案系统"),
                            ("other", "其他"),
                        ],
                        db_default="other",
                        default="other",
                        max_length=16,
                        verbose_name="类别",
                    ),
                ),
                ("question", models.CharField(max_length=255, verbose_name="问题")),
                ("answer", models.TextField(verbose_name="解答")),
                (
                    "drafted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faq_entries",
                        to="filings.coordinationcase",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_by__isnull", True),
                            models.Q(("drafted_by", models.F("published_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="faq_four_eyes",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="faqentry",
            trigger=pgtrigger.compiler.Trigger(
                name="words",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IN ('drafted', 'published', 'withdrawn') AND NEW.state = OLD.state AND (OLD.question, OLD.answer, OLD.category) IS DISTINCT FROM (NEW.question, NEW.answer, NEW.category))",
                    func="RAISE EXCEPTION 'what was decided in % does not change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="b2ec51d606c0b96358ce3e9eddbb28a95c2a105f",
                    operation="UPDATE",
                    pgid="pgtrigger_words_c9e15",
                    table="filings_faqentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="faqentry",
            trigger=pgtrigger.compiler.Trigger(
                name="state_pairs",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{drafted:published,drafted:withdrawn,published:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="a0aadc295812f1362df7bb5746f86956daf2090c",
                    operation="UPDATE",
                    pgid="pgtrigger_state_pairs_122e2",
                    table="filings_faqentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="faqentry",
            trigger=pgtrigger.compiler.Trigger(
                name="first_state",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF NEW.state <> 'drafted' THEN RAISE EXCEPTION 'first state % is not allowed', NEW.state USING ERRCODE = 'check_violation'; END IF; RETURN NEW;",
                    hash="e8a0461798b01077813fcef6a22a3eab30a0b574",
                    operation="INSERT",
                    pgid="pgtrigger_first_state_bb0d5",
                    table="filings_faqentry",
                    when="BEFORE",
                ),
            ),
        ),
    ]
