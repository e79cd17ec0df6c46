"""Facts pushed down: what lists of tenants show, filter and sort by, but a higher floor knows."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from apps.tenants.models.tenant import Tenant


class TenantFacts(models.Model):
    """One row a tenant. Each column is written by its owner in the owner's transaction (apps.tenants.facts).

    A column without an owner yet is null: never 0, never invented.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="facts")
    members = models.PositiveIntegerField(null=True)  # owner: users
    workspaces = models.PositiveIntegerField(null=True)  # owner: tenants
    mrr = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # owner: finance; major units
    currency = models.CharField(max_length=3, null=True)  # owner: finance
    subscription = models.JSONField(null=True)  # owner: finance; {id, status, current_period_end, plan_id}
    usage = models.JSONField(null=True)  # owner: metering; {meter: number}
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenants_facts"
        verbose_name_plural = "tenant facts"
        indexes = [
            models.Index(F("mrr").desc(nulls_last=True), F("tenant_id").desc(), name="facts_by_mrr"),
            models.Index(F("members").desc(nulls_last=True), F("tenant_id").desc(), name="facts_by_members"),
            models.Index(F("mrr").asc(nulls_last=True), F("tenant_id").asc(), name="facts_by_mrr_up"),
            models.Index(F("members").asc(nulls_last=True), F("tenant_id").asc(), name="facts_by_members_up"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.tenant_id}"
