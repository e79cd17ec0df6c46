"""The catalogue: what can be sold, what it grants, and how that changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_resource
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Row, Table
from apps.backoffice.dialogs import Dialog
from apps.backoffice.listing import Column, Filter, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.money import Money
from apps.core.principal import Principal
from apps.plans import selectors, subscribers
from apps.plans.admin.dialogs import EditLimits, EditTerms, newest
from apps.plans.admin.words import label
from apps.plans.limits import CAPABILITIES, FEATURES, LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.querysets import visible_to


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan with how many tenants live by it; None: nobody can say yet."""

    plan: Plan
    subscribers: int | None


def _price(listed: Listed, yearly: bool) -> cells.Cell:
    plan = listed.plan
    amount = plan.price_yearly if yearly else plan.price_monthly
    return cells.money(Money(plan.currency, amount).major, plan.currency)


def _state(plan: Plan) -> tuple[str, str]:
    return ("sold", "green") if plan.is_active else ("retired", "grey")


def _limit(value: int | None) -> str:
    return "unlimited" if value is None else f"{value:,}"


def _overview(plan: Plan, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    version = newest(plan)
    counted = subscribers.counts([plan.id])
    monthly, yearly = plan.monthly, Money(plan.currency, plan.price_yearly)
    facts = [
        Fact("Sold", cells.badge(*_state(plan))),
        Fact("Price a month", cells.money(monthly.major, plan.currency)),
        Fact("Price a year", cells.money(yearly.major, plan.currency)),
        Fact("Trial", f"{plan.trial_days} days" if plan.trial_days else "none"),
        Fact("Stripe product", _stripe(plan)),
        Fact("Tenants", _tenants(plan, counted.get(plan.id, 0) if counted is not None else None, seen)),
        Fact("Description", cells.or_nothing(plan.description)),
        Fact("Changed", cells.instant(plan.updated_at)),
    ]
    granted = [Fact(label(key), cells.badge("yes", "green") if version.features.get(key) else "no", note)
               for key, note in FEATURES.items()]  # fmt: skip
    held = [Fact(key, cells.badge("yes", "green") if key in version.capabilities else "no", note)
            for key, note in CAPABILITIES.items()]  # fmt: skip
    limits = [Row([label(limit.meter), _limit(version.limit(key)), limit.unit, limit.description])
              for key, limit in LIMITS.items()]  # fmt: skip
    heads = [("Limit", "text"), ("At most", "number"), ("Unit", "text"), ("What is counted", "text")]
    return [
        Facts("Terms", facts),
        Facts("Features", granted),
        Table(f"Limits, version {version.version}", heads, limits, ""),
        Facts("Capabilities", held, wide=True),
    ]


def _stripe(plan: Plan) -> cells.Cell:
    if plan.stripe_product_id is None:
        return cells.NOTHING
    return cells.link(
        f"https://dashboard.stripe.com/products/{plan.stripe_product_id}", plan.stripe_product_id
    )


def _tenants(plan: Plan, count: int | None, seen: Seen) -> cells.Cell:
    shown = cells.number(count)
    may = bool(count) and seen.may("tenants.read")
    return cells.link(site.list_url("tenants", f"plan={plan.slug}") or None, shown) if may else shown


def _versions(plan: Plan, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    del seen
    versions = list(PlanVersion.objects.filter(plan=plan).order_by("-version"))
    rows = [
        Row([_version(plan, version), cells.instant(version.created_at), _difference(version, older)])
        for version, older in zip(versions, [*versions[1:], None], strict=True)
    ]
    heads = [("Version", "text"), ("Since", "text"), ("Against the one before", "wrap")]
    return [
        Table("Versions", heads, rows, "", note="What a version grants is never changed once it was written")
    ]


def _version(plan: Plan, version: PlanVersion) -> cells.Cell:
    if version.version == plan.version:
        return cells.badges([(f"v{version.version}", "plain"), ("newest", "teal")])
    kept = version.version >= plan.minimum_version
    return cells.badges(
        [(f"v{version.version}", "plain"), *([("kept by its subscribers", "blue")] if kept else [])]
    )


def _difference(version: PlanVersion, older: PlanVersion | None) -> str:
    if older is None:
        return "The first one."
    said = [
        f"{label(limit.meter)}: {_limit(older.limit(key))} → {_limit(version.limit(key))}"
        for key, limit in LIMITS.items()
        if older.limit(key) != version.limit(key)
    ]
    said += [
        f"{label(key)}: {'on' if version.features.get(key) else 'off'}"
        for key in FEATURES
        if bool(older.features.get(key)) != bool(version.features.get(key))
    ]
    said += [f"+ {key}" for key in sorted({*version.capabilities} - {*older.capabilities})]
    said += [f"− {key}" for key in sorted({*older.capabilities} - {*version.capabilities})]
    return ", ".join(said) or "No difference."


def _only_sold(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(is_active=value == "sold")


@site.section
class PlanAdmin(ModelAdmin):
    """Plans; limits and features change by versions."""

    model = Plan
    path: ClassVar[str] = "plans"
    prefix: ClassVar[str] = ids.PLAN
    permission: ClassVar[str] = "plans.read"
    title: ClassVar[str] = "Plans"
    singular: ClassVar[str] = "plan"
    icon: ClassVar[str] = "deployed_code"
    group: ClassVar[str] = "Customers"
    order: ClassVar[int] = 40
    search_hint: ClassVar[str] = "Name, slug or id"
    blank: ClassVar[str] = "The catalogue is empty: manage.py migrate seeds it."
    default_sort: ClassVar[str] = "monthly"
    columns: ClassVar[Sequence[Column]] = [
        Column("name", "Name", lambda listed, _seen: listed.plan.name, order=by("name")),
        Column("slug", "Slug", lambda listed, _seen: listed.plan.slug, order=by("slug")),
        Column(
            "monthly", "Month", lambda listed, _seen: _price(listed, False), order=by("price_monthly"), kind="number"
        ),
        Column("yearly", "Year", lambda listed, _seen: _price(listed, True), order=by("price_yearly"), kind="number"),
        Column("trial", "Trial", lambda listed, _seen: f"{listed.plan.trial_days} d" if listed.plan.trial_days else
               cells.NOTHING, kind="number"),
        Column("stripe", "Stripe product", lambda listed, _seen: _stripe(listed.plan)),
        Column("sold", "Sold", lambda listed, _seen: cells.badge(*_state(listed.plan))),
        Column("version", "Version", lambda listed, _seen: f"v{listed.plan.version}", kind="number"),
        Column(
            "subscribers",
            "Tenants",
            lambda listed, seen: _tenants(listed.plan, listed.subscribers, seen),
            kind="number",
        ),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("sold", "Sold", _only_sold, choices=lambda _seen: [("sold", "sold"), ("retired", "retired")]),
    ]
    dialogs: ClassVar[Sequence[Dialog]] = [EditTerms(), EditLimits()]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Terms and limits", _overview, order=10),
        Tab("versions", "Versions", _versions, order=20),
        timeline_tab(lambda plan: entries_of_resource("plan", plan.public_id), permission="plans.read"),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal, permission)

    def prepare(self, rows: list[Any]) -> Sequence[Any]:
        counted = subscribers.counts([plan.id for plan in rows])
        return [Listed(plan, counted.get(plan.id, 0) if counted is not None else None) for plan in rows]

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        found: Rows = selectors.plans(seen.principal, search=term)
        return rows & found

    def public_id(self, row: Any) -> str:
        plan: Plan = row.plan if isinstance(row, Listed) else row
        return plan.public_id

    def tone(self, row: Any) -> str:
        return "" if row.plan.is_active else "grey"

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        badges = [_state(row), (f"v{row.version}", "plain")]
        return Heading(row.name, public_id=row.public_id, badges=badges, line=row.slug)
