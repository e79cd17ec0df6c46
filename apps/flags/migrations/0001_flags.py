"""Flags, their history, overrides, segments, scheduled changes and counts."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0005_facts_ascending"),
    ]

    operations = [
        migrations.CreateModel(
            name="Flag",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=128, unique=True)),
                ("description", models.TextField(blank=True, default="", max_length=1000)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("boolean", "Boolean"),
                            ("string", "String"),
                            ("number", "Number"),
                            ("object", "Object"),
                        ],
                        default="boolean",
                        max_length=8,
                    ),
                ),
                ("variations", models.JSONField(default=list)),
                ("off_variation", models.CharField(default="off", max_length=64)),
                ("default_enabled", models.BooleanField(default=False)),
                ("is_archived", models.BooleanField(default=False)),
                ("rules", models.JSONField(default=list)),
                ("rollout", models.JSONField(null=True)),
                ("prerequisites", models.JSONField(default=list)),
                ("hash", models.CharField(default="murmur3", max_length=32)),
                ("salt", models.CharField(max_length=200)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("owner", models.CharField(blank=True, default="", max_length=200)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "needs_approval",
                    models.BooleanField(default=False, help_text="a change needs a second person"),
                ),
                ("same_for_all", models.BooleanField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "feature flag",
                "db_table": "flags_flag",
                "ordering": ["key"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("key"), name="gin_trgm_ops"
                        ),
                        name="flag_search",
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="flag_tags"),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("rules", name="jsonb_path_ops"),
                        name="flag_rules",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[a-z][a-z0-9]*([._-][a-z0-9]+)*$")),
                        name="flag_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["boolean", "string", "number", "object"])),
                        name="flag_type",
                    ),
                    models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="flag_version"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=128, unique=True)),
                ("description", models.TextField(blank=True, default="", max_length=1000)),
                ("conditions", models.JSONField(default=list)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "flags_segment",
                "ordering": ["key"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[a-z][a-z0-9]*([._-][a-z0-9]+)*$")),
                        name="segment_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FlagChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("updated", "Updated"),
                            ("archived", "Archived"),
                            ("restored", "Restored"),
                            ("override_set", "Override set"),
                            ("override_removed", "Override removed"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(help_text="the version of the flag after the change"),
                ),
                ("tenant_id", models.UUIDField(help_text="whose override it was", null=True)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_by", models.CharField(max_length=200)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="flags.flag"
                    ),
                ),
            ],
            options={
                "db_table": "flags_change",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["flag", "-id"], name="flag_change_newest"),
                    models.Index(
                        condition=models.Q(("tenant_id__isnull", False)),
                        fields=["tenant_id"],
                        name="flag_change_by_tenant",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ("created", "updated", "archived", "restored"))),
                        fields=("flag", "version"),
                        name="flag_change_one_a_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ("created", "updated", "archived", "restored")),
                                ("tenant_id__isnull", True),
                            ),
                            models.Q(
                                models.Q(
                                    ("kind__in", ("created", "updated", "archived", "restored")),
                                    _negated=True,
                                ),
                                ("tenant_id__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="flag_change_tenant_iff_override",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FlagUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("variation", models.CharField(blank=True, default="", max_length=64)),
                ("count", models.BigIntegerField()),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage", to="flags.flag"
                    ),
                ),
            ],
            options={
                "db_table": "flags_usage",
                "ordering": ["-hour"],
                "indexes": [models.Index(fields=["hour"], name="flag_usage_by_hour")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("flag", "hour", "variation"), name="flag_usage_one_an_hour"
                    ),
                    models.CheckConstraint(condition=models.Q(("count__gt", 0)), name="flag_usage_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduledChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("change", models.JSONField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("author", models.CharField(max_length=200)),
                (
                    "error",
                    models.JSONField(
                        help_text="why it could not be applied: {code, message, details}", null=True
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="schedule", to="flags.flag"
                    ),
                ),
            ],
            options={
                "db_table": "flags_scheduled_change",
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["at"], name="scheduled_change_due"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at__isnull", True), ("status", "pending")),
                            models.Q(
                                models.Q(("status", "pending"), _negated=True), ("settled_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="scheduled_change_settled",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TenantOverride",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("enabled", models.BooleanField()),
                ("variation", models.CharField(blank=True, default="", max_length=64)),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(null=True)),
                ("set_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="overrides", to="flags.flag"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name": "flag override",
                "db_table": "flags_override",
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("flag", "tenant"), name="flag_override_one")],
            },
        ),
    ]
