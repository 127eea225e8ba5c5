"""How a person wants pages to look is kept with the account, so that it follows to another machine."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pilot", "0011_phrases")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="display",
            field=django.contrib.postgres.fields.ArrayField(
                models.CharField(max_length=16),
                blank=True,
                db_default=models.Value("{}"),
                default=list,
                verbose_name="显示方式",
            ),
        ),
    ]
