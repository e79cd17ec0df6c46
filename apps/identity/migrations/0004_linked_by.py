"""Who said that somebody is that person. Empty for what was linked before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_nile_sessions")]

    operations = [
        migrations.AddField(
            model_name="externalidentity",
            name="linked_by",
            field=models.CharField(db_default="", editable=False, max_length=255),
        ),
    ]
