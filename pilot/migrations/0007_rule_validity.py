"""A rule may be replaced from a day on; what is past is judged by what held then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pilot", "0006_webhooks")]
    operations = [
        migrations.AlterModelOptions(name="programmerule", options={"ordering": ["key", "valid_from"]}),
        migrations.AddField(
            model_name="programmerule",
            name="valid_from",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RemoveConstraint(model_name="programmerule", name="rule_key_once"),
        migrations.AddConstraint(
            model_name="programmerule",
            constraint=models.UniqueConstraint(
                fields=("programme", "key", "valid_from"), nulls_distinct=False, name="rule_once_from_a_day"
            ),
        ),
    ]
