"""The section: its list is the board, its objects are sources."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse

from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_resource, rows
from apps.backoffice import cells, pages
from apps.backoffice.blocks import Block, Fact, Facts, Note, Row, Table
from apps.backoffice.dialogs import Dialog
from apps.backoffice.listing import Rows
from apps.backoffice.model_admin import Button, ModelAdmin
from apps.backoffice.requests import wants_part
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core.access import allows
from apps.core.clock import now
from apps.core.principal import Principal
from apps.monitoring import knobs, selectors
from apps.monitoring.admin import board, charts, looks
from apps.monitoring.admin.dialogs import AddSource, CheckNow, EditSource, RemoveSource
from apps.monitoring.enums import SourceStatus
from apps.monitoring.models import HealthSource

_CHANGES_SHOWN = 10
_PACE_PIECES, _PACE_MINUTES = 96, 15


def _status_now(row: HealthSource) -> str:
    return selectors.present_status(row, now())


def _overview(row: Any, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    source: HealthSource = row
    blocks: list[Block] = [_now(source), _settings(source), *_bars(source)]
    paces = selectors.paces(source.id, pieces=_PACE_PIECES, minutes=_PACE_MINUTES)
    blocks += [charts.latency(paces, title="Latency, last 24 hours"), _changes(source, seen)]
    said = looks.said(source, now())
    if said:
        look = looks.of_status(_status_now(source))
        blocks.insert(0, Note(said, look.tone, look.icon))
    return blocks


def _now(source: HealthSource) -> Facts:
    look = looks.of_status(_status_now(source))
    in_a_row = source.failures or source.successes
    facts = [
        Fact("Status", cells.badge(look.word, look.tone)),
        Fact("Last checked", cells.instant(source.last_checked_at) if source.last_checked_at else "never"),
        Fact("Latency", cells.NOTHING if source.latency_ms is None else f"{source.latency_ms:,} ms"),
        Fact("Failures in a row", f"{source.failures:,}", f"down at {source.failure_threshold}"),
        Fact(
            "Good answers in a row",
            f"{source.successes:,}" if in_a_row else cells.NOTHING,
            f"healthy again at {source.success_threshold}",
        ),
        Fact("Due", cells.instant(source.due_at)),
    ]
    return Facts("Now", facts)


def _settings(source: HealthSource) -> Facts:
    facts = [
        Fact("Address", looks.address(source)),
        Fact("Asked every", f"{source.interval_seconds:,} s"),
        Fact("Waits at most", f"{source.timeout_seconds} s"),
        Fact("Critical", "yes" if source.critical else "no",
             "down, it makes the platform unhealthy" if source.critical else "down, it makes the platform degraded"),
        Fact("Registered", cells.instant(source.created_at)),
        Fact("Changed", cells.instant(source.updated_at)),
    ]  # fmt: skip
    return Facts("Settings", facts)


def _bars(source: HealthSource) -> list[charts.Uptime]:
    found = []
    days = min(knobs.SAMPLE_DAYS.get(), board.MONTH_DAYS)
    for title, pieces, minutes, unit in (
        ("Last 24 hours", 24, 60, "hour"),
        (f"Last {days} day{'' if days == 1 else 's'}", days, board.DAY_MINUTES, "day"),
    ):
        spans = selectors.uptime([source.id], pieces=pieces, minutes=minutes)[source.id]
        found.append(charts.uptime(spans, title=title, unit=unit))
    return found


def _changes(source: HealthSource, seen: Seen) -> Table:
    """The latest changes of status; the tab has all, with what was done to the source."""
    entries = entries_of_resource("health_source", source.service_id).filter(action="health_source.status")
    shown = []
    for each in rows(list(entries[:_CHANGES_SHOWN])):
        was, is_now = str(each.before.get("status", "")), str(each.after.get("status", ""))
        look = looks.of_status(is_now)
        shown.append(
            Row(
                [
                    cells.instant(each.entry.at),
                    looks.of_status(was).word,
                    cells.badge(look.word, look.tone),
                    seen.text(str(each.entry.metadata.get("message", ""))) or cells.NOTHING,
                ]
            )
        )
    heads = [("When", "text"), ("From", "text"), ("To", "text"), ("What it answered", "wrap")]
    return Table("Changes of status", heads, shown, "Its status has not changed yet.")


def _trail(row: Any) -> Any:
    return entries_of_resource("health_source", row.service_id)


@site.section
class HealthAdmin(ModelAdmin):
    """Sources that workers poll."""

    model = HealthSource
    path: ClassVar[str] = "health"
    permission: ClassVar[str] = "health.read"
    title: ClassVar[str] = "Health"
    singular: ClassVar[str] = "health source"
    icon: ClassVar[str] = "monitor_heart"
    group: ClassVar[str] = "System"
    order: ClassVar[int] = 75
    list_dialogs: ClassVar[Sequence[Dialog]] = [AddSource()]
    dialogs: ClassVar[Sequence[Dialog]] = [CheckNow(), EditSource(), RemoveSource()]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Overview", _overview, order=10, refresh=10),
        timeline_tab(_trail, permission="health.read", title="History"),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return HealthSource.objects.all() if allows(principal, permission) else HealthSource.objects.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        return rows.filter(service_id__icontains=term)

    def public_id(self, row: Any) -> str:
        return str(row.id)

    def parse_id(self, text: str) -> UUID | None:
        try:
            return UUID(text)
        except ValueError:
            return None

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        status = _status_now(row)
        look = looks.of_status(status)
        badges = [(look.word, look.tone), *([("critical", "violet")] if row.critical else [])]
        stale = status == SourceStatus.UNKNOWN and row.last_checked_at is not None
        return Heading(row.service_id, badges=badges, line="not polled lately" if stale else "")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The board; asked for as a part, only what its script puts in the place of the older one."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        principal = self._admit(request)
        term = request.GET.get("q", "").strip()[:64].replace("\0", "")
        window = board.chosen(request.GET.get("span", ""))
        found = self.rows(principal, self.permission)
        shown = self.search_rows(found, term, Seen(principal, self.permission)) if term else found
        context = {
            "board": board.board(list(shown), window, self.url_of),
            "term": term,
            "window": window,
            "list_url": self.list_url(),
        }
        if wants_part(request):
            return self._part(request, context)
        context |= {
            "title": self.title,
            "section": self,
            "choices": board.choices(window, term),
            "buttons": [
                Button(dialog, reverse(f"backoffice:{self.path}-{dialog.name}"))
                for dialog in self.list_dialogs
                if allows(principal, dialog.permission)
            ],
            **(extra_context or {}),
        }
        return pages.page(request, "monitoring/health.html", context)

    def _part(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        return render(request, "monitoring/board.html", context)
