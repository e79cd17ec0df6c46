"""Choices of the approvals' table."""

from django.db.models import TextChoices


class ApprovalStatus(TextChoices):
    PENDING = "pending", "Waits for a second person"
    APPROVED = "approved", "Approved"  # for as long as the transaction that executes it runs
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    EXECUTED = "executed", "Executed"
    FAILED = "failed", "Approved, but could not be executed"


class Policy(TextChoices):
    """Where an action needs a second person."""

    OFF = "off", "Nowhere"
    BACK_OFFICE = "backoffice", "In the back office"
    ALWAYS = "always", "Everywhere"
