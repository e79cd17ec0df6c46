"""All that the console shows of one person. Source: contracts/console.md, GET `/users/{userId}`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from apps.audit import selectors as audit
from apps.core.clock import now
from apps.core.ids import AUDIT, public
from apps.users import selectors
from apps.users.models import Membership, User

_LATEST = 20


def profile(user: User) -> dict[str, Any]:
    """The person with memberships, live sessions and the last things they did, for readers of clear text.

    Role, tenant and plan are those of the membership that lists show. `usage` is null until somebody measures it.
    """
    memberships = selectors.memberships_of([user.pk])[user.pk]
    shown = memberships[0] if memberships else None
    return {
        "id": user.public_id,
        "email": user.email,
        "name": user.name,
        "status": user.status.value,
        "suspendedAt": user.suspended_at,
        "blockedAt": user.blocked_at,
        "role": shown.role if shown else None,
        "tenantId": shown.tenant.public_id if shown else None,
        "plan": shown.tenant.effective_plan.slug if shown else None,
        "staffRoles": sorted(user.staff_roles),
        "notes": user.notes,
        "memberships": _memberships(memberships),
        "usage": None,
        "mfaEnabled": selectors.mfa_enabled(user.pk),
        "sessions": _sessions(user.pk),
        "lastActions": _last_actions(user),
        "lastLoginAt": user.last_login,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
    }


def _memberships(rows: Sequence[Membership]) -> list[dict[str, Any]]:
    return [
        {
            "tenantId": row.tenant.public_id,
            "tenantName": row.tenant.company_name,
            "role": row.role,
            "plan": row.tenant.effective_plan.slug,
            "createdAt": row.created_at,
        }
        for row in rows
    ]


def _sessions(user_id: UUID) -> list[dict[str, Any]]:
    """Sessions that would be let in now, the latest first."""
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now())
    rows = UserSession.objects.filter(Exists(live), user_id=user_id).order_by("-last_seen_at")
    return [
        {
            "address": row.ip,
            "browser": row.user_agent,
            "createdAt": row.created_at,
            "lastSeenAt": row.last_seen_at,
        }
        for row in rows
    ]


def _last_actions(user: User) -> list[dict[str, Any]]:
    """What the person did themselves, the latest first."""
    entries = audit.entries_of_person(user.pk, user.public_id).filter(actor_id=user.public_id)
    return [
        {
            "id": public(AUDIT, entry.pk),
            "action": entry.action,
            "resourceType": entry.resource_type,
            "resourceId": entry.resource_id,
            "outcome": entry.outcome,
            "at": entry.at,
        }
        for entry in entries[:_LATEST]
    ]
