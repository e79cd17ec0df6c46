"""Tenants on the surface `automation` (contracts/automation.md, "Tenants")."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.core.errors import Invalid
from apps.plans import selectors as plans
from apps.surfaces import automation
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Text
from apps.surfaces.kit.inputs import Query
from apps.surfaces.kit.ordering import Ordering
from apps.tenants import lifecycle, selectors
from apps.tenants.effective import effective_for
from apps.tenants.models import Tenant
from apps.tenants.subscribers import usage_of

SURFACE = "automation"
_SCANS, _USED = "max_scans_per_month", "scans_this_month"
_EXAMPLE = {
    "tenant_id": "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z",
    "email": "jane@acme.example",
    "company": "Acme",
    "plan_id": "starter",
    "status": "active",
    "scans_used": None,
    "scans_limit": 500,
    "trial_ends_at": None,
    "api_key_masked": "gai-ab12…9f3c",
    "aad_tenant_id": None,
    "created_at": "2026-01-31T12:00:00.000Z",
}


class TenantFilters(Query):
    plan_id = Text(required=False, max_length=63, help_text="Slug or id of the plan in force.")
    status = Choice(lifecycle.words(SURFACE), required=False)
    q = Text(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="A part of company name or owner's e-mail, or an id.",
    )


class TenantRow(serializers.Serializer[Any]):
    """A tenant. A figure that nobody measures yet is null; so is a limit where there is none."""

    tenant_id = serializers.CharField()
    email = serializers.CharField()
    company = serializers.CharField()
    plan_id = serializers.CharField(help_text="Slug of the plan in force.")
    status = serializers.ChoiceField(choices=lifecycle.words(SURFACE))
    scans_used = serializers.IntegerField(allow_null=True, help_text="This month.")
    scans_limit = serializers.IntegerField(allow_null=True, help_text="A month; null is unlimited.")
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    api_key_masked = serializers.CharField(allow_null=True, help_text="The newest key that works.")
    aad_tenant_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class Tenants(automation.ViewSet):
    """Customers, with their plan, status and key."""

    tag = "Tenants"

    @reads(
        permission=automation.KEY,
        throttle="automation",
        query=TenantFilters,
        answer=TenantRow,
        paged=True,
        collection="tenants",
        refusals=[],
        example={"tenants": [_EXAMPLE], "total": 1},
    )
    def list(self, call: Call) -> Page:
        """Tenants, newest first; without `limit` all of them."""
        filters: selectors.TenantFilters = {"search": call.query.get("q", "")}
        if "plan_id" in call.query:
            filters["plan"] = _known_plan(call.query["plan_id"])
        if "status" in call.query:
            filters["statuses"] = lifecycle.stored(SURFACE, call.query["status"])
        rows = Ordering("created_at").apply(selectors.tenants(call.actor, **filters), "-created_at")
        return call.page(rows, tenant_rows)

    @reads(permission=automation.KEY, throttle="automation", answer=TenantRow, example=_EXAMPLE)
    def retrieve(self, call: Call) -> Answer:
        """One tenant, by id or slug."""
        tenant = selectors.tenant(call.actor, call.path["tenant_id"])
        return Answer(tenant_rows([tenant])[0], version=tenant.version)


def _known_plan(id_or_slug: str) -> str:
    if plans.find(id_or_slug) is None:
        raise Invalid(details={"plan_id": ["There is no such plan."]})
    return id_or_slug


def tenant_rows(found: Sequence[Tenant]) -> Sequence[dict[str, Any]]:
    """Values of tenants that came with their plan and facts: the same few queries, whatever their number."""
    effective, keys = effective_for(found), selectors.keys_in_force(found)
    return [
        {
            "tenant_id": tenant.public_id,
            "email": tenant.owner_email,
            "company": tenant.company_name,
            "plan_id": tenant.effective_plan.slug,
            "status": lifecycle.word(SURFACE, tenant.status),
            "scans_used": usage_of(tenant.facts)[_USED],
            "scans_limit": effective[tenant.id].limits[_SCANS].value,
            "trial_ends_at": tenant.trial_ends_at,
            "api_key_masked": keys[tenant.id].masked if tenant.id in keys else None,
            # Nobody keeps it yet: it comes with provisioning by key.
            "aad_tenant_id": None,
            "created_at": tenant.created_at,
        }
        for tenant in found
    ]
