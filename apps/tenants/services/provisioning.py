"""A tenant comes into being."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.core.clock import iso, now
from apps.core.ids import new_id
from apps.core.principal import Principal
from apps.core.write import write
from apps.plans import selectors as plans
from apps.plans.models import Plan, PlanVersion
from apps.plans.rules import RESERVED_SLUGS
from apps.tenants import events
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import PlanUnknown, SlugTaken, TenantInvalid
from apps.tenants.models import StatusChange, Tenant, TenantFacts, TenantTombstone
from apps.tenants.models.tenant import SLUG_PATTERN
from apps.tenants.services.keys import issue_key
from apps.tenants.services.rows import target_of


class NewTenant(TypedDict):
    """What a tenant is made of. `plan` is a slug or an id; `trial_days` None: as the plan says."""

    company_name: str
    owner_email: str
    plan: str
    slug: NotRequired[str]
    trial_days: NotRequired[int | None]
    country: NotRequired[str]
    is_test: NotRequired[bool]
    test_expires_at: NotRequired[datetime]


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A new tenant, and its key in clear: shown once, stored nowhere."""

    tenant: Tenant
    api_key: str


def provision_tenant(
    *, actor: Principal, reason: str = "", tenant_id: UUID | None = None, **given: Unpack[NewTenant]
) -> Provisioned:
    """Makes a tenant on a plan, with facts and a key: on trial where days are given, else active.

    `tenant_id` is for a caller whose own write has to name the tenant before it exists.

    Raises:
        TenantInvalid: a field is wrong; `details` by field.
        PlanUnknown: no such plan, or one that is not sold any more.
        SlugTaken: by a tenant or by one that was purged.
    """
    plan = sold_plan(given["plan"])
    _check(given)
    tenant_id = tenant_id or new_id()
    with write("tenant.provision", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = _insert(tenant_id, plan, given)
        TenantFacts.objects.create(tenant=tenant, workspaces=0)
        StatusChange.objects.create(
            tenant=tenant,
            from_status=TenantStatus.PROVISIONING,
            to_status=tenant.status,
            actor_id=actor.id,
            reason=reason,
        )
        key = issue_key(tenant)
        # Neither company nor owner: what the trail holds outlives the tenant.
        w.changed(
            after={
                "slug": tenant.slug,
                "plan": plan.slug,
                "status": tenant.status,
                "is_test": tenant.is_test,
                "trial_ends_at": iso(tenant.trial_ends_at) if tenant.trial_ends_at else None,
            }
        )
        w.publish(events.PROVISIONED, tenant_id=str(tenant.id))
        w.touch(events.ATTRIBUTES_TOPIC)
    return Provisioned(tenant=tenant, api_key=key)


def sold_plan(id_or_slug: str) -> Plan:
    """A plan that tenants can be put on.

    Raises:
        PlanUnknown: no such plan, or a retired one.
    """
    plan = plans.find(id_or_slug)
    if plan is None or not plan.is_active:
        raise PlanUnknown(details={"plan": [PlanUnknown.message]})
    return plan


def _check(given: NewTenant) -> None:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(given["company_name"].strip()) <= 200:
        problems["company_name"] = ["Between 1 and 200 characters."]
    try:
        validate_email(given["owner_email"].strip())
    except ValidationError:
        problems["owner_email"] = ["An e-mail address."]
    if len(given["owner_email"]) > 254:
        problems["owner_email"] = ["At most 254 characters."]
    slug = given.get("slug")
    if slug is not None and not re.fullmatch(SLUG_PATTERN, slug):
        problems["slug"] = ["Lower-case letters, digits and inner hyphens, 1 or 3 to 63 characters."]
    if slug in RESERVED_SLUGS:
        problems["slug"] = ["This slug is reserved."]
    if not 0 <= (given.get("trial_days") or 0) <= 365:
        problems["trial_days"] = ["Between 0 and 365 days."]
    if not re.fullmatch(r"([A-Z]{2})?", given.get("country", "")):
        problems["country"] = ["Two capital letters (ISO 3166-1)."]
    if problems:
        raise TenantInvalid(details=problems)


def _insert(tenant_id: UUID, plan: Plan, given: NewTenant) -> Tenant:
    at = now()
    asked = given.get("trial_days")
    days = plan.trial_days if asked is None else asked
    version = PlanVersion.objects.get(plan=plan, version=plan.version)
    tenant = Tenant(
        id=tenant_id,
        slug=given.get("slug") or _free_slug(given["company_name"]),
        company_name=given["company_name"].strip(),
        owner_email=given["owner_email"].strip().lower(),
        status=TenantStatus.TRIAL if days else TenantStatus.ACTIVE,
        is_test=given.get("is_test", False),
        test_expires_at=given.get("test_expires_at"),
        plan=plan,
        plan_version=version,
        effective_plan=plan,
        effective_version=version.version,
        trial_ends_at=at + timedelta(days=days) if days else None,
        activated_at=None if days else at,
        country=given.get("country", ""),
        created_at=at,
        updated_at=at,
    )
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
    except IntegrityError as refused:
        if "slug" in str(refused):
            raise SlugTaken(details={"slug": [SlugTaken.message]}) from refused
        raise
    # Asked after the insert: had a purge been about to move the slug to its tombstone, the insert waited for it.
    if TenantTombstone.objects.filter(slug=tenant.slug).exists():
        raise SlugTaken(details={"slug": [SlugTaken.message]})
    return tenant


def _free_slug(company_name: str) -> str:
    """A slug from the name; with six random letters where that is taken, reserved, or empty."""
    wanted = slugify(company_name.replace("_", "-"))[:50].strip("-")
    taken = (
        not re.fullmatch(SLUG_PATTERN, wanted)
        or wanted in RESERVED_SLUGS
        or Tenant.objects.filter(slug=wanted).exists()
        or TenantTombstone.objects.filter(slug=wanted).exists()
    )
    return f"{wanted or 'tenant'}-{secrets.token_hex(3)}" if taken else wanted
