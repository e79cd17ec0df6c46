"""The timeline tab: what happened to an object, newest first, filtered by date, action, address and words."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet

from apps.audit.models import AuditEntry
from apps.audit.selectors import TrailFilters, TrailRow, filtered, rows
from apps.backoffice.blocks import Block, Event, Field, Note, Timeline, changes
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Tab

PAGE_SIZE = 30
LAST_PAGE = 100

Entries = Callable[[Any], QuerySet[AuditEntry]]


def timeline_tab(
    entries: Entries,
    *,
    permission: str,
    title: str = "Timeline",
    audit: str = "",
    csv: Callable[[Any], str] | None = None,
    order: int = 90,
) -> Tab:
    """A tab over the entries of an object.

    Args:
        entries: the object's part of the trail.
        audit: the action that opening it is put into the trail as.
        csv: where the same selection is had as CSV.
    """

    def build(row: Any, seen: Seen, asked: Mapping[str, str]) -> list[Block]:
        return timeline(entries(row), seen, asked, csv=csv(row) if csv else "")

    return Tab("timeline", title, build, permission=permission, audit=audit, order=order)


def timeline(
    entries: QuerySet[AuditEntry], seen: Seen, asked: Mapping[str, str], *, csv: str = ""
) -> list[Block]:
    """One page of the selection that `asked` names."""
    given = {name: asked.get(name, "").strip()[:200].replace("\0", "") for name in _NAMES}
    filters, wrong = _filters(given, masked=seen.masked)
    page = _page(asked.get("page", ""))
    start = (page - 1) * PAGE_SIZE
    narrowed = filtered(entries, filters, masked=seen.masked)
    window = list(narrowed[start : start + PAGE_SIZE + 1])
    kept = {name: value for name, value in given.items() if value}
    block = Timeline(
        events=[event(row, seen) for row in rows(window[:PAGE_SIZE])],
        empty="Nothing fits." if kept else "Nothing has happened yet.",
        fields=_fields(given, masked=seen.masked),
        hidden={"tab": "timeline"},
        newer=_url(kept, page - 1) if page > 1 else None,
        older=_url(kept, page + 1) if len(window) > PAGE_SIZE and page < LAST_PAGE else None,
        csv=_csv(csv, filters) if csv else None,
    )
    return [*([Note(wrong, tone="orange")] if wrong else []), block]


_NAMES = ("from", "to", "action", "address", "words")


def _fields(given: Mapping[str, str], *, masked: bool) -> list[Field]:
    fields = [
        Field("from", "From", given["from"], "date"),
        Field("to", "To", given["to"], "date"),
        Field("action", "Action", given["action"], hint="user.suspend"),
        Field("address", "Address", given["address"], hint="203.0.113.7"),
        Field("words", "Words", given["words"], "search", hint="reason, before, after"),
    ]
    # Who reads addresses masked can't look for one.
    return [field for field in fields if not (masked and field.name == "address")]


def _filters(given: Mapping[str, str], *, masked: bool) -> tuple[TrailFilters, str]:
    wrong = [name for name in ("from", "to") if given[name] and _day(given[name]) is None]
    first, last = _day(given["from"]), _day(given["to"])
    found = TrailFilters(
        start_time=first,
        end_time=last + timedelta(days=1) - timedelta(microseconds=1) if last else None,
        action_type=given["action"] or None,
        ip_address=None if masked else given["address"] or None,
        search=given["words"] or None,
    )
    return found, "A date is written 2026-11-21." if wrong else ""


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007  a day
    except ValueError:
        return None


def _page(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _url(kept: Mapping[str, str], page: int) -> str:
    return "?" + urlencode({"tab": "timeline", **kept, **({"page": page} if page > 1 else {})})


def _csv(address: str, filters: TrailFilters) -> str:
    """The same selection in the words of the platform surface."""
    named = {
        "format": "csv",
        "start_time": filters.start_time.isoformat() if filters.start_time else "",
        "end_time": filters.end_time.isoformat() if filters.end_time else "",
        "action_type": filters.action_type or "",
        "ip_address": filters.ip_address or "",
        "search": filters.search or "",
    }
    return f"{address}?{urlencode({key: value for key, value in named.items() if value})}"


def event(row: TrailRow, seen: Seen, *, target: bool = False) -> Event:
    """An entry as the reader may see it; with `target`, what it was about too."""
    entry = row.entry
    return Event(
        at=entry.at,
        action=entry.action,
        actor=seen.email(row.label) if row.label else entry.actor_id,
        actor_note=f"via {entry.via}" if entry.via not in {"", "backoffice"} else "",
        reason=seen.text(row.reason),
        address=seen.address(row.address) if row.address else "",
        outcome=entry.outcome,
        changes=changes(seen.json(row.before), seen.json(row.after)),
        url=site.link("audit", str(entry.id), seen.principal),
        target=f"{entry.resource_type} {entry.resource_id}" if target else "",
    )
