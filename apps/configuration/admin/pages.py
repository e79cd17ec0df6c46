"""What the pages of the configuration show."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Change, Event, Fact, Facts, Note, Row, Table, Timeline, changes
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.configuration import selectors
from apps.configuration.models import MASK, ConfigChange, ConfigValue
from apps.configuration.selectors import Overview
from apps.core import ids
from apps.core.knobs import Scope, ValueType

_PAGE = 50
_TENANTS_SHOWN = 200
NOT_SET = "not set"


def tenant_cell(tenant_id: UUID, seen: Seen) -> cells.Cell:
    public_id = ids.public(ids.TENANT, tenant_id)
    return cells.link(site.link("tenants", public_id, seen.principal), cells.ident(public_id))


def _value(row: ConfigValue | None) -> cells.Cell:
    return cells.NOTHING if row is None else row.shown or "(empty)"


def catalogue(sections: list[tuple[str, list[Overview]]], *, of_tenant: bool, base: str) -> list[Block]:
    """The catalogue: a table a section; default, platform and, where one was asked for, tenant side by side."""
    heads = [
        ("Key", "text"),
        ("What it does", "wrap"),
        ("Takes", "text"),
        ("Default", "text"),
        ("Platform", "text"),
    ]
    heads.append(("This tenant", "text") if of_tenant else ("Tenants", "number"))
    blocks: list[Block] = []
    for title, overviews in sections:
        rows = []
        for found in overviews:
            last = _value(found.tenant) if of_tenant else cells.number(found.tenants) if found.tenants else ""
            row = [
                found.knob.name,
                found.knob.description,
                _takes(found),
                cells.or_nothing(found.default),
                _value(found.platform),
                last,
            ]
            set_here = (found.tenant if of_tenant else found.platform) is not None
            rows.append(Row(row, url=f"{base}{found.knob.name}/", tone="blue" if set_here else ""))
        blocks.append(Table(title, heads, rows, ""))
    return blocks


def _takes(found: Overview) -> str:
    return "secret" if found.knob.secret else found.knob.shape.describe()


def values_tab(found: Overview, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """One key: what it takes, what is in force, and every value that is set."""
    knob = found.knob
    facts = [
        Fact("Takes", _takes(found)),
        Fact("For", "the platform and single tenants" if Scope.TENANT in knob.scopes else "the platform"),
        Fact("Declared", "by an operator" if found.by_operator else "in code"),
        Fact("Default", cells.or_nothing(found.default)),
        Fact("Platform", _value(found.platform), _version(found.platform)),
        Fact("In force", cells.or_nothing(found.effective), "unless a tenant has a value of its own"),
    ]
    blocks: list[Block] = [Facts(knob.description, facts, wide=True)]
    if Scope.TENANT in knob.scopes:
        rows = selectors.list_values(seen.principal, scope=Scope.TENANT, key_prefix=knob.name)
        own = [row for row in rows.filter(key=knob.name)[:_TENANTS_SHOWN] if row.tenant_id is not None]
        lines = [
            Row([tenant_cell(row.tenant_id, seen), row.shown, row.description, cells.ago(row.updated_at)])
            for row in own
            if row.tenant_id is not None
        ]
        heads = [("Tenant", "text"), ("Value", "text"), ("Note", "wrap"), ("Set", "text")]
        blocks.append(
            Table("Tenants with a value of their own", heads, lines, "None: the platform's value counts.")
        )
    return blocks


def _version(row: ConfigValue | None) -> str:
    return "" if row is None else f"version {row.version}"


def history_tab(found: Overview, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
    """The revisions, newest first, each with what it changed."""
    text = asked.get("page", "")
    page = min(max(int(text), 1), 200) if text.isascii() and text.isdigit() and len(text) < 5 else 1
    start = (page - 1) * _PAGE
    rows = list(selectors.history(seen.principal, key=found.knob.name)[start : start + _PAGE + 1])
    kind = found.knob.shape.type
    timeline = Timeline(
        [_event(row, kind, seen) for row in rows[:_PAGE]],
        empty="It was never set.",
        newer=f"?tab=history&page={page - 1}" if page > 1 else None,
        older=f"?tab=history&page={page + 1}" if len(rows) > _PAGE else None,
    )
    return [Note("Restoring brings a revision back as a new one.", "grey"), timeline]


def _event(row: ConfigChange, kind: ValueType, seen: Seen) -> Event:
    target = "platform" if row.tenant_id is None else ids.public(ids.TENANT, row.tenant_id)
    action = "archived" if row.new_shown is None else "restored" if row.restored_from_id else "set"
    return Event(
        at=row.changed_at,
        action=f"{action}, version {row.version}",
        actor=site.actor(row.changed_by, seen),
        reason=seen.text(row.reason),
        target=target,
        changes=differences(row.old_shown, row.new_shown, kind),
    )


def differences(old: str | None, new: str | None, kind: ValueType) -> list[Change]:
    """What changed; JSON objects key by key."""
    if kind is ValueType.JSON and MASK not in {old, new}:
        was, now = _parsed(old), _parsed(new)
        if isinstance(was, dict) and isinstance(now, dict):
            return changes(was, now)
    return [Change("value", NOT_SET if old is None else old, NOT_SET if new is None else new)]


def _parsed(text: str | None) -> Any:
    try:
        return {} if text is None else json.loads(text)
    except ValueError:
        return None


def of_tenant(tenant: Any, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """The tab on a tenant's page: its own values beside the platform's."""
    rows = []
    for _, overviews in selectors.overview(seen.principal, tenant_id=tenant.id):
        for found in overviews:
            if Scope.TENANT in found.knob.scopes:
                cells_ = [
                    found.knob.name,
                    cells.or_nothing(found.default),
                    _value(found.platform),
                    _value(found.tenant),
                ]
                url = f"{site.list_url('configuration')}{found.knob.name}/"
                rows.append(Row(cells_, url=url, tone="blue" if found.tenant else ""))
    heads = [("Key", "text"), ("Default", "text"), ("Platform", "text"), ("This tenant", "text")]
    return [Table("Configuration", heads, rows, "No key takes a value for a tenant.")]
