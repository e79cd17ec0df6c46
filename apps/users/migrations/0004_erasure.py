"""What is known of an erasure beside its moment; what is left to do of one that runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0003_failures_in_core"),
    ]

    operations = [
        migrations.AddField(
            model_name="usertombstone",
            name="finished_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="usertombstone",
            name="reason_code",
            field=models.CharField(
                choices=[
                    ("request", "The person asked for it (GDPR, article 17)"),
                    ("no_longer_needed", "The data are no longer needed"),
                    ("unlawful", "There is no ground to keep them"),
                ],
                db_default="request",
                default="request",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="usertombstone",
            name="removed",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="usertombstone",
            name="requested_by",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Principal.id", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="usertombstone",
            name="sealed_traces",
            field=models.BinaryField(null=True),
        ),
        migrations.AddConstraint(
            model_name="usertombstone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", True), ("sealed_traces__isnull", True), _connector="OR"
                ),
                name="tombstone_traces_until_finished",
            ),
        ),
    ]
