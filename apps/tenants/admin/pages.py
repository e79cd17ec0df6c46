"""The tabs of a tenant's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Meter, Meters, Note, Row, Table
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.clock import now
from apps.plans.admin.words import label
from apps.plans.limits import CAPABILITIES, FEATURES, LIMITS
from apps.tenants.admin import looks
from apps.tenants.effective import Effective, Figure, Origin, effective_of
from apps.tenants.enums import PurgeStatus, TenantStatus
from apps.tenants.models import (
    BillingOverride,
    PlanOverride,
    Purge,
    StatusChange,
    Tenant,
    TenantKey,
    Workspace,
)
from apps.tenants.subscribers import usage_of

_SHOWN = 200
_ORIGINS: dict[Origin, tuple[str, str]] = {
    Origin.OVERRIDE: ("override", "orange"),
    Origin.SUBSCRIPTION: ("subscription", "blue"),
    Origin.PLAN: ("plan", "plain"),
}


def origin(value: Origin) -> cells.Cell:
    return cells.badge(*_ORIGINS.get(value, (str(value), "plain")))


# --- status ---


def overview(tenant: Tenant, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    facts = tenant.facts
    who = [
        Fact("Owner", seen.email(tenant.owner_email)),
        Fact("Slug", tenant.slug),
        Fact("Country", cells.or_nothing(tenant.country)),
        Fact("Tags", cells.words(tenant.tags)),
        Fact("Plan", _plan_link(tenant, seen)),
        Fact("MRR", cells.money(facts.mrr, facts.currency)),
        Fact("Users", cells.number(facts.members)),
        Fact("Workspaces", cells.number(facts.workspaces)),
    ]
    when = [
        Fact("Status", cells.badges(looks.badges(tenant)), looks.until(tenant)),
        Fact("Created", cells.instant(tenant.created_at)),
        Fact("Trial ends", cells.instant(tenant.trial_ends_at)),
        Fact("Active since", cells.instant(tenant.activated_at)),
        Fact("Suspended", cells.instant(tenant.suspended_at), f"from {tenant.suspended_from}" if
             tenant.suspended_from else ""),
        Fact("Cancelled", cells.instant(tenant.cancelled_at)),
        Fact("Tokens valid after", cells.instant(tenant.tokens_valid_after)),
        *([Fact("Test tenant until", cells.instant(tenant.test_expires_at))] if tenant.is_test else []),
    ]  # fmt: skip
    notes = [Note(text, tone, icon) for text, tone, icon in _notices(tenant)]
    return [*notes, Facts("Life", when), Facts("Who it is", who), _history(tenant, seen)]


def _plan_link(tenant: Tenant, seen: Seen) -> cells.Cell:
    plan = tenant.effective_plan
    return cells.link(site.link("plans", plan.public_id, seen.principal), plan.name)


def _notices(tenant: Tenant) -> list[tuple[str, str, str]]:
    purge = Purge.objects.filter(tenant_id=tenant.id, status=PurgeStatus.RUNNING).first()
    if purge is not None:
        done = ", ".join(f"{store} {count:,}" for store, count in purge.removed.items())
        return [(f"It is being removed. Emptied so far: {done or 'nothing yet'}.", "red", "delete_forever")]
    if tenant.status == TenantStatus.SUSPENDED:
        sentence = (
            "Suspended: its sessions and tokens are void, and its keys are refused until it is reinstated."
        )
        return [(sentence, "red", "pause_circle")]
    if tenant.status == TenantStatus.TRIAL and tenant.trial_ends_at and tenant.trial_ends_at <= now():
        return [
            (
                "The trial has ended. Activate the tenant, extend the trial, or cancel it.",
                "orange",
                "schedule",
            )
        ]
    if tenant.status == TenantStatus.CANCELLED:
        return [
            ("Churned: keys have expired, data are kept until the retention is over.", "grey", "inventory_2")
        ]
    return []


def _history(tenant: Tenant, seen: Seen) -> Table:
    rows = [
        Row([
            cells.instant(change.at),
            cells.badges([_word(change.from_status)]),
            cells.badges([_word(change.to_status)]),
            cells.or_nothing(seen.text(change.reason)),
            site.actor(change.actor_id, seen),
        ])
        for change in StatusChange.objects.filter(tenant=tenant).order_by("-at", "-id")[:_SHOWN]
    ]  # fmt: skip
    heads = [("When (UTC)", "text"), ("From", "text"), ("To", "text"), ("Reason", "wrap"), ("By", "text")]
    return Table("History of its status", heads, rows, "Its status has never changed.")


def _word(status: str) -> tuple[str, str]:
    if status == TenantStatus.PROVISIONING:
        return "provisioning", "violet"
    return looks.word(status), looks.TONES[looks.word(status)]


# --- plan and limits ---


def plan_and_limits(tenant: Tenant, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    has = effective_of(tenant)
    plan = [
        Fact("Plan", cells.link(site.link("plans", has.plan.public_id, seen.principal), has.plan.name),
             origin(has.origin)),
        Fact("Version", f"v{has.version}", "newest" if has.version == has.plan.version else
             f"the newest is v{has.plan.version}"),
        Fact("Price a month", cells.money(has.price_monthly, has.currency), origin(has.price_origin)),
        Fact("Given at the start", tenant.plan.name),
        Fact("Subscription", _subscription(tenant)),
    ]  # fmt: skip
    return [
        Facts("Plan in force", plan),
        Facts("Overrides in force", _standing(has, seen)),
        _limits(tenant, has),
        Facts("Features and capabilities", _granted(has), wide=True),
        _past(tenant, seen),
    ]


def _subscription(tenant: Tenant) -> cells.Cell:
    fact = tenant.facts.subscription
    if not fact:
        return cells.NOTHING
    return cells.paired(str(fact.get("status", "")), str(fact.get("id", "")))


def _standing(has: Effective, seen: Seen) -> list[Fact]:
    if has.plan_override is None and has.billing_override is None:
        return [Fact("None", "Plan, price, limits and billing are as subscription and plan say.")]
    facts = []
    for name, override in (("Plan", has.plan_override), ("Billing", has.billing_override)):
        if override is None:
            continue
        until = f"until {override.ends_at:%Y-%m-%d}" if override.ends_at else "until it is lifted"
        facts += [
            Fact(name, says(override), until),
            Fact("Reason", cells.or_nothing(seen.text(override.reason))),
            Fact(
                "Since",
                cells.instant(override.effective_at),
                _by(override.actor_id, seen),
            ),
        ]
    return facts


def _by(actor_id: str, seen: Seen) -> cells.Cell:
    return cells.paired("by", site.actor(actor_id, seen))


def says(override: PlanOverride | BillingOverride) -> str:
    """What an override says, in a few words."""
    if isinstance(override, BillingOverride):
        own = override.trial_end_date or override.cycle or override.method
        return f"{override.get_type_display()}{f': {own}' if own else ''}"
    parts = [override.plan.name] if override.plan else []
    if override.price_monthly is not None:
        parts.append(f"{override.price_monthly:,.2f} a month")
    parts += [
        f"{label(LIMITS[key].meter) if key in LIMITS else key} {_bound(value)}"
        for key, value in override.limits.items()
    ]
    return ", ".join(parts)


def _bound(value: int | None) -> str:
    return "unlimited" if value is None else f"{value:,}"


def _limits(tenant: Tenant, has: Effective) -> Table:
    used = usage_of(tenant.facts)
    rows = [_limit_row(key, figure, used[LIMITS[key].meter]) for key, figure in has.limits.items()]
    heads = [
        ("Limit", "text"),
        ("At most", "number"),
        ("Comes from", "text"),
        ("Used", "number"),
        ("Unit", "text"),
    ]
    return Table("Limits in force", heads, rows, "This plan bounds nothing.")


def _limit_row(key: str, figure: Figure, used: Any) -> Row:
    limit = LIMITS[key]
    over = used is not None and figure.value is not None and used > figure.value
    name = label(limit.meter)
    cells_ = [name, _bound(figure.value), origin(figure.origin), cells.number(used), limit.unit]
    return Row(cells_, tone="red" if over else "")


def _granted(has: Effective) -> list[Fact]:
    on = [label(name) for name in FEATURES if has.features.get(name)]
    return [
        Fact("Features", cells.words(on), f"of {len(FEATURES)}"),
        Fact("Capabilities", cells.words(has.capabilities), f"of {len(CAPABILITIES)}"),
    ]


def _past(tenant: Tenant, seen: Seen) -> Table:
    kinds: Sequence[tuple[str, list[Any]]] = [
        ("plan", list(PlanOverride.objects.filter(tenant=tenant).select_related("plan")[:_SHOWN])),
        ("billing", list(BillingOverride.objects.filter(tenant=tenant)[:_SHOWN])),
    ]
    found = [(kind, override) for kind, overrides in kinds for override in overrides]
    found.sort(key=lambda pair: pair[1].effective_at, reverse=True)
    rows = [
        Row([
            cells.instant(override.effective_at),
            kind,
            says(override),
            cells.or_nothing(seen.text(override.reason)),
            cells.instant(override.lifted_at) if override.lifted_at else cells.badge("in force", "orange"),
        ])
        for kind, override in found
    ]  # fmt: skip
    heads = [
        ("Since (UTC)", "text"),
        ("Kind", "text"),
        ("What", "wrap"),
        ("Reason", "wrap"),
        ("Lifted", "text"),
    ]
    return Table("All overrides", heads, rows, "Nobody has overridden anything.")


# --- usage, workspaces, keys ---


def usage(tenant: Tenant, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    has, used = effective_of(tenant), usage_of(tenant.facts)
    meters = [
        Meter(
            label=label(LIMITS[key].meter),
            used=used[LIMITS[key].meter],
            limit=figure.value,
            note=_ORIGINS[figure.origin][0] if figure.origin is Origin.OVERRIDE else "",
        )
        for key, figure in has.limits.items()
    ]
    return [
        Meters("Usage against limits", meters, note=f"As of {tenant.facts.updated_at:%Y-%m-%d %H:%M} UTC")
    ]


def workspaces(tenant: Tenant, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    tones = {"active": "green", "suspended": "red", "provisioning": "violet", "deactivated": "grey"}
    rows = [
        Row([
            cells.whole_id(workspace.public_id),
            workspace.display_name,
            workspace.slug,
            workspace.environment,
            cells.badge(workspace.status, tones.get(workspace.status, "grey")),
            cells.words(workspace.capabilities),
            cells.day(workspace.created_at),
        ])
        for workspace in Workspace.objects.filter(tenant=tenant).order_by("-created_at", "-id")[:_SHOWN]
    ]  # fmt: skip
    heads = [("Id", "id"), ("Name", "text"), ("Slug", "text"), ("Environment", "text"), ("Status", "text"),
             ("Capabilities", "wrap"), ("Created", "text")]  # fmt: skip
    return [Table("Workspaces", heads, rows, "It has no workspace yet.")]


def keys(tenant: Tenant, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    rows = [
        Row(
            [
                key.masked,
                cells.badge("expired", "grey") if key.expired_at else cells.badge("in force", "green"),
                cells.instant(key.created_at),
                cells.ago(key.last_used_at),
                cells.instant(key.expired_at),
            ]
        )
        for key in TenantKey.objects.filter(tenant=tenant).order_by("-created_at")[:_SHOWN]
    ]
    heads = [
        ("Key", "text"),
        ("State", "text"),
        ("Issued", "text"),
        ("Last used", "text"),
        ("Expired", "text"),
    ]
    return [
        Table(
            "API keys", heads, rows, "It has no key.", note="A key is shown in clear once, when it is issued"
        )
    ]
