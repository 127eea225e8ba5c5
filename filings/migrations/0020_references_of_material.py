"""Further kinds of references, by which material finds its form; rows there are keep theirs."""

from django.db import migrations, models

KINDS = [
    ("number", "主体备案号"),
    ("subject_id", "省系统主体标识"),
    ("website_id", "省系统网站标识"),
    ("website_number", "网站备案号"),
    ("own_subject_id", "企业系统主体标识"),
    ("own_website_id", "企业系统网站标识"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0019_fault_codes"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="kind",
            field=models.CharField(choices=KINDS, max_length=16),
        )
        for model in ("subjectlink", "subjectreference")
    ]
