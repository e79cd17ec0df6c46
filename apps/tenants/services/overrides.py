"""What an operator decides against subscription and plan. One of a kind stands at a time; a new one replaces it."""

from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.principal import Principal
from apps.core.statements import Columns, Insertion, Statement
from apps.core.write import Write, write
from apps.plans.models import Plan
from apps.tenants import events
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import NotOnTrial, OverrideInvalid, PlanUnknown
from apps.tenants.facts import settle_plan
from apps.tenants.models import BillingOverride, PlanOverride, Tenant
from apps.tenants.services.provisioning import sold_plan
from apps.tenants.services.rows import hold, keep, target_of
from apps.tenants.terms import (
    BillingTerms,
    PlanTerms,
    billing_problems,
    billing_terms,
    last_day,
    plan_problems,
    plan_terms,
)

_BATCH = 200
_PLAN_COLUMNS = Columns(o=PlanOverride)
_BILLING_COLUMNS = Columns(o=BillingOverride)
_LIFTED = "SET lifted_at = %s, lifted_by = %s WHERE tenant_id = %s AND lifted_at IS NULL RETURNING {columns}"
_LIFT_PLAN = Statement("UPDATE tenants_plan_override o " + _LIFTED, _PLAN_COLUMNS)
_LIFT_BILLING = Statement("UPDATE tenants_billing_override o " + _LIFTED, _BILLING_COLUMNS)
_ADD_PLAN, _ADD_BILLING = Insertion(PlanOverride), Insertion(BillingOverride)


class OverrideChanges(TypedDict, total=False):
    """A kind left out stays as it is; None lifts it."""

    plan_override: PlanTerms | None
    billing_override: BillingTerms | None


def change_overrides(
    *, actor: Principal, tenant_id: UUID, if_match: int | None = None, **changes: Unpack[OverrideChanges]
) -> Tenant:
    """Sets or lifts both kinds as one act with one audit row.

    Raises:
        OverrideInvalid: nothing to change, or a field is wrong; `details` by field (`plan_override.limits.…`).
        NotOnTrial: an extended trial for a cancelled tenant.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    if not changes:
        raise OverrideInvalid("Name plan_override, billing_override, or both.")
    given = [terms for terms in (changes.get("billing_override"), changes.get("plan_override")) if terms]
    reason = next((terms.reason for terms in given if terms.reason), "")
    with write("tenant.override", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        if "plan_override" in changes:
            _change_plan(w, tenant, changes["plan_override"], actor)
        if "billing_override" in changes:
            _change_billing(w, tenant, changes["billing_override"], actor)
    return tenant


def override_plan(
    *, actor: Principal, tenant_id: UUID, terms: PlanTerms, if_match: int | None = None
) -> Tenant:
    """Puts plan, price or limits of a tenant in an operator's hand; the override in force before is lifted.

    Raises:
        OverrideInvalid: see `change_overrides`.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.override_plan", actor=actor, target=target_of(tenant_id), reason=terms.reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        _change_plan(w, tenant, terms, actor)
    return tenant


def lift_plan_override(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Gives plan, price and limits back to subscription and plan; where none stands nothing changes.

    Raises:
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.lift_plan_override", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        _change_plan(w, tenant, None, actor)
    return tenant


def override_billing(
    *, actor: Principal, tenant_id: UUID, terms: BillingTerms, if_match: int | None = None
) -> Tenant:
    """Puts a tenant's way of paying in an operator's hand; the override in force before is lifted.

    An extended trial moves the end of the trial, also of a tenant that pays already: until then it does not.

    Raises:
        OverrideInvalid: see `change_overrides`.
        NotOnTrial: an extended trial for a cancelled tenant.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.override_billing", actor=actor, target=target_of(tenant_id), reason=terms.reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        _change_billing(w, tenant, terms, actor)
    return tenant


def lift_billing_override(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Gives the way of paying back to the subscription; an extended trial ends when it would have without.

    Raises:
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.lift_billing_override", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        _change_billing(w, tenant, None, actor)
    return tenant


def end_overrides(*, actor: Principal) -> int:
    """Lifts what has reached its end; how many. Each is a write of its own: killed half-way, the rest comes next."""
    at = now()
    ended = 0
    for kind, lift in (
        (PlanOverride, lift_plan_override),
        (BillingOverride, lift_billing_override),
    ):
        due = kind.objects.filter(lifted_at__isnull=True, ends_at__lte=at).order_by("ends_at")
        for tenant_id in list(due.values_list("tenant_id", flat=True)[:_BATCH]):
            lift(actor=actor, tenant_id=tenant_id, reason="It has reached its end.")
            ended += 1
    return ended


def _change_plan(w: Write, tenant: Tenant, terms: PlanTerms | None, actor: Principal) -> None:
    """Inside a write, the tenant held: lifts what stands, and puts the terms there (None: nothing)."""
    plan = _plan_of(terms) if terms is not None else None
    before = _lift(_LIFT_PLAN, _PLAN_COLUMNS, tenant, actor)
    after = None
    if terms is not None:
        after = PlanOverride(
            id=new_id(),
            tenant=tenant,
            plan=plan,
            custom_pricing=terms.price_monthly is not None,
            price_monthly=terms.price_monthly,
            limits=dict(terms.limits),
            actor_id=actor.id,
            reason=terms.reason,
            effective_at=now(),
            ends_at=terms.ends_at,
            created_at=now(),
        )
        _ADD_PLAN.add(after)
    w.changed(before={"plan_override": plan_terms(before)}, after={"plan_override": plan_terms(after)})
    if before is not None or after is not None:
        _plan_terms_changed(w, tenant)


def _plan_of(terms: PlanTerms) -> Plan | None:
    """The plan that the terms name.

    Raises:
        OverrideInvalid: there is no such plan on sale, or another field is wrong.
    """
    problems = plan_problems(terms)
    plan = None
    if terms.plan is not None:
        try:
            plan = sold_plan(terms.plan)
        except PlanUnknown as unknown:
            problems["plan_override.plan_id"] = [unknown.message]
    if problems:
        raise OverrideInvalid(details=problems)
    return plan


def _change_billing(w: Write, tenant: Tenant, terms: BillingTerms | None, actor: Principal) -> None:
    """As `_change_plan`."""
    problems = billing_problems(terms) if terms is not None else {}
    if problems:
        raise OverrideInvalid(details=problems)
    before = _lift(_LIFT_BILLING, _BILLING_COLUMNS, tenant, actor)
    _give_trial_back(tenant, before)
    after = None
    if terms is not None:
        ends = terms.trial_ends_at
        after = BillingOverride(
            id=new_id(),
            tenant=tenant,
            type=terms.type,
            trial_end_date=last_day(ends) if ends else None,
            previous_trial_ends_at=tenant.trial_ends_at if ends else None,
            cycle=terms.cycle or "",
            method=terms.method or "",
            actor_id=actor.id,
            reason=terms.reason,
            effective_at=now(),
            ends_at=terms.ends_at,
            created_at=now(),
        )
        _ADD_BILLING.add(after)
        if ends is not None:
            _extend_trial(tenant, ends)
    w.changed(
        before={"billing_override": billing_terms(before)}, after={"billing_override": billing_terms(after)}
    )
    if before is not None or after is not None:
        _billing_terms_changed(w, tenant)


def _lift(statement: Statement, columns: Columns, tenant: Tenant, actor: Principal) -> Any:
    """What stood until now, if anything did."""
    row = statement.row(now(), actor.id, tenant.id)
    return columns.read(row)[0] if row is not None else None


def _plan_terms_changed(w: Write, tenant: Tenant) -> None:
    if settle_plan(tenant):
        # Only then: a topic is one row, and every write that raises it waits for the one before to commit.
        w.touch(events.ATTRIBUTES_TOPIC)
    keep(tenant)
    w.publish(events.TERMS_CHANGED, tenant_id=str(tenant.id))


def _billing_terms_changed(w: Write, tenant: Tenant) -> None:
    keep(tenant, "trial_ends_at")
    w.publish(events.TERMS_CHANGED, tenant_id=str(tenant.id))


def _extend_trial(tenant: Tenant, ends: datetime) -> None:
    if tenant.status == TenantStatus.CANCELLED:
        raise NotOnTrial
    if tenant.trial_ends_at is not None and ends <= tenant.trial_ends_at:
        raise OverrideInvalid(
            details={"billing_override.trial_end_date": ["Later than the trial ends already."]}
        )
    tenant.trial_ends_at = ends


def _give_trial_back(tenant: Tenant, lifted: BillingOverride | None) -> None:
    """Undoes an extended trial, unless the end was moved again since."""
    if lifted is None or lifted.trial_end_date is None or tenant.trial_ends_at is None:
        return
    if last_day(tenant.trial_ends_at) == lifted.trial_end_date:
        tenant.trial_ends_at = lifted.previous_trial_ends_at
