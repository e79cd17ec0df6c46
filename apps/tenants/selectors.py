"""Reads of tenants."""

import hmac
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.core import ids
from apps.core.access import masked
from apps.core.principal import Principal
from apps.plans import selectors as plans
from apps.tenants import keys, lifecycle
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import TenantNotFound
from apps.tenants.models import Tenant, TenantKey
from apps.tenants.querysets import visible_to

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
