"""A job that failed keeps the code of its fault, which is put in words for each reader; older jobs keep their words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0018_forms_without_lookups"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name="uploadjob", old_name="fault", new_name="fault_words"),
                migrations.AlterField(
                    model_name="uploadjob",
                    name="fault_words",
                    field=models.CharField(blank=True, db_column="fault", max_length=255),
                ),
            ]
        ),
        migrations.AddField(
            model_name="uploadjob",
            name="fault_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="uploadjob",
            name="fault_params",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
