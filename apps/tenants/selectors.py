"""Reads of tenants."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.core import ids
from apps.core.access import Reach, masked, reach
from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.statements import Columns, Statement
from apps.plans import selectors as plans
from apps.plans.models import Plan, PlanVersion
from apps.tenants import keys, lifecycle
from apps.tenants.effective import Effective, in_force, resolve
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import TenantNotFound
from apps.tenants.models import BillingOverride, PlanOverride, Tenant, TenantFacts, TenantKey
from apps.tenants.querysets import reaches, visible_to

SURFACE = "platform"


class TenantFilters(TypedDict, total=False):
    """Filters of a list of tenants. `plan` is a slug or id, `status` in the words of the platform surface; other
    surfaces name the stored `statuses` behind theirs."""

    search: str
    plan: str
    status: str
    statuses: Collection[TenantStatus]
    created_after: datetime
    created_before: datetime
    mrr_min: Decimal
    mrr_max: Decimal


def tenants(
    principal: Principal, *, permission: str = "tenants.read", **filters: Unpack[TenantFilters]
) -> QuerySet[Tenant]:
    """Tenants with their plan and facts in one query. Bounds include; money in major units.

    `search` is a part of company name or owner's e-mail, or an id; whoever reads e-mails masked finds by whole
    e-mail only.
    """
    found = visible_to(principal, permission).select_related("effective_plan", "facts")
    # Every tenant has facts: said so, the join is an inner one, and the indexes over facts serve the ordering.
    found = found.filter(facts__isnull=False)
    if search := filters.get("search", ""):
        found = found.filter(_search(principal, permission, search))
    if "plan" in filters:
        plan = plans.find(filters["plan"])
        found = found.filter(effective_plan_id=plan.id) if plan else found.none()
    if "statuses" in filters:
        found = found.filter(status__in=filters["statuses"])
    if "status" in filters:
        found = found.filter(status__in=lifecycle.stored(SURFACE, filters["status"]))
    bounds = {
        "created_at__gte": filters.get("created_after"),
        "created_at__lte": filters.get("created_before"),
        "facts__mrr__gte": filters.get("mrr_min"),
        "facts__mrr__lte": filters.get("mrr_max"),
    }
    return found.filter(**{column: bound for column, bound in bounds.items() if bound is not None})


def are_all(principal: Principal, filters: Mapping[str, Any], *, permission: str = "tenants.read") -> bool:
    """Whether `tenants` holds every tenant there is."""
    return not any(filters.values()) and reach(principal, permission) is Reach.ALL


def _search(principal: Principal, permission: str, search: str) -> Q:
    named = Q(company_name__icontains=search)
    by_email = (
        Q(owner_email__iexact=search) if masked(principal, permission) else Q(owner_email__icontains=search)
    )
    tenant_id = ids.parse_or_none(ids.TENANT, search)
    return named | by_email | Q(id=tenant_id) if tenant_id else named | by_email


def tenant(principal: Principal, id_or_slug: str, *, permission: str = "tenants.read") -> Tenant:
    """One tenant with its plan and facts, by id (`tnt_`, `tn_`, `ten_`) or slug.

    Raises:
        TenantNotFound: no such tenant, or not for this caller.
    """
    tenant_id = ids.parse_or_none(ids.TENANT, id_or_slug)
    named = Q(id=tenant_id) if tenant_id else Q(slug=id_or_slug)
    rows = visible_to(principal, permission).select_related("effective_plan", "facts")
    found = rows.filter(named).first()
    if found is None:
        raise TenantNotFound
    return found


_ID_BY_ID = Statement("SELECT id, is_test FROM tenants_tenant WHERE id = %s")
_ID_BY_SLUG = Statement("SELECT id, is_test FROM tenants_tenant WHERE slug = %s")


def tenant_id(principal: Principal, id_or_slug: str, *, permission: str) -> UUID:
    """Which tenant that is, for who is about to change it.

    Raises:
        TenantNotFound: no such tenant, or not for this caller.
    """
    named = ids.parse_or_none(ids.TENANT, id_or_slug)
    row = _ID_BY_ID.row(named) if named else _ID_BY_SLUG.row(id_or_slug)
    if row is None or not reaches(principal, permission, is_test=row[1]):
        raise TenantNotFound
    return UUID(str(row[0]))


_ONE = Columns(t=Tenant, p=Plan, v=PlanVersion, f=TenantFacts, o=PlanOverride, b=BillingOverride)
_ONE_FROM = """
SELECT {columns} FROM tenants_tenant t
JOIN plans_plan p ON p.id = t.effective_plan_id
JOIN plans_plan_version v ON v.plan_id = p.id AND v.version = greatest(t.effective_version, p.minimum_version)
JOIN tenants_facts f ON f.tenant_id = t.id
LEFT JOIN tenants_plan_override o ON o.tenant_id = t.id AND o.lifted_at IS NULL
LEFT JOIN tenants_billing_override b ON b.tenant_id = t.id AND b.lifted_at IS NULL
"""
_ONE_BY_ID = Statement(_ONE_FROM + "WHERE t.id = %s", _ONE)
_ONE_BY_SLUG = Statement(_ONE_FROM + "WHERE t.slug = %s", _ONE)


def tenant_in_full(
    principal: Principal, id_or_slug: str, *, permission: str = "tenants.read"
) -> tuple[Tenant, Effective]:
    """As `tenant`, with what is in force for it: one statement for the page that is asked for most.

    Raises:
        TenantNotFound: no such tenant, or not for this caller.
    """
    tenant_id = ids.parse_or_none(ids.TENANT, id_or_slug)
    row = _ONE_BY_ID.row(tenant_id) if tenant_id else _ONE_BY_SLUG.row(id_or_slug)
    if row is None:
        raise TenantNotFound
    found, plan, version, facts, override, billing = _ONE.read(row)
    if not reaches(principal, permission, is_test=found.is_test):
        raise TenantNotFound
    found.effective_plan, found.facts = plan, facts
    at = now()
    return found, resolve(
        plan,
        version,
        override if in_force(override, at) else None,
        billing if in_force(billing, at) else None,
        facts.subscription,
    )


def keys_in_force(found: Sequence[Tenant]) -> dict[UUID, TenantKey]:
    """The newest key of each tenant that works, in one query."""
    rows = TenantKey.objects.filter(tenant__in=found, expired_at__isnull=True).order_by("created_at", "id")
    return {row.tenant_id: row for row in rows}


def key_in_clear(clear: str) -> TenantKey | None:
    """The key behind what a caller presents, with its tenant; expired ones too: the caller decides by status.

    Found by the indexed prefix, compared as a hash in constant time; a miss costs the same work.
    """
    presented = keys.digest(clear, pepper=settings.KEY_PEPPER)
    prefix = clear[: keys.PREFIX] if keys.well_formed(clear) else ""
    found = None
    for candidate in TenantKey.objects.filter(prefix=prefix).select_related("tenant"):
        if hmac.compare_digest(bytes(candidate.digest), presented):
            found = candidate
    return found
