"""A section: a list, a page for each object, and dialogs. Shows; every change calls a service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from apps.backoffice import pages
from apps.backoffice.blocks import Block
from apps.backoffice.dialogs import Dialog, explain
from apps.backoffice.errors import NoSuchPage, Refused
from apps.backoffice.listing import Column, Filter, Listing, Rows, Shape
from apps.backoffice.requests import reader, wants_part
from apps.backoffice.seen import Seen
from apps.backoffice.tabs import Heading, Tab
from apps.backoffice.typed import UnfoldModelAdmin
from apps.core import ids
from apps.core.access import allows
from apps.core.clock import now
from apps.core.errors import DomainError, Forbidden
from apps.core.principal import Principal
from apps.core.write import Target, record_denied, write

SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class Suggestion:
    title: str
    note: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Button:
    """A dialog as the page offers it."""

    dialog: Dialog
    url: str


class ModelAdmin(UnfoldModelAdmin):
    """Denies add, change and delete; what a section maps to a service it maps with a dialog.

    Attributes:
        path: in the address, `/backoffice/<path>/`.
        prefix: of the public ids in it.
        permission: who sees the section at all.
        view_audit: the action under which a look at an object goes into the trail; empty: it does not.
        blank: the sentence of an empty list.
    """

    path: ClassVar[str]
    prefix: ClassVar[str] = ""
    permission: ClassVar[str]
    title: ClassVar[str]
    singular: ClassVar[str]
    icon: ClassVar[str] = "database"
    group: ClassVar[str] = ""
    order: ClassVar[int] = 50
    columns: ClassVar[Sequence[Column]] = ()
    filters: ClassVar[Sequence[Filter]] = ()
    default_sort: ClassVar[str] = "-created"
    search_hint: ClassVar[str] = ""
    search_hint_masked: ClassVar[str] = ""
    dialogs: ClassVar[Sequence[Dialog]] = ()
    list_dialogs: ClassVar[Sequence[Dialog]] = ()
    tabs: ClassVar[Sequence[Tab]] = ()
    view_audit: ClassVar[str] = ""
    blank: ClassVar[str] = "Nothing here yet."
    suggests: ClassVar[bool] = True

    # --- what a section says of itself ---

    def rows(self, principal: Principal, permission: str) -> Rows:
        """What the reader may reach under a permission; begins at the app's `visible_to`."""
        raise NotImplementedError

    def listed(self, principal: Principal) -> Rows:
        """`rows` with all that the list's cells read: one query whatever the page size."""
        return self.rows(principal, self.permission)

    def paged(self, principal: Principal, permission: str) -> Rows:
        """`rows` with all that the page's heading and dialogs read."""
        return self.rows(principal, permission)

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        """Narrows by what was typed; masked readers find by exact e-mail or id only."""
        raise NotImplementedError

    def heading(self, row: Any, seen: Seen) -> Heading:
        raise NotImplementedError

    def public_id(self, row: Any) -> str:
        return str(row.public_id)

    def parse_id(self, text: str) -> Any:
        """The key behind an id in the address; None for what is none."""
        found = ids.parse_or_none(self.prefix, text)
        if found is not None:
            return found
        try:
            return UUID(text)
        except ValueError:
            return None

    def prepare(self, rows: list[Any]) -> Sequence[Any]:
        """The rows of one page of the list, with what another query knows of them."""
        return rows

    def tone(self, row: Any) -> str:
        """The tone of a row in the list: red, orange, green, blue, grey or none."""
        del row
        return ""

    def names(self, row: Any) -> Sequence[str]:
        """Of the people whom an object's page is about, for masking free text; asked for masked readers alone."""
        del row
        return ()

    def target(self, row: Any) -> Target:
        return cast("Target", row.audit_target())

    # --- Django's own machinery: all of it denied ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del request, obj
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        del obj
        return allows(reader(request), self.permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's log is off: the trail is apps.audit."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's log is off: the trail is apps.audit."""

    # --- addresses ---

    def page_dialogs(self) -> list[Dialog]:
        """The dialogs of an object's page, those of other apps last."""
        foreign: list[Dialog] = self.admin_site.dialogs_for(self.path)  # type: ignore[attr-defined]  # our site
        return [*self.dialogs, *foreign]

    def get_urls(self) -> list[URLPattern]:
        serve = self.admin_site.admin_view
        name = self.path
        lists = [
            path(f"{dialog.name}/", serve(self._list_dialog(dialog)), name=f"{name}-{dialog.name}")
            for dialog in self.list_dialogs
        ]
        own = [
            path(f"<str:object_id>/{dialog.name}/", serve(self._dialog(dialog)), name=f"{name}-{dialog.name}")
            for dialog in self.page_dialogs()
        ]
        return [
            path("", serve(self.changelist_view), name=name),
            path("suggest/", serve(self.suggest_view), name=f"{name}-suggest"),
            *lists,
            path("<str:object_id>/", serve(self.page_view), name=f"{name}-page"),
            *own,
        ]

    def url_of(self, row: Any) -> str:
        return reverse(f"backoffice:{self.path}-page", args=[self.public_id(row)])

    def list_url(self, **query: str) -> str:
        """The address of the list, narrowed by a query."""
        return reverse(f"backoffice:{self.path}") + (f"?{urlencode(query)}" if query else "")

    # --- the list ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        principal = self._admit(request)
        seen = Seen(principal, self.permission)
        listing = Listing(self._shape(), self.listed(principal), request.GET.dict(), seen)
        context = {
            "title": self.title,
            "section": self,
            "listing": listing,
            "hint": (self.search_hint_masked or self.search_hint) if seen.masked else self.search_hint,
            "buttons": [
                Button(dialog, reverse(f"backoffice:{self.path}-{dialog.name}"))
                for dialog in self.list_dialogs
                if allows(principal, dialog.permission)
            ],
            "list_url": self.list_url(),
            "suggest_url": reverse(f"backoffice:{self.path}-suggest") if self.suggests else "",
            **(extra_context or {}),
        }
        return pages.page(request, "backoffice/list.html", context)

    def _shape(self) -> Shape:
        return Shape(
            columns=self.columns,
            filters=self.filters,
            default=self.default_sort,
            search=self.search_rows,
            url=self.url_of,
            tone=self.tone,
            prepare=self.prepare,
        )

    def _admit(self, request: HttpRequest, permission: str = "") -> Principal:
        principal = reader(request)
        needed = permission or self.permission
        if not allows(principal, needed):
            raise Refused(needed)
        return principal

    def suggest(self, principal: Principal, term: str) -> list[Suggestion]:
        """The first few that a search finds, as lines that lead to their pages; one beyond `SUGGESTED` says that
        there are more."""
        if not self.suggests:
            return []
        seen = Seen(principal, self.permission)
        found = self.search_rows(self.paged(principal, self.permission), term, seen)
        suggestions = []
        for row in found[: SUGGESTED + 1]:
            heading = self.heading(row, seen)
            note = " · ".join(filter(None, [heading.line, *(text for text, _ in heading.badges)]))
            suggestions.append(Suggestion(heading.title, note, self.url_of(row), self.icon))
        return suggestions

    def suggest_view(self, request: HttpRequest) -> HttpResponse:
        """Suggestions while typing."""
        principal = self._admit(request)
        term = request.GET.get("q", "").strip()[:254].replace("\0", "")
        found = self.suggest(principal, term) if len(term) >= 2 else []
        context = {"found": found[:SUGGESTED], "more": len(found) > SUGGESTED, "term": term}
        return render(request, "backoffice/suggestions.html", context)

    # --- an object's page ---

    def find(self, principal: Principal, object_id: str, permission: str = "") -> Any:
        """The object behind an id in the address.

        Raises:
            NoSuchPage: there is none, or it lies beyond the reader's reach: nobody can tell which.
        """
        key = self.parse_id(object_id)
        row = None
        if key is not None:
            row = self.paged(principal, permission or self.permission).filter(pk=key).first()
        if row is None:
            raise NoSuchPage
        return row

    def open_tabs(self, principal: Principal) -> list[Tab]:
        """The tabs that this reader may open, those of other apps too."""
        foreign: list[Tab] = self.admin_site.tabs_for(self.path)  # type: ignore[attr-defined]  # our site
        held = [
            tab for tab in [*self.tabs, *foreign] if not tab.permission or allows(principal, tab.permission)
        ]
        return sorted(held, key=lambda tab: tab.order)

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An object's page with one tab open (`?tab=`); asked for as a part, what its script puts in the place of the
        older one."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        principal = self._admit(request)
        row = self.find(principal, object_id)
        tabs = self.open_tabs(principal)
        tab = next((known for known in tabs if known.name == request.GET.get("tab")), tabs[0])
        self._note_look(principal, row, tab)
        seen = self._eyes(principal, row)
        blocks = tab.build(row, seen.under(tab.permission) if tab.permission else seen, request.GET.dict())
        context = self._page_context(row, tabs, tab, seen, blocks)
        if tab.refresh and wants_part(request):
            return render(request, "backoffice/object_part.html", context)
        return pages.page(request, "backoffice/object.html", context)

    def _page_context(
        self, row: Any, tabs: Sequence[Tab], tab: Tab, seen: Seen, blocks: Sequence[Block]
    ) -> dict[str, Any]:
        heading = self.heading(row, seen)
        offered = [
            Button(dialog, reverse(f"backoffice:{self.path}-{dialog.name}", args=[self.public_id(row)]))
            for dialog in self.page_dialogs()
            if seen.may(dialog.permission) and dialog.available(row)
        ]
        return {
            "title": heading.title,
            "section": self,
            "list_url": self.list_url(),
            "heading": heading,
            "buttons": [button for button in offered if button.dialog.group != "more"],
            "more": [button for button in offered if button.dialog.group == "more"],
            "tabs": tabs,
            "tab": tab,
            "blocks": blocks,
            "at": now() if tab.refresh else None,
        }

    def _eyes(self, principal: Principal, row: Any) -> Seen:
        seen = Seen(principal, self.permission)
        if not seen.masked:
            return seen
        foreign: Sequence[str] = self.admin_site.names_for(self.path, row)  # type: ignore[attr-defined]  # our site
        return seen.knowing([*self.names(row), *foreign])

    def _note_look(self, principal: Principal, row: Any, tab: Tab) -> None:
        action = tab.audit or self.view_audit
        if action:
            with write(action, actor=principal, target=self.target(row)):
                pass

    # --- dialogs ---

    def _dialog(self, dialog: Dialog) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            self._admit(request)
            principal = self._admit(request, dialog.permission)
            row = self.find(principal, object_id, dialog.permission)
            return self._converse(request, dialog, row, self.url_of(row))

        return view

    def _list_dialog(self, dialog: Dialog) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            self._admit(request, dialog.permission)
            return self._converse(request, dialog, None, reverse(f"backoffice:{self.path}"))

        return view

    def _converse(self, request: HttpRequest, dialog: Dialog, row: Any, back: str) -> HttpResponse:
        principal = reader(request)
        seen = Seen(principal, self.permission)
        form = dialog.form(request.POST if request.method == "POST" else None, row, seen)
        for name in form.fields.keys() & request.GET.keys():  # a link may fill in what the reader chose by it
            form.fields[name].initial = request.GET[name]
        status = 200
        if request.method == "POST":
            status = 400
            if form.is_valid():
                try:
                    done = dialog.perform(actor=principal, target=row, data=form.cleaned_data)
                except DomainError as refused:
                    if isinstance(refused, Forbidden):
                        page = Target(type="page", id=request.path[:200])
                        record_denied(dialog.permission, actor=principal, target=page)
                    explain(form, refused)
                    status = pages.STATUSES[refused.kind]
                else:
                    return self._done(request, done.sentence, done.url or back)
        context: Mapping[str, Any] = {
            "title": dialog.heading(row, seen),
            "section": self,
            "dialog": dialog,
            "consequence": dialog.consequence(row, seen),
            "form": form,
            "back": back,
            "list_url": self.list_url(),
        }
        if wants_part(request):
            return render(request, "backoffice/dialog.html", context, status=status)
        return pages.page(request, "backoffice/dialog_page.html", context, status=status)

    def _done(self, request: HttpRequest, sentence: str, url: str) -> HttpResponse:
        messages.success(request, sentence)
        if wants_part(request):
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)
