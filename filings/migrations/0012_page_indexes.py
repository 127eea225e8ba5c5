"""Late forms have an index of their own: they are few, and a list of them is counted (filings/selectors/forms.py).

Built partition by partition without stopping who writes; the index of the whole table then takes these as its parts.
"""

from django.db import migrations

PARTITIONS = range(16)
COLUMNS = "(received_at DESC, id DESC) WHERE late"


def _part(number: int) -> migrations.RunSQL:
    table = f"filings_verificationform_p{number}"
    return migrations.RunSQL(
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {table}_late ON {table} {COLUMNS}",
        reverse_sql=migrations.RunSQL.noop,
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("filings", "0011_form_repeats")]
    operations = [
        *(_part(number) for number in PARTITIONS),
        migrations.RunSQL(
            f"CREATE INDEX filings_form_late ON filings_verificationform {COLUMNS}",
            reverse_sql="DROP INDEX filings_form_late",
        ),
    ]
