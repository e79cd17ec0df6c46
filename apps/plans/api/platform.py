"""Plans on the platform surface. Source: contracts/platform.md, "Plans"."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from apps.core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from apps.core.ids import TENANT, public
from apps.plans import selectors, services, subscribers
from apps.plans.limits import CAPABILITIES, FEATURES, LARGEST, LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.rules import (
    CURRENCY_PATTERN,
    LARGEST_PRICE,
    REQUIRED,
    SLUG_PATTERN,
    STRIPE_PRODUCT_PATTERN,
    PlanFields,
)
from apps.surfaces import platform
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Flag, Items, Text, Whole
from apps.surfaces.kit.inputs import Body, Query
from apps.surfaces.kit.ordering import Ordering

_MOST_AFFECTED = 100


def _limit_fields(*, least: int, nullable: bool) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {
        limit.key: Whole(
            min_value=least,
            max_value=LARGEST,
            allow_null=nullable,
            required=False,
            help_text=limit.description,
        )
        for limit in LIMITS.values()
    }


def _feature_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {key: Flag(required=False, help_text=sentence) for key, sentence in FEATURES.items()}


class PlanFilters(Query):
    is_active = Flag(required=False, help_text="Sold (true) or retired (false) plans only.")
    search = Text(
        required=False, allow_blank=True, max_length=120, help_text="A part of name or slug, or an id."
    )


class LimitsBody(Body):
    """Limits of a plan: positive, or null for unlimited."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _limit_fields(least=1, nullable=True)


class FeaturesBody(Body):
    """Features of a plan."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _feature_fields()


class _PlanFields(Body):
    """What a plan may say: limits and features stand flat or nested."""

    name = Text(max_length=120, required=False)
    slug = Text(max_length=63, required=False, openapi={"pattern": f"^{SLUG_PATTERN}$"})
    description = Text(max_length=2000, required=False, allow_blank=True)
    stripe_product_id = Text(
        max_length=120,
        required=False,
        allow_null=True,
        help_text="prod_…",
        openapi={"pattern": f"^{STRIPE_PRODUCT_PATTERN}$"},
    )
    is_active = Flag(required=False)
    price_monthly = Whole(min_value=0, max_value=LARGEST_PRICE, required=False, help_text="Minor units.")
    price_yearly = Whole(min_value=0, max_value=LARGEST_PRICE, required=False, help_text="Minor units.")
    currency = Text(
        max_length=3,
        required=False,
        help_text="ISO 4217, capital letters.",
        openapi={"pattern": f"^{CURRENCY_PATTERN}$"},
    )
    trial_days = Whole(min_value=0, max_value=365, required=False)
    limits = LimitsBody(required=False)
    features = FeaturesBody(required=False)
    capabilities = Items(
        child=Choice(CAPABILITIES),
        required=False,
        max_length=len(CAPABILITIES),
        openapi={"uniqueItems": True},
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        flat = _limit_fields(least=1, nullable=True) | _feature_fields()
        return {**super().get_fields(), **flat}


class PlanBody(_PlanFields):
    """A plan in a write: limits and features stand flat or nested."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = super().get_fields()
        for name in REQUIRED:
            found[name].required = True
        return found


class PlanChangesBody(_PlanFields):
    """Fields that are left out stay as they are."""

    grandfather = Flag(required=False, help_text="Today's subscribers keep the version that they have.")


class ImpactQuery(Query):
    """Proposed limits."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _limit_fields(least=1, nullable=False)


class LimitsRow(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            limit.key: serializers.IntegerField(allow_null=True, help_text=limit.description)
            for limit in LIMITS.values()
        }


class FeaturesRow(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {key: serializers.BooleanField(help_text=text) for key, text in FEATURES.items()}


class PlanRow(serializers.Serializer[Any]):
    """A plan. Prices in minor units; limits: null is unlimited."""

    id = serializers.CharField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    stripe_product_id = serializers.CharField(allow_null=True)
    is_active = serializers.BooleanField()
    price_monthly = serializers.IntegerField()
    price_yearly = serializers.IntegerField()
    currency = serializers.CharField()
    trial_days = serializers.IntegerField()
    limits = LimitsRow()
    features = FeaturesRow()
    capabilities = serializers.ListField(child=serializers.CharField())
    subscribers = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField(help_text="Raised by other limits, features or capabilities.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ExceededRow(serializers.Serializer[Any]):
    limit = serializers.CharField()
    usage = serializers.FloatField()
    proposed = serializers.IntegerField()


class AffectedRow(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    tenant_name = serializers.CharField()
    exceeded = ExceededRow(many=True)


class Impact(serializers.Serializer[Any]):
    """Whom new limits would put above them; an override of a limit holds against the plan."""

    plan_id = serializers.CharField()
    version = serializers.IntegerField()
    subscribers = serializers.IntegerField(allow_null=True)
    proposed = serializers.DictField(child=serializers.IntegerField())
    tenants_affected = serializers.IntegerField()
    tenants = AffectedRow(many=True, help_text="The newest 100.")


class Plans(platform.ViewSet):
    """The catalogue."""

    @reads(
        permission="plans.read",
        throttle="platform",
        query=PlanFilters,
        ordering=Ordering("created_at", "name", "slug", "price_monthly", default="-created_at"),
        answer=PlanRow,
        paged=True,
    )
    def list(self, call: Call) -> Page:
        """Plans, retired ones too."""
        return call.page(selectors.plans(call.actor, **call.query), plan_rows)

    @reads(permission="plans.read", throttle="platform", answer=PlanRow)
    def retrieve(self, call: Call) -> Answer:
        """One plan, by id or slug."""
        return _answer(selectors.plan(call.actor, call.path["id"]))

    @changes(
        permission="plans.write",
        throttle="platform",
        body=PlanBody,
        answer=PlanRow,
        target="plan",
        status=201,
        refusals=[Conflict],
        links={name: {"id": "/data/id"} for name in ("plans_retrieve", "plans_update", "plans_impact")},
    )
    def create(self, call: Call) -> Answer:
        """Adds a plan.

        Name, slug and both prices are required; limits left out are unlimited, features left out are off.
        """
        return _answer(services.create_plan(actor=call.actor, **_fields(call.body)), status=201)

    @changes(
        permission="plans.write",
        throttle="platform",
        body=PlanChangesBody,
        answer=PlanRow,
        target="plan",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def update(self, call: Call) -> Answer:
        """Changes the fields that are sent.

        Other limits, features or capabilities make the next version: for everybody, or with `grandfather` only
        for who comes from now on.
        """
        plan = selectors.plan(call.actor, call.path["id"], permission="plans.write")
        body = dict(call.body)
        grandfather = body.pop("grandfather", False)
        return _answer(
            services.update_plan(
                actor=call.actor,
                plan_id=plan.id,
                grandfather=grandfather,
                if_match=call.if_match,
                **_fields(body),
            )
        )

    @reads(permission="plans.read", throttle="platform", query=ImpactQuery, answer=Impact)
    def impact(self, call: Call) -> Answer:
        """Which tenants would exceed new limits."""
        plan = selectors.plan(call.actor, call.path["id"])
        proposed: dict[str, int] = call.query
        total, affected = subscribers.affected(
            actor=call.actor, plan_id=plan.id, limits=proposed, most=_MOST_AFFECTED
        )
        return Answer(
            {
                "plan_id": plan.public_id,
                "version": plan.version,
                "subscribers": _subscribers([plan]).get(plan.id),
                "proposed": proposed,
                "tenants_affected": total,
                "tenants": [
                    {
                        "tenant_id": public(TENANT, each.tenant_id),
                        "tenant_name": each.tenant_name,
                        "exceeded": [
                            {"limit": one.limit, "usage": one.usage, "proposed": one.proposed}
                            for one in each.exceeded
                        ],
                    }
                    for each in affected
                ],
            }
        )


def plan_rows(found: "list[Plan]") -> "list[dict[str, Any]]":
    """Values of plans: two queries, whatever their number."""
    versions = selectors.newest_versions(found)
    counted = _subscribers(found)
    return [_row(plan, versions[plan.id], counted.get(plan.id)) for plan in found]


def _answer(plan: Plan, *, status: int = 200) -> Answer:
    # Read again: what a database default set is an expression until then.
    fresh = Plan.objects.get(id=plan.id)
    return Answer(plan_rows([fresh])[0], status=status, version=fresh.row_version)


def _subscribers(found: "list[Plan]") -> "Mapping[Any, int | None]":
    """Counts by plan, 0 where nobody lives by one; nothing while nobody can say."""
    counted = subscribers.counts([plan.id for plan in found])
    return {} if counted is None else {plan.id: counted.get(plan.id, 0) for plan in found}


def _row(plan: Plan, version: PlanVersion, subscribed: int | None) -> dict[str, Any]:
    return {
        "id": plan.public_id,
        "name": plan.name,
        "slug": plan.slug,
        "description": plan.description,
        "stripe_product_id": plan.stripe_product_id,
        "is_active": plan.is_active,
        "price_monthly": plan.price_monthly,
        "price_yearly": plan.price_yearly,
        "currency": plan.currency,
        "trial_days": plan.trial_days,
        "limits": {key: version.limit(key) for key in LIMITS},
        "features": {key: version.features.get(key, False) for key in FEATURES},
        "capabilities": [key for key in CAPABILITIES if key in version.capabilities],
        "subscribers": subscribed,
        "version": plan.version,
        "created_at": plan.created_at,
        "updated_at": plan.updated_at,
    }


def _fields(body: Mapping[str, Any]) -> PlanFields:
    """Flat limits and features beside nested ones, as the service takes them.

    Raises:
        Invalid: a key stands in both places with two values.
    """
    whole: dict[str, Any] = {
        name: value for name, value in body.items() if name not in LIMITS and name not in FEATURES
    }
    for group, keys in (("limits", LIMITS), ("features", FEATURES)):
        nested = dict(body.get(group, {}))
        flat = {key: value for key, value in body.items() if key in keys}
        twice = [key for key in flat if key in nested and nested[key] != flat[key]]
        if twice:
            raise Invalid(details={key: ["It stands twice, with two values."] for key in twice})
        if nested or flat:
            whole[group] = {**nested, **flat}
    fields: PlanFields = whole  # type: ignore[assignment]  # the body declares these fields and no other
    return fields
