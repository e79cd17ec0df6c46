"""The section: the list of flags, and a page for each with its editor."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import CharField, Func, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from apps.backoffice import cells
from apps.backoffice import pages as shell
from apps.backoffice.blocks import Block
from apps.backoffice.dialogs import Dialog
from apps.backoffice.listing import Column, Filter, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core.access import allows
from apps.core.clock import now
from apps.core.principal import Principal
from apps.flags import querysets
from apps.flags.admin import asking, editor, looks, pages, tenants
from apps.flags.admin.dialogs import (
    MANAGE,
    ArchiveFlag,
    CancelScheduled,
    CreateFlag,
    RestoreVersion,
    ScheduleChange,
)
from apps.flags.admin.overrides import RemoveOverride, SetFlag, SetOverride
from apps.flags.knobs import STALE_DAYS
from apps.flags.models import FLAG, Flag


def _key(row: looks.Listed, _seen: Seen) -> cells.Cell:
    return row.flag.key


def _state(row: looks.Listed, _seen: Seen) -> cells.Cell:
    return cells.badges(row.badges())


def _share(row: looks.Listed, _seen: Seen) -> cells.Cell:
    if row.flag.is_archived:
        return cells.NOTHING
    return str(row.share) if row.share is not None else cells.noted("", "by context")


def _overrides(row: looks.Listed, _seen: Seen) -> cells.Cell:
    count: int = row.flag.overrides_count  # type: ignore[attr-defined]  # annotated
    return cells.number(count) if count else ""


def _by_state(found: Rows, value: str, _seen: Seen) -> Rows:
    if value == "archived":
        return found.filter(is_archived=True)
    if value == "stale":
        return found.filter(querysets.stale(now(), STALE_DAYS.get()))
    if value == "failed":
        return found.filter(is_archived=False, schedule__status="failed").distinct()
    return found.filter(is_archived=False)


_STATES = [
    ("live", "in use"),
    ("stale", "stale"),
    ("archived", "archived"),
    ("failed", "a scheduled change failed"),
]


def _by_tag(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(tags__contains=[value])


def _tags(_seen: Seen) -> list[tuple[str, str]]:
    each = Func("tags", function="unnest", output_field=CharField())
    found = Flag.objects.order_by().values_list(each, flat=True).distinct()
    return [(tag, tag) for tag in sorted(map(str, found))]


def _by_owner(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(owner=value)


def _owners(_seen: Seen) -> list[tuple[str, str]]:
    found = Flag.objects.exclude(owner="").order_by("owner").values_list("owner", flat=True).distinct()
    return [(owner, owner) for owner in found]


@site.section
class FlagAdmin(ModelAdmin):
    """Feature flags."""

    model = Flag
    path: ClassVar[str] = "flags"
    prefix: ClassVar[str] = FLAG
    permission: ClassVar[str] = MANAGE
    title: ClassVar[str] = "Flags"
    singular: ClassVar[str] = "flag"
    icon: ClassVar[str] = "flag"
    group: ClassVar[str] = "Platform"
    order: ClassVar[int] = 50
    default_sort: ClassVar[str] = "key"
    search_hint: ClassVar[str] = "Key or description"
    blank: ClassVar[str] = "No flags yet. The first one is made with “New flag”."
    columns: ClassVar[Sequence[Column]] = [
        Column("key", "Flag", _key, order=by("key")),
        Column("state", "State", _state, kind="wrap"),
        Column("share", "On for", _share, kind="number"),
        Column("usage", "Evaluations", lambda row, _seen: looks.used(row)),
        Column("overrides", "Overrides", _overrides, kind="number"),
        Column("owner", "Owner", lambda row, _seen: cells.or_nothing(row.flag.owner)),
        Column("tags", "Tags", lambda row, _seen: cells.words(row.flag.tags)),
        Column("type", "Type", lambda row, _seen: row.flag.type),
        Column(
            "changed",
            "Changed",
            lambda row, _seen: cells.ago(row.flag.updated_at),
            order=by("updated_at"),
            kind="when",
        ),
    ]
    filters: ClassVar[Sequence[Filter]] = [
        Filter("state", "State", _by_state, choices=lambda _seen: _STATES),
        Filter("tag", "Tag", _by_tag, choices=_tags),
        Filter("owner", "Owner", _by_owner, choices=_owners),
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [CreateFlag()]
    dialogs: ClassVar[Sequence[Dialog]] = [
        SetOverride(),
        ScheduleChange(),
        RestoreVersion(),
        RemoveOverride(),
        CancelScheduled(),
        ArchiveFlag(),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Overview", pages.overview, order=10),
        Tab("edit", "Rules", pages.edit, order=20),
        Tab("explain", "Who gets what", asking.tab, order=30),
        Tab("overrides", "Overrides", pages.overrides, order=40),
        Tab("schedule", "Schedule", pages.schedule, order=50),
        Tab("history", "History", pages.history, order=60),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return querysets.visible_to(principal) if allows(principal, permission) else Flag.objects.none()

    def paged(self, principal: Principal, permission: str) -> Rows:
        return querysets.with_overrides_count(self.rows(principal, permission), now())

    def listed(self, principal: Principal) -> Rows:
        return self.paged(principal, self.permission)

    def prepare(self, rows: list[Any]) -> Sequence[Any]:
        return looks.listed(rows)

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        return rows.filter(Q(key__icontains=term) | Q(description__icontains=term))

    def public_id(self, row: Any) -> str:
        return looks.public_id(row.flag if isinstance(row, looks.Listed) else row)

    def parse_id(self, text: str) -> Any:
        """By its key, too: what people and services call it."""
        return super().parse_id(text) or Flag.objects.filter(key=text).values_list("pk", flat=True).first()

    def tone(self, row: Any) -> str:
        if row.flag.is_archived:
            return "grey"
        return "orange" if row.stale or looks.expiry(row.flag) else ""

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        badges = [*looks.states(row), *looks.expiry(row)]
        line = ", ".join(filter(None, [row.description[:120], row.owner]))
        return Heading(row.key, public_id=looks.public_id(row), badges=badges, line=line)

    # --- the editor and the panel: forms of their own, in the frame of the page ---

    def get_urls(self) -> list[URLPattern]:
        serve = self.admin_site.admin_view
        own = [
            path("<str:object_id>/edit/", serve(self.edit_view), name="flags-edit"),
            path("<str:object_id>/ask/", serve(self.ask_view), name="flags-ask"),
        ]
        return [*super().get_urls(), *own]

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The editor's buttons; a mere look leads to its tab."""
        principal = self._admit(request)
        row = self.find(principal, object_id)
        if request.method != "POST" or row.is_archived:
            return HttpResponseRedirect(f"{self.url_of(row)}?tab=edit")
        answer = editor.answer(row, request.path, request.POST.dict(), principal)
        if answer.block is None:
            return self._done(request, answer.sentence, self.url_of(row))
        return self._framed(request, principal, row, "edit", [answer.block], answer.status)

    def ask_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer of the panel; nothing is changed, and nothing of the question stands in an address."""
        principal = self._admit(request)
        row = self.find(principal, object_id)
        if request.method != "POST":
            return HttpResponseRedirect(f"{self.url_of(row)}?tab=explain")
        sent = request.POST
        seen = Seen(principal, self.permission)
        term = sent.get("choose") or sent.get("tenant", "")
        block = asking.answered(row, seen, term, sent.get("context", ""))
        return self._framed(request, principal, row, "explain", [block], 400 if block.error else 200)

    def _framed(
        self,
        request: HttpRequest,
        principal: Principal,
        row: Flag,
        name: str,
        blocks: list[Block],
        status: int,
    ) -> HttpResponse:
        tabs = self.open_tabs(principal)
        tab = next(known for known in tabs if known.name == name)
        context = self._page_context(row, tabs, tab, Seen(principal, self.permission), blocks)
        return shell.page(request, "backoffice/object.html", context, status=status)


site.add_tab("tenants", Tab("flags", "Flags", tenants.flags_tab, permission="flags.read", order=35))
site.add_dialog("tenants", SetFlag())
