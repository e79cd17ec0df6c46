"""What clients take with all flags, and whether a second person agreed to a scheduled change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flags", "0001_flags"),
    ]

    operations = [
        migrations.AddField(
            model_name="flag",
            name="handed_out_at",
            field=models.DateTimeField(
                help_text="last part of OFREP's answer with every flag, to the hour; which were used nobody tells",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="scheduledchange",
            name="approved",
            field=models.BooleanField(
                db_default=False,
                help_text="the flag needed a second person when this was scheduled, who agreed",
            ),
        ),
    ]
