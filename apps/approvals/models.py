"""Requests for a second person's approval."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.approvals.enums import ApprovalStatus
from apps.core import ids
from apps.core.principal import Principal
from apps.core.write import Target

APPROVAL = "apr"

_DECIDED = [
    ApprovalStatus.APPROVED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.EXECUTED,
    ApprovalStatus.FAILED,
]


def frozen(params: Mapping[str, Any]) -> str:
    """Parameters as canonical JSON: sorted keys, no spaces.

    Raises:
        TypeError, ValueError: they hold what JSON can't say.
    """
    return json.dumps(params, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(action: str, params: str) -> bytes:
    """SHA-256 over action, NUL, canonical parameters."""
    return hashlib.sha256(action.encode() + b"\0" + params.encode()).digest()


class ApprovalRequest(models.Model):
    """What somebody asked for, frozen, until another person decides.

    The application's database role can't change what was asked for, by whom and until when (migration 0001).
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    action = models.CharField(max_length=80)
    params = models.TextField(help_text="canonical JSON")
    params_hash = models.BinaryField(max_length=32)
    # What the action is about, as its audit row will say.
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=200)
    tenant_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=200, help_text="Principal.id")
    requested_by_user_id = models.UUIDField(null=True)
    requested_via = models.CharField(max_length=20)
    reason = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=8, choices=ApprovalStatus.choices, default=ApprovalStatus.PENDING)
    decided_by = models.CharField(max_length=200, null=True)
    decided_by_user_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")
    # {code, message} of a failed execution.
    error = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "approvals_request"
        ordering = ["-id"]
        verbose_name = "approval request"
        constraints = [
            models.CheckConstraint(name="approval_status", condition=Q(status__in=ApprovalStatus.values)),
            models.CheckConstraint(
                name="approval_by_another_person",
                condition=Q(decided_by__isnull=True)
                | (
                    ~Q(requested_by=F("decided_by"))
                    & (
                        Q(requested_by_user_id__isnull=True)
                        | ~Q(requested_by_user_id=F("decided_by_user_id"))
                    )
                ),
            ),
            models.CheckConstraint(
                name="approval_decided_by_a_person",
                condition=Q(
                    status__in=_DECIDED,
                    decided_by__isnull=False,
                    decided_by_user_id__isnull=False,
                    decided_at__isnull=False,
                )
                | (~Q(status__in=_DECIDED) & Q(decided_by__isnull=True, decided_by_user_id__isnull=True)),
            ),
            models.UniqueConstraint(
                name="approval_asked_once",
                fields=["action", "params_hash", "requested_by"],
                condition=Q(status=ApprovalStatus.PENDING),
            ),
        ]
        indexes = [
            models.Index(
                name="approval_waiting", fields=["expires_at"], condition=Q(status=ApprovalStatus.PENDING)
            ),
            models.Index(
                name="approval_by_tenant", fields=["tenant_id"], condition=Q(tenant_id__isnull=False)
            ),
            models.Index(
                name="approval_by_person", fields=["person_id"], condition=Q(person_id__isnull=False)
            ),
            models.Index(name="approval_by_requester", fields=["requested_by_user_id", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} ({self.status})"

    @property
    def public_id(self) -> str:
        return ids.public(APPROVAL, self.id)

    @property
    def parameters(self) -> dict[str, Any]:
        """The frozen parameters, read."""
        found: dict[str, Any] = json.loads(self.params)
        return found

    @property
    def is_intact(self) -> bool:
        """False where action or parameters are not those that were asked for."""
        return digest(self.action, self.params) == bytes(self.params_hash)

    def is_waiting(self, at: datetime) -> bool:
        return self.status == ApprovalStatus.PENDING and self.expires_at > at

    def asked_by(self, principal: Principal) -> bool:
        """True for the one who asked, through whatever door."""
        same_person = principal.user_id is not None and principal.user_id == self.requested_by_user_id
        return same_person or principal.id == self.requested_by

    def audit_target(self) -> Target:
        return Target(type="approval", id=self.public_id, tenant_id=self.tenant_id, person_id=self.person_id)

    def effect_target(self) -> Target:
        """What the action is about."""
        return Target(
            type=self.target_type, id=self.target_id, tenant_id=self.tenant_id, person_id=self.person_id
        )
