"""Changes of the catalogue."""

from typing import Any, Unpack, cast
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.ids import PLAN, new_id, public
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.plans import subscribers
from apps.plans.catalogue import SEEDED, SeededPlan
from apps.plans.errors import (
    ManagedByStripe,
    PlanInvalid,
    PlanNotFound,
    SlugImmutable,
    SlugTaken,
    StripeProductTaken,
)
from apps.plans.limits import FEATURES, LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.rules import REQUIRED, PlanFields, problems_of

# Raised with every change of the catalogue (apps.core.live).
TOPIC = "plans"
CREATED = "plan.created"
UPDATED = "plan.updated"

_COLUMNS = (
    "name",
    "slug",
    "description",
    "is_active",
    "stripe_product_id",
    "price_monthly",
    "price_yearly",
    "currency",
    "trial_days",
)
_FROM_STRIPE = ("name", "is_active", "price_monthly", "price_yearly", "currency")


def create_plan(*, actor: Principal, reason: str = "", **fields: Unpack[PlanFields]) -> Plan:
    """Adds a plan with its first version; limits left out are unlimited, features left out are off.

    Raises:
        PlanInvalid: a field is missing or wrong; `details` by field.
        SlugTaken, StripeProductTaken: another plan has it.
    """
    problems = problems_of(fields)
    problems |= {name: ["This field is required."] for name in REQUIRED if name not in fields}
    if problems:
        raise PlanInvalid(details=problems)
    plan_id = new_id()
    target = Target(type="plan", id=public(PLAN, plan_id))
    with write("plan.create", actor=actor, target=target, reason=reason) as w:
        plan = Plan(id=plan_id, **{name: fields[name] for name in _COLUMNS if name in fields})  # type: ignore[literal-required]
        _save(plan, created=True)
        first = PlanVersion.objects.create(
            plan=plan,
            version=1,
            limits={key: fields.get("limits", {}).get(key) for key in LIMITS},
            features={key: fields.get("features", {}).get(key, False) for key in FEATURES},
            capabilities=list(fields.get("capabilities", [])),
        )
        w.changed(after={**{name: getattr(plan, name) for name in _COLUMNS}, **_granted(first)})
        w.publish(CREATED, plan_id=str(plan.id))
        w.touch(TOPIC)
    return plan


def update_plan(
    *,
    actor: Principal,
    plan_id: UUID,
    reason: str = "",
    grandfather: bool = False,
    if_match: int | None = None,
    **fields: Unpack[PlanFields],
) -> Plan:
    """Changes the fields that are given; limits and features key by key.

    Another limit, feature or capability makes the next version: for everybody, or with `grandfather` only for who
    comes from now on, while today's subscribers keep the version they have.

    Raises:
        PlanNotFound: no such plan.
        PlanInvalid: a field is wrong; `details` by field.
        PreconditionFailed: `if_match` is not the present row version.
        SlugTaken, StripeProductTaken, SlugImmutable, ManagedByStripe: see there.
    """
    problems = problems_of(fields)
    if problems:
        raise PlanInvalid(details=problems)
    target = Target(type="plan", id=public(PLAN, plan_id))
    with write("plan.update", actor=actor, target=target, reason=reason) as w:
        # A full lock: it also keeps new subscribers out while they are counted.
        plan = Plan.objects.select_for_update().filter(id=plan_id).first()
        if plan is None:
            raise PlanNotFound
        if if_match is not None and if_match != plan.row_version:
            raise PreconditionFailed(details={"current": plan.row_version})
        changes = {name: fields[name] for name in _COLUMNS if name in fields}  # type: ignore[literal-required]
        changes = {name: value for name, value in changes.items() if getattr(plan, name) != value}
        _refuse_what_is_not_ours(plan, changes)
        w.changed(before={name: getattr(plan, name) for name in changes}, after=changes)
        for name, value in changes.items():
            setattr(plan, name, value)
        old, new = _next_version(plan, fields, grandfather=grandfather)
        if new is not None:
            w.changed(before=_difference(old, new), after=_difference(new, old))
            w.note(version=plan.version, grandfather=grandfather)
        plan.row_version += 1
        plan.updated_at = now()
        _save(plan, created=False)
        w.publish(UPDATED, plan_id=str(plan.id))
        w.touch(TOPIC)
    return plan


def seed_plans(*, actor: Principal) -> list[Plan]:
    """Adds the seeded plans that are missing (by slug) and leaves every other as it stands; answers what it added."""
    with write("plan.seed", actor=actor, target=Target(type="plan", id="seeded")) as w:
        known = set(Plan.objects.values_list("slug", flat=True))
        added = [_plant(seed) for seed in SEEDED if seed.slug not in known]
        w.note(added=[plan.slug for plan in added])
        if added:
            w.touch(TOPIC)
    return added


def _plant(seed: SeededPlan) -> Plan:
    plan = Plan.objects.create(
        id=seed.id,
        slug=seed.slug,
        name=seed.name,
        description=seed.description,
        price_monthly=seed.price_monthly,
        price_yearly=seed.price_yearly,
        trial_days=seed.trial_days,
    )
    PlanVersion.objects.create(
        plan=plan,
        version=1,
        limits=seed.limits,
        features=seed.features,
        capabilities=seed.capabilities,
    )
    return plan


def _refuse_what_is_not_ours(plan: Plan, changes: dict[str, Any]) -> None:
    managed = sorted(set(changes) & set(_FROM_STRIPE))
    if plan.stripe_product_id is not None and managed:
        raise ManagedByStripe(details={name: [ManagedByStripe.message] for name in managed})
    if "slug" in changes:
        counted = subscribers.counts([plan.id])
        if counted is None or counted.get(plan.id, 0) > 0:
            raise SlugImmutable(details={"slug": [SlugImmutable.message]})


def _next_version(
    plan: Plan, fields: PlanFields, *, grandfather: bool
) -> tuple[PlanVersion, PlanVersion | None]:
    """The newest version and, where the fields ask for another, its successor."""
    newest = PlanVersion.objects.get(plan=plan, version=plan.version)
    new = PlanVersion(
        plan=plan,
        version=plan.version + 1,
        limits={**newest.limits, **fields.get("limits", {})},
        features={**newest.features, **fields.get("features", {})},
        capabilities=list(fields.get("capabilities", newest.capabilities)),
    )
    if _granted(new) == _granted(newest):
        return newest, None
    new.save(force_insert=True)
    plan.version = new.version
    if not grandfather:
        plan.minimum_version = new.version
    return newest, new


def _granted(version: PlanVersion) -> dict[str, Any]:
    return {
        **version.limits,
        **version.features,
        "capabilities": sorted(version.capabilities),
    }


def _difference(one: PlanVersion, other: PlanVersion) -> dict[str, Any]:
    theirs = _granted(other)
    return {key: value for key, value in _granted(one).items() if key not in theirs or theirs[key] != value}


def _save(plan: Plan, *, created: bool) -> None:
    try:
        with transaction.atomic():
            plan.save(force_insert=created, force_update=not created)
    except IntegrityError as refused:
        constraint = cast("Any", refused.__cause__).diag.constraint_name or ""
        if "stripe" in constraint:
            raise StripeProductTaken(details={"stripe_product_id": [StripeProductTaken.message]}) from refused
        if "slug" in constraint:
            raise SlugTaken(details={"slug": [SlugTaken.message]}) from refused
        raise
