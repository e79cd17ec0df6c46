"""Tenants on the surface `control` (contracts/control.md, "Tenants")."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.surfaces import control
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Text
from apps.surfaces.kit.inputs import Query
from apps.surfaces.kit.ordering import Ordering
from apps.surfaces.kit.paging import CursorPaging
from apps.tenants import lifecycle, selectors
from apps.tenants.models import Tenant

SURFACE = "control"
_NEWEST_FIRST = CursorPaging(default=20, most=100, order=Ordering("created_at", default="-created_at"))


class TenantFilters(Query):
    status = Choice(lifecycle.words(SURFACE), required=False)
    plan = Text(required=False, max_length=63, help_text="Slug or id of the plan in force.")


class TenantRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    slug = serializers.CharField()
    displayName = serializers.CharField()  # noqa: N815  as the contract writes it
    plan = serializers.CharField(help_text="Slug of the plan in force.")
    status = serializers.ChoiceField(choices=lifecycle.words(SURFACE))
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815


class Tenants(control.ViewSet):
    """Customers."""

    @reads(
        permission=control.PLATFORM_READ,
        throttle="control",
        query=TenantFilters,
        answer=TenantRow,
        paged=True,
        paging=_NEWEST_FIRST,
        refusals=[],
    )
    def list(self, call: Call) -> Page:
        """Tenants, newest first."""
        filters: selectors.TenantFilters = {}
        if "status" in call.query:
            filters["statuses"] = lifecycle.stored(SURFACE, call.query["status"])
        if "plan" in call.query:
            filters["plan"] = call.query["plan"]
        return call.page(selectors.tenants(call.actor, **filters), tenant_rows)

    @reads(permission=control.PLATFORM_READ, throttle="control", answer=TenantRow)
    def retrieve(self, call: Call) -> Answer:
        """One tenant, by id or slug."""
        tenant = selectors.tenant(call.actor, call.path["tenantId"])
        return Answer(tenant_rows([tenant])[0], version=tenant.version)


def tenant_rows(found: Sequence[Tenant]) -> Sequence[dict[str, Any]]:
    """Values of tenants that came with their plan."""
    return [
        {
            "id": tenant.public_id,
            "slug": tenant.slug,
            "displayName": tenant.company_name,
            "plan": tenant.effective_plan.slug,
            "status": lifecycle.word(SURFACE, tenant.status),
            "createdAt": tenant.created_at,
            "updatedAt": tenant.updated_at,
        }
        for tenant in found
    ]
