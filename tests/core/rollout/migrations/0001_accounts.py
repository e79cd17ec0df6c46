"""As it was: a table in use."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("email", models.CharField(max_length=100)),
                ("note", models.CharField(max_length=100)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO rollout_account (email, note) SELECT 'u' || n || '@example.com', 'n' || n "
            "FROM generate_series(1, 20000) AS n",
            migrations.RunSQL.noop,
        ),
    ]
