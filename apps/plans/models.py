"""The catalogue: plans, and the versions of what each grants."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core import ids
from apps.core.money import Money
from apps.core.write import Target


class Plan(models.Model):
    """What can be sold. Prices are integers in minor units."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    stripe_product_id = models.CharField(max_length=120, null=True, unique=True)
    price_monthly = models.BigIntegerField(help_text="minor units")
    price_yearly = models.BigIntegerField(help_text="minor units")
    currency = models.CharField(max_length=3, default="USD")
    trial_days = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, help_text="the newest version of limits and features")
    minimum_version = models.PositiveIntegerField(
        default=1, db_default=1, help_text="subscribers of an older version are served by this one"
    )
    row_version = models.PositiveIntegerField(default=1, help_text="counts every change; the ETag")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "plans_plan"
        ordering = ["price_monthly", "slug"]
        constraints = [
            models.CheckConstraint(
                name="plan_prices_not_negative", condition=Q(price_monthly__gte=0, price_yearly__gte=0)
            ),
            models.CheckConstraint(name="plan_currency_is_upper", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(
                name="plan_versions_in_order",
                condition=Q(minimum_version__gte=1, minimum_version__lte=F("version")),
            ),
            models.CheckConstraint(
                name="plan_stripe_product",
                condition=Q(stripe_product_id__isnull=True)
                | Q(stripe_product_id__regex=r"^prod_[A-Za-z0-9]+$"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.public(ids.PLAN, self.id)

    @property
    def monthly(self) -> Money:
        return Money(self.currency, self.price_monthly)

    @property
    def monthly_major(self) -> Decimal:
        return self.monthly.major

    def version_for(self, pinned: int) -> int:
        """The version that serves a subscriber of version `pinned`: its own, unless that was replaced."""
        return max(pinned, self.minimum_version)

    def audit_target(self) -> Target:
        return Target(type="plan", id=self.public_id)


class PlanVersion(models.Model):
    """Limits, features and capabilities of a plan from one moment on; never changed once written."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    # {limit key: positive integer, or null for unlimited}; keys: apps.plans.limits.LIMITS
    limits = models.JSONField(default=dict)
    features = models.JSONField(default=dict)
    capabilities: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=40), default=list
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "plans_plan_version"
        ordering = ["plan", "-version"]
        constraints = [models.UniqueConstraint(name="plan_version_once", fields=["plan", "version"])]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.version}"

    def limit(self, key: str) -> int | None:
        """The bound; None: unlimited, also for a limit that was not known when this version was written."""
        value: int | None = self.limits.get(key)
        return value
