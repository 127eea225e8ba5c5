"""How often an export was begun, and by which task: three times at most, and its own claim stops no task."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pilot", "0014_units_stay")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="export",
            name="taken_by",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
    ]
