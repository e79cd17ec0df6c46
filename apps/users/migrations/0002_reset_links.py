"""One open reset link at a time: a link counts for the request it was made by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0001_people")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="reset_requested_at",
            field=models.DateTimeField(null=True),
        ),
    ]
