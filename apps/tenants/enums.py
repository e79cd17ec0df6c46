"""Choices of tenants."""

from django.db.models import TextChoices


class TenantStatus(TextChoices):
    PROVISIONING = "provisioning", "Provisioning"
    TRIAL = "trial", "Trial"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    CANCELLED = "cancelled", "Cancelled"


class WorkspaceStatus(TextChoices):
    PROVISIONING = "provisioning", "Provisioning"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    DEACTIVATED = "deactivated", "Deactivated"


class BillingOverrideType(TextChoices):
    COMP = "comp", "Comp"
    EXTENDED_TRIAL = "extended_trial", "Extended trial"
    CUSTOM_CYCLE = "custom_cycle", "Custom cycle"
    PAYMENT_METHOD = "payment_method", "Payment method"


class BillingCycle(TextChoices):
    QUARTERLY = "quarterly", "Quarterly"
    ANNUAL = "annual", "Annual"
    CUSTOM = "custom", "Custom"


class PaymentMethod(TextChoices):
    INVOICE = "invoice", "Invoice"
    ACH = "ach", "ACH"
    WIRE = "wire", "Wire"


class PurgeStatus(TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
