"""Flags that need a second person: each change of one goes through apps.approvals (opt-in a flag, `needsApproval`).

    outcome = change("update", actor=actor, key=key, arguments={"fields": {...}}, if_match=7)

does it at once for other flags, and for these gives `Pending` (a surface answers 202). The services themselves refuse
whoever goes past this function.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from apps.approvals.enums import Policy
from apps.approvals.registry import approvable
from apps.approvals.services import Pending, perform
from apps.core import ids
from apps.core.errors import PreconditionFailed
from apps.core.principal import Principal
from apps.flags.models import SCHEDULE, Flag, ScheduledChange, Segment, TenantOverride, audit_target
from apps.flags.querysets import using_segment
from apps.flags.services import flags, overrides, schedule, segments
from apps.flags.services.common import CHANGE_CRITICAL, hold_definitions

Changed: TypeAlias = Flag | TenantOverride | ScheduledChange | Segment | None


def change(
    operation: str,
    *,
    actor: Principal,
    key: str,
    arguments: Mapping[str, Any] | None = None,
    if_match: int | None = None,
    reason: str = "",
) -> Changed | Pending:
    """Does the operation, or asks for a second person where the flag (or one that uses the segment) needs one.

    A request is for the flag as it is now: where it changes before it is approved, it fails.

    Args:
        operation: a key of `OPERATIONS`; `arguments` (JSON values) are those of its service.
        key: of the flag, or of the segment.

    Raises:
        as the service of the operation.
    """
    given = dict(arguments or {})
    version = _critical_version(operation, key)
    if version is None:
        return OPERATIONS[operation](actor, key, given, if_match, reason)
    outcome = perform(
        CHANGE_CRITICAL,
        actor=actor,
        params={
            "operation": operation,
            "key": key,
            "arguments": given,
            "version": version if if_match is None else if_match,
        },
        target=audit_target(key),
        reason=reason,
    )
    if isinstance(outcome, Pending):
        return outcome
    changed: Changed = outcome.result
    return changed


def _critical_version(operation: str, key: str) -> int | None:
    """The present version of what needs a second person; None where nothing does."""
    if operation == "update_segment":
        row = Segment.objects.filter(key=key).values_list("version", flat=True).first()
        return row if using_segment(key).filter(needs_approval=True).exists() else None
    return Flag.objects.filter(key=key, needs_approval=True).values_list("version", flat=True).first()


def _update(actor: Principal, key: str, given: dict[str, Any], if_match: int | None, reason: str) -> Flag:
    fields = schedule.fields_of(given["fields"])
    return flags.update_flag(actor=actor, key=key, fields=fields, if_match=if_match, reason=reason)


def _archive(actor: Principal, key: str, _given: dict[str, Any], if_match: int | None, reason: str) -> Flag:
    return flags.archive_flag(actor=actor, key=key, if_match=if_match, reason=reason)


def _restore(actor: Principal, key: str, given: dict[str, Any], if_match: int | None, reason: str) -> Flag:
    version = given["version"]
    return flags.restore_version(actor=actor, key=key, version=version, if_match=if_match, reason=reason)


def _set_override(
    actor: Principal, key: str, given: dict[str, Any], _if_match: int | None, reason: str
) -> TenantOverride:
    expires = given.get("expires_at")
    fields = overrides.OverrideFields(
        enabled=given.get("enabled"),
        variation=given.get("variation"),
        reason=reason,
        expires_at=datetime.fromisoformat(expires) if expires else None,
    )
    tenant_id = ids.parse(ids.TENANT, given["tenant_id"])
    return overrides.set_override(actor=actor, key=key, tenant_id=tenant_id, fields=fields)


def _remove_override(
    actor: Principal, key: str, given: dict[str, Any], _if_match: int | None, reason: str
) -> None:
    tenant_id = ids.parse(ids.TENANT, given["tenant_id"])
    overrides.remove_override(actor=actor, key=key, tenant_id=tenant_id, reason=reason)


def _schedule(
    actor: Principal, key: str, given: dict[str, Any], _if_match: int | None, reason: str
) -> ScheduledChange:
    at = datetime.fromisoformat(given["at"])
    return schedule.schedule_change(actor=actor, key=key, at=at, change=given["change"], reason=reason)


def _cancel(
    actor: Principal, key: str, given: dict[str, Any], _if_match: int | None, reason: str
) -> ScheduledChange:
    schedule_id = ids.parse(SCHEDULE, given["schedule_id"])
    return schedule.cancel_scheduled(actor=actor, key=key, schedule_id=schedule_id, reason=reason)


def _update_segment(
    actor: Principal, key: str, given: dict[str, Any], if_match: int | None, reason: str
) -> Segment:
    return segments.update_segment(
        actor=actor,
        key=key,
        conditions=given.get("conditions"),
        description=given.get("description"),
        if_match=if_match,
        reason=reason,
    )


Operation: TypeAlias = Callable[[Principal, str, dict[str, Any], int | None, str], Changed]
OPERATIONS: Mapping[str, Operation] = {
    "update": _update,
    "archive": _archive,
    "restore": _restore,
    "set_override": _set_override,
    "remove_override": _remove_override,
    "schedule": _schedule,
    "cancel": _cancel,
    "update_segment": _update_segment,
}
# Their services take no `if_match`: overrides and scheduled changes have no version of their own.
_UNVERSIONED = frozenset({"set_override", "remove_override", "schedule", "cancel"})


def _execute(*, actor: Principal, params: dict[str, Any], reason: str) -> Changed:
    operation, key, version = params["operation"], params["key"], params["version"]
    if operation in _UNVERSIONED:
        # The order of locks of whoever changes a definition; scheduling takes both.
        hold_definitions()
        # Who approved looked at that version: another may have other variations, or mean something else by on.
        present = Flag.objects.select_for_update().filter(key=key).values_list("version", flat=True).first()
        if present != version:
            raise PreconditionFailed(details={"current": present})
    return OPERATIONS[operation](actor, key, dict(params["arguments"]), version, reason)


def install() -> None:
    """Registers the action (apps.flags.apps)."""
    approvable(
        CHANGE_CRITICAL,
        execute=_execute,
        permission="flags.manage",
        title="Change a flag that needs a second person",
        describe=lambda params: f"{params['operation'].replace('_', ' ').capitalize()}: {params['key']}.",
        policy=Policy.ALWAYS,
    )
