"""The whole trail: for those who may read everything, with what proves each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from apps.audit.admin.proof import holds, proof
from apps.audit.admin.timeline import event
from apps.audit.models import AuditEntry
from apps.audit.selectors import TrailFilters, TrailRow, entries_of_tenant, filtered, rows
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Note, Row, Table, Timeline
from apps.backoffice.listing import Column, Filter, Order, Rows
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import allows
from apps.core.principal import Principal
from apps.core.write import Outcome, Target

_OUTCOMES = {Outcome.SUCCESS.value: "grey", Outcome.DENIED.value: "red", Outcome.FAILURE.value: "orange"}


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as the list shows it."""

    row: TrailRow

    @property
    def entry(self) -> AuditEntry:
        return self.row.entry


def _actor(listed: Listed, seen: Seen) -> cells.Cell:
    label = listed.row.label
    return seen.email(label) if label else cells.or_nothing(listed.entry.actor_id)


def _target(listed: Listed, _seen: Seen) -> cells.Cell:
    entry = listed.entry
    shown = cells.ident(entry.resource_id) if "_" in entry.resource_id[:5] else entry.resource_id[:40]
    return cells.link(None, shown) if not entry.resource_type else cells.paired(entry.resource_type, shown)


def _action(listed: Listed, _seen: Seen) -> cells.Cell:
    """Success goes without saying."""
    entry = listed.entry
    if entry.outcome == Outcome.SUCCESS:
        return entry.action
    return cells.noted(entry.action, cells.badge(entry.outcome, _OUTCOMES.get(entry.outcome, "grey")))


def _from(listed: Listed, seen: Seen) -> cells.Cell:
    return cells.noted(seen.address(listed.row.address or ""), listed.entry.via)


def _proven(listed: Listed, _seen: Seen) -> cells.Cell:
    entry = listed.entry
    return f"#{entry.seq}" if holds(entry) else cells.badge(f"#{entry.seq} broken", "red")


def _by_action(found: Rows, value: str, seen: Seen) -> Rows:
    return filtered(found, TrailFilters(action_type=value), masked=seen.masked)


def _by_actor(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(actor_id=value)


def _by_address(found: Rows, value: str, seen: Seen) -> Rows:
    return found if seen.masked else filtered(found, TrailFilters(ip_address=value), masked=False)


def _by_tenant(found: Rows, value: str, _seen: Seen) -> Rows:
    tenant_id = ids.parse_or_none(ids.TENANT, value)
    return found & entries_of_tenant(tenant_id) if tenant_id else found.none()


def _by_outcome(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(outcome=value)


def _outcomes(_seen: Seen) -> list[tuple[str, str]]:
    return [(outcome.value, outcome.value) for outcome in Outcome]


def _since(found: Rows, value: str, _seen: Seen) -> Rows:
    moment = _midnight(value)
    return found.filter(at__gte=moment) if moment else found


def _midnight(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _entry_blocks(entry: AuditEntry, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    row = rows([entry])[0]
    facts = [
        Fact("Actor", cells.or_nothing(seen.email(row.label)), f"{entry.actor_kind} {entry.actor_id}"),
        Fact("From", cells.or_nothing(seen.address(row.address or "")), f"via {entry.via}"),
        Fact("Target", site.named(entry.resource_id, seen), entry.resource_type),
        Fact("Tenant", _tenant(entry, seen)),
        Fact("Reason", cells.or_nothing(seen.text(row.reason))),
        Fact("Outcome", cells.badge(entry.outcome, _OUTCOMES.get(entry.outcome, "grey"))),
        Fact("Request", cells.whole_id(entry.request_id) if entry.request_id else cells.NOTHING),
        Fact("Correlation", cells.whole_id(entry.correlation_id) if entry.correlation_id else cells.NOTHING),
    ]
    blocks: list[Block] = [Facts("What happened", facts), proof(entry)]
    shown = event(row, seen)
    if shown.changes:
        lines = [Row([change.key, change.before, change.after]) for change in shown.changes]
        heads = [("Field", "text"), ("Before", "wrap"), ("After", "wrap")]
        blocks.append(Table("Changes", heads, lines, ""))
    if entry.metadata:
        noted = [Fact(str(key), str(value)) for key, value in seen.json(entry.metadata).items()]
        blocks.append(Facts("Noted beside it", noted, wide=True))
    return blocks


def _tenant(entry: AuditEntry, seen: Seen) -> cells.Cell:
    if entry.tenant_id is None:
        return cells.NOTHING
    return site.named(ids.public(ids.TENANT, entry.tenant_id), seen)


def _around(entry: AuditEntry, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """What else the same request did, and the rows of the chain beside this one."""
    beside = AuditEntry.objects.filter(chain=entry.chain, seq__gte=entry.seq - 5, seq__lte=entry.seq + 5)
    events = [event(row, seen, target=True) for row in rows(list(beside.order_by("-seq")))]
    note = Note("Five rows before and after it in the same chain.", tone="grey")
    return [note, Timeline(events, empty="It stands alone.")]


@site.section
class AuditAdmin(ModelAdmin):
    """Entries are appended by writes alone; here they are read."""

    model = AuditEntry
    path: ClassVar[str] = "audit"
    permission: ClassVar[str] = "audit.read"
    title: ClassVar[str] = "Audit"
    singular: ClassVar[str] = "audit entry"
    icon: ClassVar[str] = "verified_user"
    group: ClassVar[str] = "Assurance"
    order: ClassVar[int] = 70
    suggests: ClassVar[bool] = False
    search_hint: ClassVar[str] = "Words in reason, before, after, e-mail"
    blank: ClassVar[str] = "Nothing has been written down yet."
    default_sort: ClassVar[str] = "-at"
    columns: ClassVar[Sequence[Column]] = [
        Column(
            "at",
            "When (UTC)",
            lambda listed, _seen: cells.instant(listed.entry.at),
            order=Order(up=["at", "id"], down=["-at", "-id"]),
            kind="when",
        ),
        Column("action", "Action", _action),
        Column("target", "Target", _target),
        Column("actor", "Actor", _actor),
        Column("address", "From", _from),
        Column("reason", "Reason", lambda listed, seen: cells.or_nothing(seen.text(listed.row.reason))),
        Column("proof", "Row", _proven, kind="number"),
    ]
    filters: ClassVar[Sequence[Filter]] = [
        Filter("outcome", "Outcome", _by_outcome, choices=_outcomes),
        Filter("action", "Action", _by_action, hint="tenant.suspend"),
        Filter("actor", "Actor id", _by_actor, hint="usr_…"),
        Filter("tenant", "Tenant id", _by_tenant, hint="tnt_…"),
        Filter("address", "Address", _by_address, hint="203.0.113.7"),
        Filter("since", "Since", _since, type="date"),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("entry", "Entry", _entry_blocks, order=10),
        Tab("around", "Around it", _around, order=20),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return AuditEntry.objects.all() if allows(principal, permission) else AuditEntry.objects.none()

    def prepare(self, rows_: list[Any]) -> Sequence[Any]:
        return [Listed(row) for row in rows(rows_)]

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        return filtered(rows, TrailFilters(search=term), masked=seen.masked)

    def public_id(self, row: Any) -> str:
        return str(row.entry.id if isinstance(row, Listed) else row.id)

    def parse_id(self, text: str) -> UUID | None:
        try:
            return UUID(text)
        except ValueError:
            return None

    def tone(self, row: Any) -> str:
        return {"denied": "red", "failure": "orange"}.get(row.entry.outcome, "")

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        badges = [(row.outcome, _OUTCOMES.get(row.outcome, "grey"))]
        return Heading(
            row.action, badges=badges, line=f"{row.at:%Y-%m-%d %H:%M:%S} UTC, {row.chain} #{row.seq}"
        )

    def target(self, row: Any) -> Target:
        return Target(type="audit_entry", id=str(row.id))
