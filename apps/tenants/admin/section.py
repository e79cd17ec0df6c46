"""Tenants: the list, and one page for each."""

from collections.abc import Sequence
from typing import Any, ClassVar

from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_tenant
from apps.backoffice import cells
from apps.backoffice.dialogs import Dialog
from apps.backoffice.listing import Column, Filter, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.principal import Principal
from apps.plans.models import Plan
from apps.tenants import lifecycle, selectors
from apps.tenants.admin import looks, overrides, pages, status
from apps.tenants.models import Tenant
from apps.tenants.querysets import visible_to

_FACTS = {"facts__isnull": False}


def _status(tenant: Tenant, _seen: Seen) -> cells.Cell:
    return cells.badges(looks.badges(tenant))


def _owner(tenant: Tenant, seen: Seen) -> cells.Cell:
    return seen.email(tenant.owner_email)


def _plan(tenant: Tenant, _seen: Seen) -> cells.Cell:
    return tenant.effective_plan.name


def _mrr(tenant: Tenant, _seen: Seen) -> cells.Cell:
    return cells.money(tenant.facts.mrr, tenant.facts.currency)


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(status__in=lifecycle.stored(looks.SURFACE, value))


def _statuses(_seen: Seen) -> list[tuple[str, str]]:
    return [(word, word) for word in lifecycle.words(looks.SURFACE)]


def _by_plan(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(effective_plan__slug=value)


def _plans(_seen: Seen) -> list[tuple[str, str]]:
    return list(Plan.objects.order_by("price_monthly", "slug").values_list("slug", "name"))


def _by_kind(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(is_test=value == "test")


@site.section
class TenantAdmin(ModelAdmin):
    """Customers and test tenants."""

    model = Tenant
    path: ClassVar[str] = "tenants"
    prefix: ClassVar[str] = ids.TENANT
    permission: ClassVar[str] = "tenants.read"
    title: ClassVar[str] = "Tenants"
    singular: ClassVar[str] = "tenant"
    icon: ClassVar[str] = "apartment"
    group: ClassVar[str] = "Customers"
    order: ClassVar[int] = 30
    search_hint: ClassVar[str] = "Company, owner's e-mail, slug or id"
    search_hint_masked: ClassVar[str] = "Company, whole e-mail, slug or id"
    blank: ClassVar[str] = "No tenants yet. Create a test tenant to look around."
    columns: ClassVar[Sequence[Column]] = [
        Column("id", "Id", lambda tenant, _seen: cells.ident(tenant.public_id), kind="id"),
        Column(
            "company",
            "Company",
            lambda tenant, _seen: tenant.company_name,
            order=by("company_name"),
            kind="name",
        ),
        Column("owner", "Owner", _owner),
        Column("plan", "Plan", _plan),
        Column("mrr", "MRR", _mrr, kind="number", order=by("facts__mrr", key="facts__tenant_id", nulls_last=True,
                                                          where=_FACTS)),
        Column("workspaces", "Workspaces", lambda tenant, _seen: cells.number(tenant.facts.workspaces), kind="number"),
        Column("users", "Users", lambda tenant, _seen: cells.number(tenant.facts.members), kind="number",
               order=by("facts__members", key="facts__tenant_id", nulls_last=True, where=_FACTS)),
        Column("status", "Status", _status),
        Column("created", "Created", lambda tenant, _seen: cells.day(tenant.created_at), kind="when",
               order=by("created_at")),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("status", "Status", _by_status, choices=_statuses),
        Filter("plan", "Plan", _by_plan, choices=_plans),
        Filter(
            "kind", "Kind", _by_kind, choices=lambda _seen: [("real", "customers"), ("test", "test tenants")]
        ),
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [status.CreateTest()]
    dialogs: ClassVar[Sequence[Dialog]] = [
        overrides.OverridePlan(),
        overrides.OverrideBilling(),
        status.Activate(),
        status.Reinstate(),
        status.Suspend(),
        overrides.LiftPlan(),
        overrides.LiftBilling(),
        status.Cancel(),
        status.ExportTenant(),
        status.StartPurge(),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Status", pages.overview, order=10),
        Tab("plan", "Plan and limits", pages.plan_and_limits, order=20),
        Tab("usage", "Usage", pages.usage, order=30),
        Tab("workspaces", "Workspaces", pages.workspaces, order=50),
        Tab("keys", "Keys", pages.keys, order=60),
        timeline_tab(lambda tenant: entries_of_tenant(tenant.id), permission="tenants.read"),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal, permission)

    def listed(self, principal: Principal) -> Rows:
        return self.paged(principal, self.permission)

    def paged(self, principal: Principal, permission: str) -> Rows:
        return self.rows(principal, permission).select_related("effective_plan", "facts", "plan")

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        found = selectors.tenants(seen.principal, permission=seen.permission, search=term)
        by_slug = visible_to(seen.principal, seen.permission).filter(slug=term.lower())
        return rows.filter(id__in=found.order_by().values("id").union(by_slug.order_by().values("id")))

    def tone(self, row: Any) -> str:
        return looks.status(row)[1]

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        plan = row.effective_plan.name
        line = ", ".join(filter(None, [row.slug, plan, looks.until(row)]))
        return Heading(row.company_name, public_id=row.public_id, badges=looks.badges(row), line=line)
