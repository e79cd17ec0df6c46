"""Tenants: found by what an operator types, and what each of them gets."""

import time
from collections.abc import Iterable, Mapping
from uuid import UUID

from django import forms
from django.utils.html import format_html

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Note, Row, Table
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core import ids
from apps.core.clock import now
from apps.core.principal import Principal
from apps.flags import selectors
from apps.flags.admin import words
from apps.flags.engine import Decision
from apps.flags.errors import FlagsUnavailable
from apps.flags.models import TenantOverride
from apps.flags.snapshot import holder
from apps.tenants import selectors as directory
from apps.tenants.models import Tenant
from apps.tenants.querysets import visible_to

SHOWN = 6


def matching(principal: Principal, term: str, *, permission: str) -> list[Tenant]:
    """Tenants by id, by slug, or by a part of the company's name; at most `SHOWN`."""
    term = term.strip()[:200].replace("\0", "")
    if not term:
        return []
    rows = visible_to(principal, permission)
    known = ids.parse_or_none(ids.TENANT, term)
    exact = list(rows.filter(id=known) if known else rows.filter(slug=term.lower()))
    if exact or known:
        return exact
    found = directory.tenants(principal, permission=permission, search=term)
    return list(found.order_by("company_name", "id")[:SHOWN])


def the_one(principal: Principal, term: str, *, permission: str) -> Tenant:
    """The tenant that was meant.

    Raises:
        ValidationError: there is none, or several; names them.
    """
    found = matching(principal, term, permission=permission)
    if not found:
        raise forms.ValidationError("No tenant has this id, slug or name.")
    if len(found) > 1:
        named = ", ".join(f"{each.company_name} ({each.slug})" for each in found[: SHOWN - 1])
        raise forms.ValidationError(f"Several match: {named}. Type the slug of one.")
    return found[0]


def cell(tenant_id: UUID, name: str, seen: Seen) -> cells.Cell:
    """The company's name, leading to its page."""
    public_id = ids.public(ids.TENANT, tenant_id)
    return cells.link(site.link("tenants", public_id, seen.principal), name or cells.ident(public_id))


def companies(tenant_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What tenants are called; one query."""
    return dict(Tenant.objects.filter(id__in=set(tenant_ids)).values_list("id", "company_name"))


def decided(decision: Decision) -> cells.Cell:
    """What it comes to: green where it is on; the value of what is no boolean."""
    tone = "green" if decision.enabled else "grey"
    if isinstance(decision.value, bool):
        return cells.badge(decision.variation, tone)
    return cells.noted(cells.badge(decision.variation, tone), words.value(decision.value))


def why(decision: Decision) -> str:
    told = words.REASONS[decision.reason]
    if decision.rule is None:
        return told
    return f"rule {decision.rule + 1}{f' ({decision.rule_name})' if decision.rule_name else ''} matched"


def until(row: TenantOverride) -> cells.Cell:
    """When an override ends."""
    if row.expires_at is None:
        return "until it is removed"
    return cells.badge("ended", "grey") if row.expires_at <= now() else cells.ago(row.expires_at)


def flags_tab(tenant: Tenant, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """The tab on a tenant's page: every live flag as this tenant gets it, and why."""
    flags = list(selectors.live_flags())
    try:
        snapshot = holder.current_with(flag.key for flag in flags)
    except FlagsUnavailable:
        return [Note("The flags can't be read now: PostgreSQL does not answer.", "orange", "warning")]
    at = time.time()
    given = {row.flag_id: row for row in selectors.overrides_of_tenant(tenant.id)}
    rows = []
    for flag in flags:
        decision = snapshot.evaluate(flag.key, tenant.public_id, {}, at=at)
        if decision is None:
            continue
        row = given.get(flag.pk)
        because: cells.Cell = why(decision)
        if row is None and snapshot.depends_on_context(flag.key):
            because = cells.noted(because, "without what callers may send")
        last: list[cells.Cell] = [until(row) if row else "", _switch(tenant, flag.key, seen)]
        page = site.link("flags", ids.public("flg", flag.id), seen.principal)
        shown = cells.link(f"{page}?tab=explain&tenant={tenant.public_id}" if page else None, flag.key)
        rows.append(Row([shown, decided(decision), because, *last], tone="blue" if row is not None else ""))
    heads = [
        ("Flag", "text"),
        ("Now", "text"),
        ("Why", "wrap"),
        ("Override ends", "text"),
        ("Action", "text"),
    ]
    return [Table("Feature flags", heads, rows, "There are no flags yet.")]


def _switch(tenant: Tenant, key: str, seen: Seen) -> cells.Cell:
    page = site.link("tenants", tenant.public_id, seen.principal)
    if page is None or not seen.may("flags.override"):
        return ""
    return dialog_link(f"{page}set-flag/?flag={key}", "Change", f"Change {key} for this tenant")


def dialog_link(url: str, text: str, label: str) -> cells.Cell:
    """A link that opens a dialog in place."""
    return format_html('<a class="sw-link" href="{}" data-dialog aria-label="{}">{}</a>', url, label, text)
