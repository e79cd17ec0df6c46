"""What tenants contribute to the home page."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from apps.backoffice import cells
from apps.backoffice.home import Bar, BarChart, Figure, Matter, Matters, Panel, home
from apps.backoffice.site import site
from apps.core import ids
from apps.core.access import Reach, reach
from apps.core.clock import now
from apps.core.principal import Principal
from apps.tenants.admin import looks
from apps.tenants.enums import PurgeStatus, TenantStatus
from apps.tenants.models import Purge, Tenant
from apps.tenants.querysets import visible_to

_SHOWN = 5
_ORDER = ["active", "trial", "suspended", "churned"]


def _counts(principal: Principal) -> dict[str, int]:
    """Tenants by the platform's words; test tenants count only for who sees nothing else."""
    rows = _own(principal).order_by().values_list("status").annotate(count=Count("id"))
    found = dict.fromkeys(_ORDER, 0)
    for status, count in rows:
        found[looks.word(status)] += count
    return found


def _own(principal: Principal) -> QuerySet[Tenant]:
    rows = visible_to(principal)
    return rows if reach(principal, "tenants.read") is Reach.TEST else rows.filter(is_test=False)


def figures(principal: Principal) -> list[Figure]:
    counted = _counts(principal)
    ending = _own(principal).filter(status=TenantStatus.TRIAL, trial_ends_at__lte=now() + timedelta(days=7))
    trials = ending.count()
    soon = (
        f"{trials:,} end{'s' if trials == 1 else ''} within a week" if trials else "none ends within a week"
    )
    return [
        Figure(
            _active(principal), counted["active"], f"of {sum(counted.values()):,} in all", _list("active")
        ),
        Figure("On trial", counted["trial"], soon, _list("trial")),
        Figure(
            "Suspended", counted["suspended"], "", _list("suspended"), "red" if counted["suspended"] else ""
        ),
        *_mrr(principal),
    ]


def _active(principal: Principal) -> str:
    return "Active test tenants" if reach(principal, "tenants.read") is Reach.TEST else "Paying tenants"


def _list(word: str) -> str:
    return site.list_url("tenants", f"status={word}")


def _mrr(principal: Principal) -> list[Figure]:
    """By currency; nothing is said while no tenant's MRR is known."""
    known = visible_to(principal).filter(is_test=False, facts__mrr__isnull=False)
    sums = known.order_by().values_list("facts__currency").annotate(sum=Sum("facts__mrr"), count=Count("id"))
    found: list[tuple[str, Decimal, int]] = [
        (currency or "", total, count) for currency, total, count in sums
    ]
    return [
        Figure(f"MRR, {currency}" if currency else "MRR", f"{total:,.0f}", f"of {cells.counted(count, 'tenant')}",
               site.list_url("tenants", "sort=-mrr"))
        for currency, total, count in sorted(found, key=lambda one: -one[1])[:2]
    ]  # fmt: skip


def by_status(principal: Principal) -> BarChart:
    counted = _counts(principal)
    bars = [Bar(word, counted[word], looks.TONES[word], _list(word)) for word in _ORDER]
    return BarChart("Tenants by status", bars, empty="There are no tenants yet.")


def trials_ending(principal: Principal) -> Matters:
    soon = now() + timedelta(days=7)
    rows = list(
        _own(principal)
        .filter(status=TenantStatus.TRIAL, trial_ends_at__lte=soon)
        .order_by("trial_ends_at")[: _SHOWN + 1]
    )
    matters = [_matter(tenant, principal, looks.until(tenant)) for tenant in rows[:_SHOWN]]
    return Matters("Trials ending", matters, "schedule", "orange", _list("trial"), more=len(rows) > _SHOWN)


def suspended(principal: Principal) -> Matters:
    rows = list(
        visible_to(principal).filter(status=TenantStatus.SUSPENDED).order_by("-suspended_at")[: _SHOWN + 1]
    )
    matters = [_matter(row, principal, cells.ago(row.suspended_at)) for row in rows[:_SHOWN]]
    return Matters(
        "Suspended tenants", matters, "pause_circle", "red", _list("suspended"), more=len(rows) > _SHOWN
    )


def tests_expiring(principal: Principal) -> Matters:
    soon = now() + timedelta(days=3)
    rows = list(
        visible_to(principal)
        .filter(Q(is_test=True) & Q(test_expires_at__lte=soon))
        .order_by("test_expires_at")[: _SHOWN + 1]
    )
    matters = [_matter(tenant, principal, cells.ago(tenant.test_expires_at)) for tenant in rows[:_SHOWN]]
    url = site.list_url("tenants", "kind=test")
    return Matters("Test tenants about to go", matters, "science", "blue", url, more=len(rows) > _SHOWN)


def purges_stuck(principal: Principal) -> Matters:
    """Removals that began over an hour ago: the sweeper sends them again, and they fail again."""
    begun = Purge.objects.filter(status=PurgeStatus.RUNNING, started_at__lte=now() - timedelta(hours=1))
    rows = list(begun.order_by("started_at")[: _SHOWN + 1])
    matters = [
        Matter(
            purge.slug,
            cells.ago(purge.started_at),
            site.link("purges", purge.public_id, principal)
            or site.link("tenants", ids.public(ids.TENANT, purge.tenant_id), principal)
            or "",
        )
        for purge in rows[:_SHOWN]
    ]
    url = site.list_url("jobs", "name=tenants.purge")
    return Matters("Purges that do not end", matters, "delete_history", "red", url, more=len(rows) > _SHOWN)


def _matter(tenant: Tenant, principal: Principal, detail: cells.Cell) -> Matter:
    return Matter(tenant.company_name, detail, site.link("tenants", tenant.public_id, principal) or "")


def install() -> None:
    """Called once, when the sections are loaded."""
    home.figures.append(Panel("tenants", "tenants.read", figures, order=10))
    home.charts.append(Panel("tenants-by-status", "tenants.read", by_status, order=10))
    home.matters.append(Panel("purges", "jobs.read", purges_stuck, order=15))
    home.matters.append(Panel("trials", "tenants.read", trials_ending, order=20))
    home.matters.append(Panel("suspended-tenants", "tenants.read", suspended, order=30))
    home.matters.append(Panel("test-tenants", "tenants.create_test", tests_expiring, order=60))
