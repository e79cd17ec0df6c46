"""Facts pushed down: how the owners of figures write them, and how they are put right every night.

An owner calls its `set_…` (or `refresh`) in the transaction of its own change. `own(column, recount)` in its
`apps.py` says how the figure is counted anew; the nightly job `tenants.rebuild_facts` compares, corrects and
reports what had drifted. A column without an owner stays null.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.clock import now
from apps.core.ids import TENANT, public
from apps.core.principal import Principal
from apps.core.statements import Columns, Statement
from apps.core.write import Target, write
from apps.plans.models import Plan
from apps.tenants.effective import SubscriptionFact, decide
from apps.tenants.events import ATTRIBUTES_TOPIC
from apps.tenants.models import PlanOverride, Tenant, TenantFacts

Recount = Callable[[Collection[UUID]], Mapping[UUID, Any]]

_COLUMNS = frozenset({"members", "workspaces", "mrr", "currency", "subscription", "usage"})
_BATCH = 1_000
_EXAMPLES = 20
_recounts: dict[str, Recount] = {}


def own(column: str, recount: Recount) -> None:
    """Says who counts a column anew. `recount(tenant ids)` leaves out tenants that have none (then 0 for counts).

    Raises:
        ValueError: no such column.
    """
    if column not in _COLUMNS:
        raise ValueError(f"tenant facts have no column {column!r}")
    _recounts[column] = recount


def set_members(tenant_id: UUID, count: int) -> None:
    """Owner: users. Members of the tenant."""
    _set(tenant_id, members=count)


def set_workspaces(tenant_id: UUID, count: int) -> None:
    """Owner: tenants. Workspaces that are not deactivated."""
    _set(tenant_id, workspaces=count)


def set_mrr(tenant_id: UUID, amount: Decimal | None, currency: str | None) -> None:
    """Owner: finance. `amount` in major units; null for a tenant without a subscription that was ever priced."""
    _set(tenant_id, mrr=amount, currency=currency)


def set_usage(tenant_id: UUID, usage: Mapping[str, float]) -> None:
    """Owner: metering. {meter: number}, meters of apps.plans.limits."""
    _set(tenant_id, usage=dict(usage))


def set_subscription(tenant_id: UUID, subscription: SubscriptionFact | None) -> bool:
    """Owner: finance. True where the tenant's effective plan is another one now (an override holds against it).

    The caller's write then publishes `tenant.terms_changed` and touches `tenants.attributes`.
    """
    tenant = Tenant.objects.select_for_update(no_key=True).filter(id=tenant_id).first()
    if tenant is None:
        return False
    _set(tenant_id, subscription=subscription)
    return settle_plan(tenant)


def refresh(column: str, *tenant_ids: UUID) -> None:
    """Counts a column anew for some tenants, under the lock of their rows: two changes at once both count."""
    _in_a_transaction()
    rows = TenantFacts.objects.select_for_update().filter(tenant_id__in=tenant_ids).order_by("tenant_id")
    held = [row.tenant_id for row in rows]
    counted = _recounts[column](held)
    for tenant_id in held:
        _set(tenant_id, **{column: counted.get(tenant_id, 0)})


def _set(tenant_id: UUID, **columns: Any) -> None:
    _in_a_transaction()
    TenantFacts.objects.filter(tenant_id=tenant_id).update(**columns, updated_at=now())


def _in_a_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("a fact is written in the transaction of the change that it tells of")


_OVERRIDE = Columns(o=PlanOverride)
_MADE_OF = Statement(
    "SELECT f.subscription, (SELECT array_agg(id) FROM plans_plan), {columns} FROM tenants_facts f "
    "LEFT JOIN tenants_plan_override o ON o.tenant_id = f.tenant_id AND o.lifted_at IS NULL WHERE f.tenant_id = %s",
    _OVERRIDE,
)


def settle_plan(tenant: Tenant) -> bool:
    """Brings `effective_plan` in line with override, subscription and given plan; True where it changed.

    The caller holds the tenant's row. A tenant that comes to a plan gets the newest version; one that comes back
    to its given plan gets the version it was given.
    """
    row = _MADE_OF.row(tenant.id)
    subscription, known = (json.loads(row[0]) if row and row[0] else None), (row[1] if row else [])
    plan_id = decide(
        override=_OVERRIDE.read(row[2:])[0] if row else None,
        subscription=subscription,
        given=tenant.plan_id,
        known=known,
        at=now(),
    )
    if plan_id == tenant.effective_plan_id:
        return False
    plan = Plan.objects.get(id=plan_id)
    tenant.effective_plan = plan
    tenant.effective_version = tenant.plan_version.version if plan.id == tenant.plan_id else plan.version
    tenant.updated_at = now()
    tenant.save(update_fields=["effective_plan", "effective_version", "updated_at"])
    return True


@dataclass(slots=True)
class Drift:
    """What a rebuild found: how many rows were compared and corrected, and some of them."""

    checked: int = 0
    drifted: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


def rebuild(*, actor: Principal) -> dict[str, Drift]:
    """Compares every owned column and the effective plan with what they are made of, and corrects them.

    In batches, each a write of its own where something was wrong; killed half-way, the next run begins anew.
    """
    found = {column: Drift() for column in [*sorted(_recounts), "effective_plan"]}
    last = UUID(int=0)
    while batch := list(
        TenantFacts.objects.filter(tenant_id__gt=last)
        .order_by("tenant_id")
        .values_list("tenant_id", flat=True)[:_BATCH]
    ):
        last = batch[-1]
        for column, recount in sorted(_recounts.items()):
            found[column].checked += len(batch)
            _rebuild_column(actor, column, recount, batch, found[column])
        found["effective_plan"].checked += len(batch)
        _rebuild_plans(actor, batch, found["effective_plan"])
    return found


def _rebuild_column(
    actor: Principal, column: str, recount: Recount, batch: Sequence[UUID], drift: Drift
) -> None:
    suspects = [tenant_id for tenant_id, _, _ in _differences(column, recount, batch, locked=False)]
    if not suspects:
        return
    target = Target(type="tenant_facts", id=column)
    with write("tenant_facts.rebuild", actor=actor, target=target) as w:
        for tenant_id, kept, counted in _differences(column, recount, suspects, locked=True):
            _set(tenant_id, **{column: counted})
            drift.drifted += 1
            _remember(drift, tenant_id, kept, counted)
        w.note(column=column, corrected=drift.drifted)


def _differences(
    column: str, recount: Recount, batch: Sequence[UUID], *, locked: bool
) -> list[tuple[UUID, Any, Any]]:
    rows = TenantFacts.objects.filter(tenant_id__in=batch).order_by("tenant_id")
    kept = {row.tenant_id: getattr(row, column) for row in (rows.select_for_update() if locked else rows)}
    counted = recount(list(kept))
    return [
        (tenant_id, value, counted.get(tenant_id, 0))
        for tenant_id, value in kept.items()
        if value != counted.get(tenant_id, 0)
    ]


def _rebuild_plans(actor: Principal, batch: Sequence[UUID], drift: Drift) -> None:
    standing = PlanOverride.objects.filter(tenant_id__in=batch, lifted_at__isnull=True)
    overrides = {row.tenant_id: row for row in standing}
    subscriptions = dict(
        TenantFacts.objects.filter(tenant_id__in=batch).values_list("tenant_id", "subscription")
    )
    known = set(Plan.objects.values_list("id", flat=True))
    for tenant in Tenant.objects.filter(id__in=batch):
        wanted = decide(
            override=overrides.get(tenant.id),
            subscription=subscriptions.get(tenant.id),
            given=tenant.plan_id,
            known=known,
            at=now(),
        )
        if wanted == tenant.effective_plan_id:
            continue
        with write("tenant_facts.rebuild", actor=actor, target=tenant.audit_target()) as w:
            held = Tenant.objects.select_for_update(no_key=True).get(id=tenant.id)
            before = held.effective_plan_id
            if settle_plan(held):
                w.touch(ATTRIBUTES_TOPIC)
                drift.drifted += 1
                _remember(drift, held.id, str(before), str(held.effective_plan_id))
            w.note(column="effective_plan")


def _remember(drift: Drift, tenant_id: UUID, kept: Any, counted: Any) -> None:
    if len(drift.examples) < _EXAMPLES:
        drift.examples.append(
            {"tenant_id": public(TENANT, tenant_id), "kept": str(kept), "counted": str(counted)}
        )
