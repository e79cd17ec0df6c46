"""What an operator decided for one tenant. Synchronisation code has no service that writes these tables."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import ids
from apps.plans.models import Plan
from apps.tenants.enums import BillingCycle, BillingOverrideType, PaymentMethod
from apps.tenants.models.tenant import Tenant


class Override(models.Model):
    """In force from `effective_at` until `ends_at` or until lifted; at most one of a kind stands unlifted."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    actor_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, default="", blank=True)
    effective_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class PlanOverride(Override):
    """Another plan, price or limits than the subscription says."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="plan_overrides")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, related_name="+")
    custom_pricing = models.BooleanField(default=False)
    price_monthly = models.DecimalField(max_digits=14, decimal_places=2, null=True, help_text="major units")
    limits = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "tenants_plan_override"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                name="plan_override_one_in_force", fields=["tenant"], condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="plan_override_price_not_negative",
                condition=Q(price_monthly__isnull=True) | Q(price_monthly__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"plan override of {self.tenant_id}"


class BillingOverride(Override):
    """Another way of paying than the subscription says."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="billing_overrides")
    type = models.CharField(max_length=16, choices=BillingOverrideType.choices)
    trial_end_date = models.DateField(null=True)
    # Where an extended trial took it from, and what lifting gives back.
    previous_trial_ends_at = models.DateTimeField(null=True)
    cycle = models.CharField(max_length=10, choices=BillingCycle.choices, default="", blank=True)
    method = models.CharField(max_length=8, choices=PaymentMethod.choices, default="", blank=True)

    class Meta:
        db_table = "tenants_billing_override"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                name="billing_override_one_in_force", fields=["tenant"], condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="billing_override_trial_has_end",
                condition=~Q(type=BillingOverrideType.EXTENDED_TRIAL) | Q(trial_end_date__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_override_cycle_named",
                condition=~Q(type=BillingOverrideType.CUSTOM_CYCLE) | ~Q(cycle=""),
            ),
            models.CheckConstraint(
                name="billing_override_method_named",
                condition=~Q(type=BillingOverrideType.PAYMENT_METHOD) | ~Q(method=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.tenant_id}"
