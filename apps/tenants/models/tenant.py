"""A customer, its workspaces and its keys."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper

from apps.core import ids
from apps.core.write import Target
from apps.plans.models import Plan, PlanVersion
from apps.tenants.enums import TenantStatus, WorkspaceStatus

# contracts/control.md: slugs
SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])?$"
SLUG = RegexValidator(SLUG_PATTERN, "Lower-case letters, digits and inner hyphens.")


class Tenant(models.Model):
    """A customer. Status moves only by apps.tenants.lifecycle; `plan` is the one given at provisioning.

    `effective_plan` is what override, subscription and given plan come to: kept here, in the transaction of each
    of them, so that lists filter by it (apps.tenants.effective, apps.tenants.facts.settle_plan).
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    slug = models.CharField(max_length=63, unique=True, validators=[SLUG])
    company_name = models.CharField(max_length=200)
    owner_email = models.EmailField(max_length=254)
    status = models.CharField(max_length=12, choices=TenantStatus.choices, default=TenantStatus.PROVISIONING)
    is_test = models.BooleanField(default=False)
    test_expires_at = models.DateTimeField(null=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    effective_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The version that the tenant came to its effective plan with (Plan.version_for says which serves it).
    effective_version = models.PositiveIntegerField(default=1, db_default=1)
    trial_ends_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    suspended_from = models.CharField(max_length=12, choices=TenantStatus.choices, default="", blank=True)
    cancelled_at = models.DateTimeField(null=True)
    country = models.CharField(max_length=2, default="", blank=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=60), default=list, blank=True
    )
    # Sessions and tokens of this tenant issued before this moment are void. Keys are not: a suspended tenant's
    # key is refused by status and works again once the tenant is reinstated.
    tokens_valid_after = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenants_tenant"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="tenant_status_known", condition=Q(status__in=TenantStatus.values)),
            models.CheckConstraint(name="tenant_slug", condition=Q(slug__regex=SLUG_PATTERN)),
            models.CheckConstraint(
                name="tenant_test_expires", condition=Q(is_test=True) | Q(test_expires_at__isnull=True)
            ),
            models.CheckConstraint(
                name="tenant_suspended_from_known",
                condition=~Q(status=TenantStatus.SUSPENDED)
                | Q(suspended_from__in=[TenantStatus.TRIAL, TenantStatus.ACTIVE], suspended_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="tenant_newest", fields=["-created_at", "-id"]),
            models.Index(name="tenant_by_status", fields=["status", "-created_at", "-id"]),
            models.Index(
                name="tenant_by_effective_plan",
                fields=["effective_plan", "-created_at", "-id"],
                include=["status"],
            ),
            models.Index(name="tenant_by_company", fields=["company_name", "id"]),
            models.Index(name="tenant_tests", fields=["test_expires_at"], condition=Q(is_test=True)),
            GinIndex(
                OpClass(Upper("company_name"), name="gin_trgm_ops"),
                OpClass(Upper("owner_email"), name="gin_trgm_ops"),
                name="tenant_search",
            ),
        ]

    def __str__(self) -> str:
        return self.company_name

    @property
    def public_id(self) -> str:
        return ids.public(ids.TENANT, self.id)

    def audit_target(self) -> Target:
        return Target(type="tenant", id=self.public_id, tenant_id=self.id)


class StatusChange(models.Model):
    """The history of a tenant's status."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="status_changes")
    at = models.DateTimeField(db_default=Now())
    from_status = models.CharField(max_length=12, choices=TenantStatus.choices)
    to_status = models.CharField(max_length=12, choices=TenantStatus.choices)
    actor_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "tenants_status_change"
        ordering = ["-at", "-id"]
        indexes = [models.Index(name="status_change_by_tenant", fields=["tenant", "-at"])]

    def __str__(self) -> str:
        return f"{self.from_status} to {self.to_status}"


class Workspace(models.Model):
    """A place in a tenant where its data plane lives."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="workspaces")
    slug = models.CharField(max_length=63, validators=[SLUG])
    display_name = models.CharField(max_length=200)
    environment = models.CharField(max_length=40, default="production")
    status = models.CharField(max_length=12, choices=WorkspaceStatus.choices, default=WorkspaceStatus.ACTIVE)
    capabilities: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=40), default=list, blank=True
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenants_workspace"
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(name="workspace_slug_in_tenant", fields=["tenant", "slug"])]

    def __str__(self) -> str:
        return self.display_name

    @property
    def public_id(self) -> str:
        return ids.public(ids.WORKSPACE, self.id)


class TenantKey(models.Model):
    """An API key of a tenant: SHA-256 with a pepper, found by its prefix; the clear key is shown once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=16, db_index=True)
    suffix = models.CharField(max_length=4)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tenants_key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.masked

    @property
    def masked(self) -> str:
        """What people see of a key: `gai-ab12…9f3c`."""
        return f"{self.prefix[:8]}…{self.suffix}"
