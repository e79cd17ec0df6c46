"""An index and a unique constraint, built beside the traffic."""

from django.db import migrations, models

from apps.core.schema import BuildIndex, BuildUnique


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("rollout", "0004_enforce")]
    operations = [
        BuildUnique("account", models.UniqueConstraint(fields=["email"], name="rollout_email_once")),
        BuildIndex("account", models.Index(fields=["remark"], name="rollout_by_remark")),
    ]
