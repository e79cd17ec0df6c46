"""What the tabs of a flag show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Event, Fact, Facts, Note, Row, Table, Timeline, changes
from apps.backoffice.home import DayChart
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core import ids
from apps.core.clock import now
from apps.flags import selectors
from apps.flags.admin import editor, looks, tenants, words
from apps.flags.admin.impact import shares
from apps.flags.enums import ChangeKind, ScheduleStatus
from apps.flags.models import Flag, FlagChange, ScheduledChange, TenantOverride

_PAGE = 50
_DAYS = 30
_TONES: Mapping[str, str] = {
    ScheduleStatus.PENDING: "violet",
    ScheduleStatus.APPLIED: "green",
    ScheduleStatus.FAILED: "red",
    ScheduleStatus.CANCELLED: "grey",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in words, and what decides when none of them matches."""

    rules: Sequence[tuple[str, str, str]]  # name, conditions, what is served
    percent: float | None
    rollout: str
    otherwise: str
    template: ClassVar[str] = "flags/rules.html"


@dataclass(frozen=True, slots=True)
class UsageChart:
    chart: DayChart
    template: ClassVar[str] = "flags/usage.html"


def overview(flag: Flag, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """State, rules in plain words, prerequisites, usage."""
    blocks: list[Block] = []
    reasons = selectors.stale_reasons([flag]).get(flag.id, [])
    if reasons:
        told = ", ".join(words.STALE[reason] for reason in reasons)
        blocks.append(Note(f"It may be no longer needed: {told}.", "orange", "archive"))
    if flag.needs_approval:
        blocks.append(Note("Every change needs a second person.", "violet", "group"))
    blocks += [_facts(flag), _reached(flag), _rules(flag)]
    needing = _needing(flag)
    if flag.prerequisites or needing:
        blocks.append(_prerequisites(flag, needing, seen))
    blocks.append(UsageChart(_usage(flag)))
    return blocks


def _facts(flag: Flag) -> Facts:
    values = ", ".join(f"{each['key']} = {words.value(each['value'])}" for each in flag.variations)
    return Facts(
        "The flag",
        [
            Fact("Description", cells.or_nothing(flag.description)),
            Fact("Type", flag.type),
            Fact("Variations", values),
            Fact("Off means", flag.off_variation),
            Fact("Owner", cells.or_nothing(flag.owner)),
            Fact("Tags", cells.words(flag.tags)),
            Fact("Expires", cells.instant(flag.expires_at)),
        ],
    )


def _reached(flag: Flag) -> Facts:
    share = shares.of(flag.key)
    if share is not None:
        reached: cells.Cell = cells.noted(
            str(share), f"for {share.on:,} of {cells.counted(share.counted, 'tenant')}"
        )
    else:
        reached = cells.noted("it depends", "on what callers send")
    pending = looks.waiting_changes([flag]).get(flag.id, 0)
    return Facts(
        "Now",
        [
            Fact("State", cells.badges([*looks.states(flag), *looks.expiry(flag)])),
            Fact("On for", reached),
            Fact("Overrides", cells.number(flag.overrides_count)),  # type: ignore[attr-defined]  # annotated
            Fact("Scheduled changes", cells.number(pending)),
            Fact("Version", cells.number(flag.version)),
            Fact("Last changed", cells.instant(flag.updated_at)),
            Fact("Spread by", flag.hash, "the hash that rollouts and splits use"),
            Fact(
                "Handed out",
                cells.instant(flag.handed_out_at),
                "to clients that read every flag",
            ),
        ],
    )


def _rules(flag: Flag) -> Rules:
    rollout = flag.rollout or {}
    return Rules(
        [
            (each.get("name") or "", words.conditions(each["conditions"]), words.served(each))
            for each in flag.rules
        ],
        rollout.get("percentage"),
        words.rollout(flag.rollout),
        f"serve {flag.variation_when(enabled=flag.default_enabled)}",
    )


def _needing(flag: Flag) -> list[Flag]:
    """Flags that have this one as their prerequisite."""
    return list(
        Flag.objects.filter(prerequisites__contains=[{"key": flag.key}], is_archived=False).order_by("key")
    )


def _prerequisites(flag: Flag, needing: Sequence[Flag], seen: Seen) -> Table:
    known = {
        row.key: row for row in Flag.objects.filter(key__in=[each["key"] for each in flag.prerequisites])
    }
    rows = [
        Row(["needs", _flag_link(known.get(each["key"]), each["key"], seen), f"is {each['variation']}"])
        for each in flag.prerequisites
    ]
    for other in needing:
        asked = next(each["variation"] for each in other.prerequisites if each["key"] == flag.key)
        rows.append(Row(["is needed by", _flag_link(other, other.key, seen), f"when it is {asked}"]))
    return Table("Prerequisites", [("Which way", "text"), ("Flag", "text"), ("When", "text")], rows, "None.")


def _flag_link(flag: Flag | None, key: str, seen: Seen) -> cells.Cell:
    if flag is None:
        return key
    return cells.link(site.link("flags", looks.public_id(flag), seen.principal), key)


def _usage(flag: Flag) -> DayChart:
    today = now().date()
    first = today - timedelta(days=_DAYS - 1)
    days = {first + timedelta(days=number): 0 for number in range(_DAYS)}
    since = now() - timedelta(days=_DAYS)
    for hour, count in selectors.usage_by_hour([flag.key], since=since)[flag.key]:
        if hour.date() in days:
            days[hour.date()] += count
    return DayChart(
        "Evaluations", list(days.items()), "evaluations", "Nobody asked for it by its name in 30 days."
    )


def edit(flag: Flag, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
    """The editor."""
    del seen
    url = f"{site.list_url('flags')}{looks.public_id(flag)}/edit/"
    return [editor.opened(flag, url, as_json=asked.get("as") == "json")]


def overrides(flag: Flag, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
    """Who is given what against the rules; where they are many, found by their tenant."""
    page, term = _page_of(asked), asked.get("q", "").strip()[:200].replace("\0", "")
    start = (page - 1) * _PAGE
    found = selectors.overrides_of_flag(seen.principal, key=flag.key).select_related("tenant")
    rows = list(_of_tenants(found, term)[start : start + _PAGE + 1])
    base = f"{site.list_url('flags')}{looks.public_id(flag)}/"
    lines = []
    for row in rows[:_PAGE]:
        tenant_id = ids.public(ids.TENANT, row.tenant_id)
        given, is_on = flag.given_by(row)
        remove = tenants.dialog_link(
            f"{base}remove-override/?tenant={tenant_id}",
            "Remove",
            f"Remove the override of {row.tenant.company_name}",
        )
        lines.append(
            Row(
                [
                    tenants.cell(row.tenant_id, row.tenant.company_name, seen),
                    cells.badge(given, "green" if is_on else "grey"),
                    tenants.until(row),
                    cells.or_nothing(seen.text(row.reason)),
                    site.actor(row.set_by, seen),
                    cells.ago(row.updated_at),
                    remove,
                ]
            )
        )
    heads = [("Tenant", "text"), ("Gets", "text"), ("Until", "text"), ("Reason", "wrap"), ("Set by", "text"),
             ("Set", "text"), ("Action", "text")]  # fmt: skip
    note = f"{flag.overrides_count:,} in force"  # type: ignore[attr-defined]  # annotated
    empty = "No tenant like this has one." if term else "None: the rules count for everybody."
    blocks: list[Block] = [Table("Overrides", heads, lines, empty, note=note)]
    many = page > 1 or len(rows) > _PAGE
    if many:
        blocks.append(_Turn(term, page, len(rows) > _PAGE))
    return [_Find(term), *blocks] if many or term else blocks


def _of_tenants(rows: "QuerySet[TenantOverride]", term: str) -> "QuerySet[TenantOverride]":
    """Those of the tenants with this id, this slug, or this in the company's name."""
    if not term:
        return rows
    if known := ids.parse_or_none(ids.TENANT, term):
        return rows.filter(tenant_id=known)
    return rows.filter(Q(tenant__slug=term.lower()) | Q(tenant__company_name__icontains=term))


@dataclass(frozen=True, slots=True)
class _Find:
    """The search of the overrides."""

    term: str
    template: ClassVar[str] = "flags/find.html"


@dataclass(frozen=True, slots=True)
class _Turn:
    """Links to the pages of the overrides before and after."""

    term: str
    page: int
    more: bool
    template: ClassVar[str] = "flags/turn.html"

    @property
    def newer(self) -> str:
        return self._to(self.page - 1) if self.page > 1 else ""

    @property
    def older(self) -> str:
        return self._to(self.page + 1) if self.more else ""

    def _to(self, page: int) -> str:
        found = {"q": self.term} if self.term else {}
        return "?" + urlencode({"tab": "overrides", **found, "page": page})


def _page_of(asked: Mapping[str, str]) -> int:
    text = asked.get("page", "")
    return min(max(int(text), 1), 200) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def schedule(flag: Flag, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """Changes to come, and what became of former ones."""
    base = f"{site.list_url('flags')}{looks.public_id(flag)}/"
    rows = []
    for row in selectors.schedule_of(seen.principal, key=flag.key).order_by("-at", "-id")[:200]:
        waits = row.status == ScheduleStatus.PENDING
        cancel = tenants.dialog_link(
            f"{base}cancel-scheduled/?row={row.public_id}",
            "Cancel",
            f"Cancel the change of {row.at:%Y-%m-%d %H:%M}",
        )
        rows.append(
            Row(
                [
                    cells.instant(row.at),
                    _planned(row),
                    cells.badge(row.status, _TONES[row.status]),
                    site.actor(row.author, seen),
                    cancel if waits else "",
                ],
                tone="red" if row.status == ScheduleStatus.FAILED else "",
            )
        )
    heads = [("At", "text"), ("Change", "wrap"), ("State", "text"), ("By", "text"), ("Action", "text")]
    return [Table("Scheduled changes", heads, rows, "Nothing is planned.")]


def _planned(row: ScheduledChange) -> cells.Cell:
    told = words.definition(row.change)
    text = "; ".join(
        f"{name}: {json.dumps(value) if not isinstance(value, str) else value}"
        for name, value in told.items()
    )
    return cells.noted(text, f"failed: {row.error['message']}") if row.error else text


def history(flag: Flag, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
    """Versions and overrides, newest first, each with what it changed."""
    page = _page_of(asked)
    start = (page - 1) * _PAGE
    rows = list(selectors.history(seen.principal, key=flag.key)[start : start + _PAGE + 1])
    companies = tenants.companies(row.tenant_id for row in rows if row.tenant_id is not None)
    return [
        Timeline(
            [_event(row, flag, companies, seen) for row in rows[:_PAGE]],
            empty="Nothing was written down.",
            newer=f"?tab=history&page={page - 1}" if page > 1 else None,
            older=f"?tab=history&page={page + 1}" if len(rows) > _PAGE else None,
        )
    ]


def _event(row: FlagChange, flag: Flag, companies: Mapping[UUID, str], seen: Seen) -> Event:
    before, after = row.before or {}, row.after or {}
    target: cells.Cell = ""
    if row.tenant_id is not None:
        target = tenants.cell(row.tenant_id, companies.get(row.tenant_id, ""), seen)
        differing = changes({"gives": _given(before, flag)}, {"gives": _given(after, flag)})
        action = ChangeKind(row.kind).label
        note: cells.Cell = ""
    else:
        note = _restore(row, flag)
        differing = changes(words.definition(before), words.definition(after)) if before else []
        action = f"{ChangeKind(row.kind).label}, version {row.version}"
    return Event(
        at=row.changed_at,
        action=action,
        actor=site.actor(row.changed_by, seen),
        actor_note=note,
        target=target,
        changes=differing,
    )


def _restore(row: FlagChange, flag: Flag) -> cells.Cell:
    """Where a former version is brought back."""
    if row.version == flag.version:
        return ""
    url = f"{site.list_url('flags')}{looks.public_id(flag)}/restore/?row={row.version}"
    return tenants.dialog_link(url, "Restore", f"Restore version {row.version}")


def _given(told: Mapping[str, Any], flag: Flag) -> str | None:
    if not told:
        return None
    given = told["variation"] or flag.variation_when(enabled=told["enabled"])
    return f"{given} until {told['expiresAt']}" if told["expiresAt"] else str(given)
