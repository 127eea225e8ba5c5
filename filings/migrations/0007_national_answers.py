"""The authority asked again, and what the national system answers (receipts, reviews, checks)."""

import django.db.models.deletion
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# Comparisons that are undeterminable as it is are asked for again at once.
WAITING = """
INSERT INTO filings_authorityretry (form_id, unit_id, since, tries, next_at)
SELECT form_id, unit_id, at, 0, at FROM (
    SELECT DISTINCT ON (form_id) form_id, unit_id, at, outcome FROM filings_determination
    ORDER BY form_id, number DESC
) latest WHERE outcome = 'undeterminable'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0006_count_deltas"),
        ("pilot", "0006_webhooks"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuthorityCircuit",
            fields=[
                ("name", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("open_until", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="determination",
            name="authority",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="determination",
            name="cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unavailable", "权威库未应答"),
                    ("rare_characters", "姓名或名称含生僻字"),
                    ("no_record", "权威库无此记录"),
                ],
                db_default="",
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="determination",
            name="differences",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.CreateModel(
            name="NationalFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("imported_at", models.DateTimeField()),
                ("counts", models.JSONField()),
                ("refused", models.JSONField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="filings.unitmonthkey",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="national_files",
                        to="pilot.pilotunit",
                    ),
                ),
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
            name="NationalCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("digest", models.BinaryField()),
                ("uuid", models.UUIDField()),
                ("ciphertext", models.BinaryField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("subject", "主体核查"),
                            ("access", "接入核查"),
                            ("shell", "空壳网站核查"),
                            ("alive", "网站存活检测"),
                        ],
                        max_length=8,
                    ),
                ),
                ("result", models.PositiveSmallIntegerField(null=True)),
                (
                    "form",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="filings.verificationform",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pilot.pilotunit"
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="filings.nationalfile",
                    ),
                ),
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
            name="NationalReceipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("digest", models.BinaryField()),
                ("uuid", models.UUIDField()),
                ("ciphertext", models.BinaryField()),
                (
                    "kind",
                    models.CharField(choices=[("result", "上报结果"), ("review", "管局审核")], max_length=8),
                ),
                ("operation", models.PositiveSmallIntegerField()),
                ("codes", models.JSONField()),
                ("stored", models.BooleanField()),
                ("passed", models.BooleanField(null=True)),
                ("expects_form", models.BooleanField()),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="filings.nationalfile",
                    ),
                ),
                (
                    "form",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="filings.verificationform",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pilot.pilotunit"
                    ),
                ),
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
            name="AuthorityRetry",
            fields=[
                (
                    "form",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="retry",
                        serialize=False,
                        to="filings.verificationform",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField()),
                ("next_at", models.DateTimeField()),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pilot.pilotunit"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["next_at"], name="authority_retry_due")],
            },
        ),
        migrations.AddConstraint(
            model_name="nationalfile",
            constraint=models.UniqueConstraint(fields=("unit", "sha256"), name="national_file_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="3d0299374f04fcef0cec1dadd7f1f33b98d90295",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_4df7b",
                    table="filings_nationalfile",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalfile",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="9b4eb2fc2e37f311ab2f59dcf3c23718f8720af4",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_d6151",
                    table="filings_nationalfile",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="nationalcheck",
            index=models.Index(
                condition=models.Q(("form__isnull", False)), fields=["form"], name="national_check_form"
            ),
        ),
        migrations.AddIndex(
            model_name="nationalcheck",
            index=models.Index(fields=["unit", "-at", "-id"], name="national_check_list"),
        ),
        migrations.AddConstraint(
            model_name="nationalcheck",
            constraint=models.UniqueConstraint(
                fields=("unit", "digest", "form"), name="national_check_once", nulls_distinct=False
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalcheck",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="a3a4914692d9f20d49924ca05498a91472338e8c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_395d4",
                    table="filings_nationalcheck",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalcheck",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="d03b12e9fcb64aa632e3cd7925f56341a9cd3bd1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_43c68",
                    table="filings_nationalcheck",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="nationalreceipt",
            index=models.Index(
                condition=models.Q(("form__isnull", False)), fields=["form"], name="national_receipt_form"
            ),
        ),
        migrations.AddIndex(
            model_name="nationalreceipt",
            index=models.Index(
                condition=models.Q(("expects_form", True), ("form__isnull", True)),
                fields=["unit", "at"],
                name="national_receipt_formless",
            ),
        ),
        migrations.AddIndex(
            model_name="nationalreceipt",
            index=models.Index(fields=["unit", "-at", "-id"], name="national_receipt_list"),
        ),
        migrations.AddConstraint(
            model_name="nationalreceipt",
            constraint=models.UniqueConstraint(
                fields=("unit", "digest", "form"), name="national_receipt_once", nulls_distinct=False
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="form_found_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE found bigint;",
                    func="IF TG_OP = 'UPDATE' AND OLD.form_id IS NULL THEN found := NEW.form_id; NEW.form_id := NULL; IF NEW *= OLD THEN NEW.form_id := found; RETURN NEW; END IF; END IF; RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="7a46b94fe8fec14cec7fd5f67ca7a5bc5d785fa9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_form_found_once_38c81",
                    table="filings_nationalreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nationalreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
                    hash="cf0123cc895e6a540e2de7a7ad0b5753e1176a39",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_append_only_truncate_34247",
                    table="filings_nationalreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(WAITING, migrations.RunSQL.noop),
    ]
