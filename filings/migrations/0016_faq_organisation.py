"""Where a question and answer was written: for those there are, the writer's office on that day."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery


def name_offices(apps, schema_editor):
    """By the membership in force when the entry was opened, else by any of the writer's."""
    entries = apps.get_model("filings", "FaqEntry")._base_manager.filter(organisation__isnull=True)
    own = apps.get_model("pilot", "Membership").objects.filter(person=OuterRef("drafted_by"))
    then = own.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=OuterRef("opened_at")))
    then = then.filter(valid_from__lte=OuterRef("opened_at")).order_by("-valid_from", "-pk")
    entries.update(organisation=Subquery(then.values("organisation")[:1]))
    entries.update(organisation=Subquery(own.order_by("-valid_from", "-pk").values("organisation")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0015_words"),
        ("pilot", "0012_display"),
    ]

    operations = [
        migrations.AddField(
            model_name="faqentry",
            name="organisation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pilot.organisation",
            ),
        ),
        migrations.RunPython(name_offices, migrations.RunPython.noop),
    ]
