from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("filings", "0016_faq_organisation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="finding",
            name="field",
            field=models.CharField(max_length=64, verbose_name="数据项"),
        ),
        migrations.AlterField(
            model_name="inspection",
            name="conclusion",
            field=models.TextField(blank=True, verbose_name="抽查结论"),
        ),
        migrations.AlterField(
            model_name="inspection",
            name="risk_ppm",
            field=models.PositiveIntegerField(db_default=50000, default=50000, verbose_name="抽样风险"),
        ),
    ]
