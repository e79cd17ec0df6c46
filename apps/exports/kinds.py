"""The audit trail as a file. (The audit app stands below; other kinds are registered by their owners.)"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.audit.models import AuditEntry
from apps.audit.selectors import TrailRow, rows
from apps.core.access import allows
from apps.core.ids import TENANT, MalformedId, parse, public
from apps.core.principal import Principal
from apps.exports.errors import ExportParamsInvalid
from apps.exports.registry import Input, Kind, exportable

_PAGE = 1000
_EXACT = ("action", "actor_id", "resource_type", "resource_id", "outcome", "request_id")
_TIMES = ("since", "until")

COLUMNS = (
    "at", "chain", "seq", "actor_kind", "actor_id", "actor", "address", "via", "action", "resource_type", "resource_id",
    "tenant_id", "outcome", "reason", "before", "after", "metadata", "request_id", "correlation_id", "hash",
)  # fmt: skip


def checked_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """`since`, `until` (ISO 8601, with a zone), `tenant_id`, and exact values of a few columns.

    Raises:
        ExportParamsInvalid
    """
    checked: dict[str, Any] = {}
    for name, value in params.items():
        if name not in {*_EXACT, *_TIMES, "tenant_id"}:
            raise ExportParamsInvalid(details={name: ["This parameter is not known."]})
        if not isinstance(value, str) or not 1 <= len(value) <= 200 or "\0" in value:
            raise ExportParamsInvalid(details={name: ["A text of 1 to 200 characters."]})
        checked[name] = value
        if name in _TIMES:
            checked[name] = _instant(name, value).isoformat()
        elif name == "tenant_id":
            try:
                parse(TENANT, value)
            except MalformedId as wrong:
                raise ExportParamsInvalid(details={name: [wrong.message]}) from None
    return checked


def _instant(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ExportParamsInvalid(details={name: ["An instant like 2026-01-31T12:00:00Z."]})
    return moment


def _entries(principal: Principal, params: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    if not allows(principal, "audit.read"):
        return AuditEntry.objects.none()
    entries = AuditEntry.objects.filter(**{name: params[name] for name in _EXACT if name in params})
    if "since" in params:
        entries = entries.filter(at__gte=datetime.fromisoformat(params["since"]))
    if "until" in params:
        entries = entries.filter(at__lt=datetime.fromisoformat(params["until"]))
    if "tenant_id" in params:
        entries = entries.filter(tenant_id=parse(TENANT, params["tenant_id"]))
    return entries


def audit_rows(principal: Principal, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Newest first, page by page after the last row that was read: rows that come meanwhile move nothing."""
    entries = _entries(principal, params).order_by("-at", "-id")
    last: tuple[datetime, UUID] | None = None
    while True:
        after = entries
        if last is not None:
            after = entries.filter(Q(at__lt=last[0]) | Q(at=last[0], id__lt=last[1]))
        page = list(after[:_PAGE])
        yield from (_values(row) for row in rows(page))
        if len(page) < _PAGE:
            return
        last = (page[-1].at, page[-1].id)


def _values(row: TrailRow) -> dict[str, Any]:
    entry = row.entry
    return {
        "at": entry.at,
        "chain": entry.chain,
        "seq": entry.seq,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor": row.label,
        "address": row.address,
        "via": entry.via,
        "action": entry.action,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "tenant_id": public(TENANT, entry.tenant_id) if entry.tenant_id else None,
        "outcome": entry.outcome,
        "reason": row.reason,
        "before": row.before,
        "after": row.after,
        "metadata": entry.metadata,
        "request_id": entry.request_id,
        "correlation_id": entry.correlation_id,
        "hash": bytes(entry.hash).hex(),
    }


def count_audit(principal: Principal, params: Mapping[str, Any]) -> int:
    return _entries(principal, params).count()


def install() -> None:
    """Registers the kind (apps.exports.apps)."""
    exportable(
        Kind(
            name="audit-trail",
            title="Audit trail",
            permission="audit.read",
            columns=COLUMNS,
            rows=audit_rows,
            params=checked_params,
            count=count_audit,
            inputs=[
                Input("since", "Since", "date"),
                Input("until", "Before", "date"),
                Input("action", "Action", hint="tenant.suspend"),
                Input("tenant_id", "Tenant", hint="tnt_…"),
                Input("actor_id", "Actor", hint="usr_…"),
            ],
        )
    )
