"""Tenants on the platform surface. Source: contracts/platform.md, "Tenants"."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework import serializers

from apps.core.clock import now
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.core.ids import TENANT, public
from apps.core.principal import Principal
from apps.plans.limits import LARGEST, LIMITS
from apps.surfaces import platform
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Amount, Choice, Email, Flag, Moment, Text, Whole
from apps.surfaces.kit.inputs import Body, Query
from apps.surfaces.kit.ordering import Ordering
from apps.tenants import display, lifecycle, selectors, services
from apps.tenants.effective import Effective
from apps.tenants.enums import BillingCycle, BillingOverrideType, PaymentMethod
from apps.tenants.models import Tenant
from apps.tenants.services.overrides import OverrideChanges
from apps.tenants.services.test_tenants import LONGEST_DAYS
from apps.tenants.subscribers import usage_of
from apps.tenants.terms import BillingTerms, PlanTerms, billing_terms, plan_terms

SURFACE = "platform"


class TenantFilters(Query):
    search = Text(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text="A part of company name or owner's e-mail, or an id. Support: a whole e-mail only.",
    )
    plan = Text(required=False, max_length=63, help_text="Slug or id of the plan in force.")
    status = Choice(lifecycle.words(SURFACE), required=False)
    created_after = Moment(required=False)
    created_before = Moment(required=False)
    mrr_min = Amount(required=False, help_text="Major units.")
    mrr_max = Amount(required=False, help_text="Major units.")


class TrialEnd(Moment):
    """The end of a trial: an instant, or a date whose whole day (UTC) still belongs to it."""

    def to_internal_value(self, value: Any) -> datetime:
        found = super().to_internal_value(value)
        if re.fullmatch(r"\s*\d{4}-\d\d-\d\d\s*", value, re.ASCII) is None:
            return found
        if found >= datetime(9999, 1, 1, tzinfo=UTC):
            self.fail("invalid", format="2026-01-31")
        return found + timedelta(days=1)


class OverrideLimits(Body):
    """Limits of one tenant: not negative, or null for unlimited."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            limit.key: Whole(
                min_value=0,
                max_value=LARGEST,
                allow_null=True,
                required=False,
                help_text=limit.description,
            )
            for limit in LIMITS.values()
        }


class PlanOverrideBody(Body):
    """Another plan, price or limits; the override in force before is replaced as a whole."""

    plan_id = Text(max_length=63, required=False, allow_null=True, help_text="Id or slug.")
    custom_pricing = Flag(required=False)
    price_monthly = Amount(min_value=0, required=False, allow_null=True, help_text="Major units.")
    limits = OverrideLimits(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True)


class BillingOverrideBody(Body):
    """Another way of paying; `trial_end_date`, `cycle`, `method` belong to one type each."""

    type = Choice(BillingOverrideType.values)
    trial_end_date = TrialEnd(required=False, allow_null=True)
    cycle = Choice(BillingCycle.values, required=False, allow_null=True)
    method = Choice(PaymentMethod.values, required=False, allow_null=True)
    reason = Text(max_length=500)


class OverridesBody(Body):
    """Either or both; null lifts."""

    fewest = 1

    plan_override = PlanOverrideBody(required=False, allow_null=True)
    billing_override = BillingOverrideBody(required=False, allow_null=True)


class TestTenantBody(Body):
    company_name = Text(max_length=200)
    owner_email = Email()
    plan = Text(max_length=63, help_text="Slug or id.")
    auto_cleanup_days = Whole(
        min_value=1, max_value=LONGEST_DAYS, required=False, help_text="By default the configured 30."
    )


class PlanName(serializers.Serializer[Any]):
    name = serializers.CharField()
    slug = serializers.CharField()


class TenantRow(serializers.Serializer[Any]):
    """A tenant in a list. A figure without an owner is null; `mrr` in major units."""

    id = serializers.CharField()
    company_name = serializers.CharField()
    owner_email = serializers.CharField()
    plan = PlanName()
    mrr = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    workspaces = serializers.IntegerField(allow_null=True)
    users = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=lifecycle.words(SURFACE))
    created_at = serializers.DateTimeField()


class Subscription(serializers.Serializer[Any]):
    id = serializers.CharField()
    status = serializers.CharField()
    current_period_end = serializers.CharField(allow_null=True)


class LimitsInForce(serializers.Serializer[Any]):
    """Null is unlimited."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {key: serializers.IntegerField(allow_null=True) for key in LIMITS}


class UsageNow(serializers.Serializer[Any]):
    """Null is not measured."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {limit.meter: serializers.FloatField(allow_null=True) for limit in LIMITS.values()}


class PlanOverrideRow(serializers.Serializer[Any]):
    plan_id = serializers.CharField(allow_null=True)
    custom_pricing = serializers.BooleanField()
    price_monthly = serializers.FloatField(allow_null=True)
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    reason = serializers.CharField()
    actor_id = serializers.CharField()
    effective_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class BillingOverrideRow(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=BillingOverrideType.values)
    trial_end_date = serializers.DateField(allow_null=True)
    cycle = serializers.CharField(allow_null=True)
    method = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    actor_id = serializers.CharField()
    effective_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class Overrides(serializers.Serializer[Any]):
    plan_override = PlanOverrideRow(allow_null=True)
    billing_override = BillingOverrideRow(allow_null=True)


class TenantDetail(serializers.Serializer[Any]):
    """A tenant: its plan and limits in force, the overrides behind them, and its usage."""

    id = serializers.CharField()
    slug = serializers.CharField()
    company_name = serializers.CharField()
    owner_email = serializers.CharField()
    plan = serializers.CharField(help_text="Slug of the plan in force.")
    status = serializers.ChoiceField(choices=lifecycle.words(SURFACE))
    is_test = serializers.BooleanField()
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    subscription = Subscription(allow_null=True)
    limits = LimitsInForce()
    overrides = Overrides()
    usage = UsageNow()
    created_at = serializers.DateTimeField()


class OneTenant(serializers.Serializer[Any]):
    tenant = TenantDetail()


class Overridden(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    overrides_applied = serializers.BooleanField()
    effective_date = serializers.DateTimeField()


class TestTenantMade(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    login_url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class Tenants(platform.ViewSet):
    """Customers."""

    @reads(
        permission="tenants.read",
        throttle="platform",
        query=TenantFilters,
        ordering=Ordering(
            "created_at",
            "company_name",
            mrr="facts__mrr",
            users="facts__members",
            default="-created_at",
        ),
        answer=TenantRow,
        paged=True,
        collection="tenants",
    )
    def list(self, call: Call) -> Page:
        """Tenants, newest first."""
        rows = selectors.tenants(call.actor, **call.query).values_list(*ROW_COLUMNS)
        whole = Tenant if selectors.are_all(call.actor, call.query) else None
        return call.page(rows, lambda found: tenant_rows(found, call.actor), whole=whole)

    @reads(permission="tenants.read", throttle="platform", answer=OneTenant)
    def retrieve(self, call: Call) -> Answer:
        """One tenant, by id or slug."""
        tenant, effective = selectors.tenant_in_full(call.actor, call.path["id"])
        return Answer({"tenant": tenant_detail(tenant, effective, call.actor)}, version=tenant.version)

    @changes(
        permission="tenants.override",
        throttle="platform",
        body=OverridesBody,
        answer=Overridden,
        target="tenant",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def partial_update(self, call: Call) -> Answer:
        """Overrides plan or billing, or lifts an override with null.

        An override in force holds against subscription and plan until it is replaced or lifted.
        """
        tenant_id = selectors.tenant_id(call.actor, call.path["id"], permission="tenants.override")
        changed = services.change_overrides(
            actor=call.actor, tenant_id=tenant_id, if_match=call.if_match, **_overrides(call.body)
        )
        answer = {"tenant_id": changed.public_id, "overrides_applied": True, "effective_date": now()}
        return Answer(answer, version=changed.version)

    @changes(
        permission="tenants.create_test",
        throttle="platform",
        body=TestTenantBody,
        answer=TestTenantMade,
        target="tenant",
        status=201,
        refusals=[Conflict],
        links={
            "tenants_retrieve": {"id": "/data/tenant_id"},
            "tenants_partial_update": {"id": "/data/tenant_id"},
        },
    )
    def create_test(self, call: Call) -> Answer:
        """Makes a test tenant with sample data; it is purged after `auto_cleanup_days`.

        `login_url` is where its people sign in (setting TENANT_LOGIN_URL); the owner asks there for a link to set
        a password.
        """
        made = services.create_test_tenant(actor=call.actor, **call.body)
        answer = {
            "tenant_id": made.tenant.public_id,
            "login_url": made.login_url,
            "expires_at": made.expires_at,
        }
        return Answer(answer, status=201, version=made.tenant.version)


# What a row of the list is made of: values, since 150 instances cost more than the query.
ROW_COLUMNS = (
    "id",
    "company_name",
    "owner_email",
    "effective_plan__name",
    "effective_plan__slug",
    "facts__mrr",
    "facts__currency",
    "facts__workspaces",
    "facts__members",
    "status",
    "created_at",
)


def tenant_rows(found: Sequence[tuple[Any, ...]], reader: Principal) -> Sequence[dict[str, Any]]:
    """Rows of the list, from the values of `ROW_COLUMNS`."""
    return [
        {
            "id": public(TENANT, tenant_id),
            "company_name": company_name,
            "owner_email": display.owner_email(owner_email, reader),
            "plan": {"name": plan_name, "slug": plan_slug},
            "mrr": mrr,
            "currency": currency,
            "workspaces": workspaces,
            "users": members,
            "status": lifecycle.word(SURFACE, status),
            "created_at": created_at,
        }
        for (
            tenant_id,
            company_name,
            owner_email,
            plan_name,
            plan_slug,
            mrr,
            currency,
            workspaces,
            members,
            status,
            created_at,
        ) in found
    ]


def tenant_detail(tenant: Tenant, effective: Effective, reader: Principal) -> dict[str, Any]:
    """Values of one tenant that came with its plan and facts, and of what is in force for it."""
    subscription = tenant.facts.subscription
    overrides: dict[str, dict[str, Any] | None] = {
        "plan_override": plan_terms(effective.plan_override),
        "billing_override": billing_terms(effective.billing_override),
    }
    for terms in overrides.values():
        if terms is not None:
            terms["reason"] = display.text(terms["reason"], reader)
    return {
        "id": tenant.public_id,
        "slug": tenant.slug,
        "company_name": tenant.company_name,
        "owner_email": display.owner_email(tenant.owner_email, reader),
        "plan": tenant.effective_plan.slug,
        "status": lifecycle.word(SURFACE, tenant.status),
        "is_test": tenant.is_test,
        "trial_ends_at": tenant.trial_ends_at,
        "subscription": {name: subscription.get(name) for name in ("id", "status", "current_period_end")}
        if subscription
        else None,
        "limits": effective.values(),
        "overrides": overrides,
        "usage": usage_of(tenant.facts),
        "created_at": tenant.created_at,
    }


def _overrides(body: Mapping[str, Any]) -> OverrideChanges:
    changes_: OverrideChanges = {}
    if "plan_override" in body:
        given = body["plan_override"]
        changes_["plan_override"] = (
            None
            if given is None
            else PlanTerms(
                plan=given.get("plan_id"),
                custom_pricing=given.get("custom_pricing"),
                price_monthly=given.get("price_monthly"),
                limits=given.get("limits", {}),
                reason=given.get("reason", ""),
            )
        )
    if "billing_override" in body:
        given = body["billing_override"]
        changes_["billing_override"] = (
            None
            if given is None
            else BillingTerms(
                type=given["type"],
                reason=given["reason"],
                trial_ends_at=given.get("trial_end_date"),
                cycle=given.get("cycle"),
                method=given.get("method"),
            )
        )
    return changes_
