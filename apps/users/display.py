"""How people look to who reads them: the one place for surfaces and back office.

Personal are e-mail address, name, network addresses and what people wrote. Source: contracts/platform.md, "Roles".
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from apps.audit.selectors import TrailRow
from apps.core.access import masked
from apps.core.clock import iso
from apps.core.ids import AUDIT, USER, public
from apps.core.masking import mask_email, mask_ip, mask_json, mask_name, mask_text
from apps.core.principal import Principal
from apps.users.enums import UserStatus
from apps.users.models import Membership, User, UserTombstone

READ = "users.read"
TRAIL = "users.audit_trail"


def email(user: User, reader: Principal) -> str:
    return mask_email(user.email) if masked(reader, READ) else user.email


def name(user: User, reader: Principal) -> str:
    return mask_name(user.name) if masked(reader, READ) else user.name


def user_row(user: User, shown: Membership | None, reader: Principal) -> dict[str, Any]:
    """A row of a list. Role, tenant and plan are those of the membership shown; null without one."""
    return {
        "id": user.public_id,
        "email": email(user, reader),
        "name": name(user, reader),
        "role": shown.role if shown else None,
        "tenant_id": shown.tenant.public_id if shown else None,
        "status": user.status.value,
        "plan": shown.tenant.effective_plan.slug if shown else None,
        "created_at": user.created_at,
        "last_login": user.last_login,
    }


def tombstone_row(tombstone: UserTombstone) -> dict[str, Any]:
    """What is left of an erased person."""
    gone = dict.fromkeys(("email", "name", "role", "tenant_id", "plan", "created_at", "last_login"))
    return {
        "id": public(USER, tombstone.user_id),
        **gone,
        "status": UserStatus.DELETED.value,
        "deleted_at": tombstone.deleted_at,
    }


def user_detail(
    user: User,
    memberships: Collection[Membership],
    reader: Principal,
    *,
    mfa_enabled: bool,
    active_sessions: int,
) -> dict[str, Any]:
    """A person's profile."""
    shown = next(iter(memberships), None)
    return {
        **user_row(user, shown, reader),
        "staff_roles": sorted(user.staff_roles),
        "memberships": [
            {"tenant_id": each.tenant.public_id, "tenant_name": each.tenant.company_name, "role": each.role}
            for each in sorted(memberships, key=lambda each: (each.created_at, each.pk))
        ],
        "mfa_enabled": mfa_enabled,
        "active_sessions": active_sessions,
        "updated_at": user.updated_at,
    }


def trail_row(row: TrailRow, reader: Principal, *, names: Collection[str] = ()) -> dict[str, Any]:
    """An entry of somebody's trail.

    Args:
        names: of the people whom the trail is about; in free text only who knows them can mask them.
    """
    entry = row.entry
    metadata: dict[str, Any] = {**entry.metadata, "outcome": entry.outcome, "via": entry.via}
    metadata.update({key: value for key, value in (("before", row.before), ("after", row.after)) if value})
    reason, address = row.reason, row.address
    if masked(reader, TRAIL):
        reason = _without(names, mask_text(reason))
        metadata = _without_in(names, mask_json(metadata))
        address = mask_ip(address) if address else None
    return {
        "id": public(AUDIT, entry.pk),
        "action": entry.action,
        "actor_id": entry.actor_id,
        "ip_address": address,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "reason": reason or None,
        "metadata": metadata,
        "timestamp": iso(entry.at),
    }


def _without(names: Collection[str], text: str) -> str:
    """The text with every word of the names masked."""
    words = {word for each in names for word in each.split() if len(word) > 1}
    for word in sorted(words, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", mask_name(word), text, flags=re.IGNORECASE)
    return text


def _without_in(names: Collection[str], value: Any) -> Any:
    if isinstance(value, str):
        return _without(names, value)
    if isinstance(value, list | tuple):
        return [_without_in(names, each) for each in value]
    if isinstance(value, Mapping):
        return {key: _without_in(names, each) for key, each in value.items()}
    return value
