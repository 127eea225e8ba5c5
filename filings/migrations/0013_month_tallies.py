"""Buckets by month beside those by day: what is summed up to date reads a thirtieth of the rows."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from pilot.enums import Province

COUNTS = (
    "forms", "versions", "m1_n", "m1_errors", "m2_n", "m2_errors", "pending", "undeterminable", "m1_provisional",
    "m2_provisional", "errors_corrected", "first_pass_m1_n", "first_pass_m1_errors", "first_pass_m2_n",
    "first_pass_m2_errors", "late",
)  # fmt: skip
MONTH = "date_trunc('month', day::timestamp)::date"
PLACE = "subject_province, subject_kind"
VIEW = f"""
CREATE VIEW filings_livemonth AS
SELECT id, unit_id, day, {PLACE}, {", ".join(COUNTS)} FROM filings_monthtally
UNION ALL SELECT id, unit_id, {MONTH} AS day, {PLACE}, {", ".join(COUNTS)} FROM filings_countdelta;
"""  # noqa: S608 (names of columns, ours)
FILL = f"""
INSERT INTO filings_monthtally (unit_id, day, {PLACE}, {", ".join(COUNTS)})
SELECT unit_id, {MONTH}, {PLACE}, {", ".join(f"sum({name})" for name in COUNTS)}
FROM filings_dailytally GROUP BY unit_id, {MONTH}, {PLACE};
"""  # noqa: S608 (names of columns, ours)


def tally():
    """The columns of buckets, whatever time they are of."""
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


def owned():
    """Managers and their names, as of everything that belongs to somebody."""
    return {"abstract": False, "base_manager_name": "unscoped", "default_manager_name": "unscoped"}


MANAGERS = [("unscoped", django.db.models.manager.Manager())]


class Migration(migrations.Migration):
    dependencies = [("pilot", "0011_phrases"), ("filings", "0012_page_indexes")]
    operations = [
        migrations.CreateModel(name="MonthTally", fields=tally(), options=owned(), managers=MANAGERS),
        migrations.AddConstraint(
            model_name="monthtally",
            constraint=models.UniqueConstraint(
                fields=("unit", "day", "subject_province", "subject_kind"), name="one_tally_per_month"
            ),
        ),
        migrations.CreateModel(
            name="LiveMonth",
            fields=tally(),
            options=owned() | {"db_table": "filings_livemonth", "managed": False},
            managers=MANAGERS,
        ),
        migrations.RunSQL(VIEW, reverse_sql="DROP VIEW filings_livemonth;"),
        migrations.RunSQL(FILL, reverse_sql=migrations.RunSQL.noop),
    ]
