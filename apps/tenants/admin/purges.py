"""Purges: what was removed of which tenant, and the receipt."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.urls import reverse

from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_tenant
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Code, Fact, Facts, Row, Table
from apps.backoffice.listing import Column, Filter, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import allows
from apps.core.errors import NotFound
from apps.core.principal import Principal
from apps.tenants.enums import PurgeStatus
from apps.tenants.models import PURGE, Purge
from apps.tenants.services.receipts import read_receipt

_TONES = {PurgeStatus.RUNNING.value: "orange", PurgeStatus.DONE.value: "green"}


def _tenant(purge: Purge) -> str:
    return ids.public(ids.TENANT, purge.tenant_id)


def _status(purge: Purge) -> cells.Cell:
    return cells.badge(purge.status, _TONES[purge.status])


def _receipt(purge: Purge) -> cells.Cell:
    if not purge.receipt_sha256:
        return cells.NOTHING
    return cells.link(reverse("receipt_download", args=[purge.public_id]), "Download")


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(status=value)


def _overview(purge: Purge, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    facts = [
        Fact("Status", _status(purge)),
        Fact("Tenant", cells.whole_id(_tenant(purge))),
        Fact("Slug", purge.slug, "stays taken"),
        Fact("Asked by", site.actor(str(purge.actor.get("id", "")), seen)),
        Fact("Reason", cells.or_nothing(seen.text(purge.reason))),
        Fact("Began", cells.instant(purge.started_at)),
        Fact("Ended", cells.instant(purge.finished_at)),
        Fact("Receipt", _receipt(purge), "signed; receipt_verify checks it" if purge.receipt_sha256 else ""),
    ]
    return [Facts("The purge", facts), _manifest(purge)]


def _manifest(purge: Purge) -> Table:
    over = purge.status == PurgeStatus.DONE
    rows = [
        Row([
            store,
            cells.number(line["before"]),
            cells.number(line["removed"]),
            cells.number(line["remaining"]) if over else cells.NOTHING,
        ])
        for store, line in purge.manifest().items()
    ]  # fmt: skip
    heads = [("Store", "text"), ("Rows before", "number"), ("Removed", "number"), ("Remaining", "number")]
    note = "Removed counts files and what hangs on rows too; remaining is counted again before the tombstone"
    return Table("Stores", heads, rows, "Nothing was removed yet.", note=note)


def _proof(purge: Purge, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    try:
        text = read_receipt(purge).decode()
    except NotFound as missing:
        text = missing.message
    facts = [Fact("File", _receipt(purge)), Fact("SHA-256", cells.or_nothing(purge.receipt_sha256))]
    return [Facts("Receipt", facts), Code("What it says", text)]


@site.section
class PurgeAdmin(ModelAdmin):
    """What is left of purged tenants, and purges that run."""

    model = Purge
    path: ClassVar[str] = "purges"
    prefix: ClassVar[str] = PURGE
    permission: ClassVar[str] = "tenants.lifecycle"
    title: ClassVar[str] = "Purges"
    singular: ClassVar[str] = "purge"
    icon: ClassVar[str] = "delete_history"
    group: ClassVar[str] = "Customers"
    order: ClassVar[int] = 38
    search_hint: ClassVar[str] = "Slug, id of the tenant or of the purge"
    blank: ClassVar[str] = "No tenant was ever purged."
    default_sort: ClassVar[str] = "-began"
    columns: ClassVar[Sequence[Column]] = [
        Column("slug", "Slug", lambda purge, _seen: purge.slug, kind="name"),
        Column("tenant", "Tenant", lambda purge, _seen: cells.ident(_tenant(purge)), kind="id"),
        Column("status", "Status", lambda purge, _seen: _status(purge)),
        Column("began", "Began", lambda purge, _seen: cells.ago(purge.started_at), kind="when",
               order=by("started_at")),
        Column("ended", "Ended", lambda purge, _seen: cells.ago(purge.finished_at, "–"), kind="when"),
        Column("receipt", "Receipt", lambda purge, _seen: _receipt(purge)),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("status", "Status", _by_status, choices=lambda _seen: PurgeStatus.choices),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("purge", "Purge", _overview, order=10),
        Tab("receipt", "Receipt", _proof, order=20),
        timeline_tab(lambda purge: entries_of_tenant(purge.tenant_id), permission="audit.read"),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return Purge.objects.all() if allows(principal, permission) else Purge.objects.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        tenant_id, purge_id = ids.parse_or_none(ids.TENANT, term), ids.parse_or_none(PURGE, term)
        if tenant_id is not None:
            return rows.filter(tenant_id=tenant_id)
        return (
            rows.filter(id=purge_id) if purge_id is not None else rows.filter(slug__startswith=term.lower())
        )

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        return Heading(
            f"Purge of {row.slug}", public_id=row.public_id, badges=[(row.status, _TONES[row.status])]
        )
