"""The site at /backoffice/: home, search over everything, and one section for each registered model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, URLResolver, include, path, re_path, reverse
from django.views.decorators.cache import never_cache

from apps.backoffice import pages, palette
from apps.backoffice.cells import NOTHING, Cell, ident, link, noted, titled, whole_id
from apps.backoffice.dialogs import Dialog
from apps.backoffice.errors import NoSuchPage
from apps.backoffice.home import board
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.requests import reader
from apps.backoffice.seen import Seen
from apps.backoffice.shell import Entry, navigation, shell_context
from apps.backoffice.tabs import Tab
from apps.backoffice.typed import UnfoldSite
from apps.core import ids
from apps.core.access import Reach, allows, reach
from apps.core.principal import Principal

Section = TypeVar("Section", bound=type[ModelAdmin])


class BackOfficeSite(UnfoldSite):
    """Django's own login, log, deletion and autocompletion are not part of it."""

    def __init__(self) -> None:
        super().__init__(name="backoffice")
        self._sections: dict[str, ModelAdmin] = {}
        self._foreign_tabs: dict[str, list[Tab]] = {}
        self._foreign_dialogs: dict[str, list[Dialog]] = {}
        self._known_names: dict[str, list[Callable[[Any], Sequence[str]]]] = {}
        self._actions: dict[str, Any] = {}
        self._staff: Callable[[], Mapping[str, str]] = dict

    def section(self, admin_class: Section) -> Section:
        """Registers a section (as a decorator).

        Raises:
            ValueError: its path is taken.
        """
        if admin_class.path in self._sections:
            raise ValueError(f"the section {admin_class.path!r} is registered already")
        model = cast("type[Model]", vars(admin_class)["model"])
        self.register(model, admin_class)
        self._sections[admin_class.path] = cast("ModelAdmin", self._registry[model])
        navigation.add(
            Entry(
                title=admin_class.title,
                icon=admin_class.icon,
                url_name=f"backoffice:{admin_class.path}",
                permission=admin_class.permission,
                group=admin_class.group,
                order=admin_class.order,
            )
        )
        return admin_class

    @property
    def sections(self) -> list[ModelAdmin]:
        return sorted(self._sections.values(), key=lambda section: section.order)

    def add_tab(self, section: str, tab: Tab) -> None:
        """A tab that an app shows on the page of another, lower one (members on the page of a tenant)."""
        self._foreign_tabs.setdefault(section, []).append(tab)

    def tabs_for(self, section: str) -> list[Tab]:
        return self._foreign_tabs.get(section, [])

    def add_dialog(self, section: str, dialog: Dialog) -> None:
        """A dialog that an app offers on the page of another, lower one; beside a tab that shows what it changes."""
        self._foreign_dialogs.setdefault(section, []).append(dialog)

    def dialogs_for(self, section: str) -> list[Dialog]:
        return self._foreign_dialogs.get(section, [])

    def add_names(self, section: str, known: Callable[[Any], Sequence[str]]) -> None:
        """Names of people on the page of another app's object, so that free text there can be masked."""
        self._known_names.setdefault(section, []).append(known)

    def names_for(self, section: str, row: Any) -> list[str]:
        return [name for known in self._known_names.get(section, []) for name in known(row)]

    def link(self, section: str, public_id: str | None, principal: Principal) -> str | None:
        """The address of an object's page; None where this reader may not open it, or nobody can."""
        known = self._sections.get(section)
        if known is None or public_id is None or not allows(principal, known.permission):
            return None
        return reverse(f"backoffice:{section}-page", args=[public_id])

    def name_staff(self, load: Callable[[], Mapping[str, str]]) -> None:
        """`load` answers the names of our own people by their public ids."""
        self._staff = load

    def actor(self, actor_id: str, seen: Seen) -> Cell:
        """Who did something: the reader as “you”, one of ours by name, anybody else by id.

        Leads to their page, for who reaches everybody: `qa` reaches nobody of ours.
        """
        if not actor_id.startswith(f"{ids.USER}_"):
            return actor_id or NOTHING
        name = seen.staff(self._staff).get(actor_id)
        shown: Cell = titled(seen.name(name), actor_id) if name else ident(actor_id)
        if actor_id == seen.principal.id:  # masked or not: nobody is a stranger to themselves
            shown = titled("you", actor_id)
        everybody = reach(seen.principal, "users.read") is Reach.ALL
        return link(self.link("users", actor_id, seen.principal) if everybody else None, shown)

    def named(self, public_id: str, seen: Seen) -> Cell:
        """An object by its title and its whole id, for who may open its page; the id alone for others."""
        prefix = public_id.partition("_")[0]
        for section in self._sections.values():
            url = self.link(section.path, public_id, seen.principal) if section.prefix == prefix else None
            if url is None:
                continue
            try:
                row = section.find(seen.principal, public_id)
            except NoSuchPage:
                break
            title = section.heading(row, Seen(seen.principal, section.permission)).title
            return noted(link(url, title), whole_id(public_id))
        return whole_id(public_id)

    def list_url(self, section: str, query: str = "") -> str:
        """The address of a list, with a query string (`status=trial`); empty where there is no such section."""
        try:
            found = reverse(f"backoffice:{section}")
        except NoReverseMatch:
            return ""
        return found + (f"?{query}" if query else "")

    def has_permission(self, request: HttpRequest) -> bool:
        """The middleware let the reader in, or the request never came here."""
        return bool(reader(request).roles)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Who may come in was decided by the middleware, and CSRF by Django's."""
        del cacheable
        return never_cache(view)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our own table: short addresses, public ids, and nothing that we don't serve."""
        own: list[URLPattern | URLResolver] = [
            path("", self.admin_view(self.index), name="index"),
            path("search/", self.admin_view(self.search), name="search"),
        ]
        sections = [path(f"{section.path}/", include(section.get_urls())) for section in self.sections]
        return [*own, *sections, re_path(r"^.*$", self.admin_view(self.nothing))]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Home."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        shown = board(reader(request))
        context = {"title": "Home", "board": shown, **(extra_context or {})}
        return pages.page(request, "backoffice/home.html", context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """What the palette shows for the words that were typed."""
        term = palette.asked(request.GET.get("q"))
        principal = reader(request)
        found = palette.find(self.sections, principal, term)
        context = {"found": found, "term": term, "hints": palette.hints(self.sections, principal)}
        return render(request, "backoffice/palette_results.html", context)

    def nothing(self, request: HttpRequest) -> HttpResponse:
        """Any other address."""
        if not request.path.endswith("/") and request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(request.path + "/")
        raise NoSuchPage

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """For templates of django-unfold that are shown inside."""
        return shell_context(request)


site = BackOfficeSite()
