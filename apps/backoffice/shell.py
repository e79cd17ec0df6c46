"""What every page of the back office carries: navigation by the reader's roles, and who the reader is."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.backoffice.requests import reader
from apps.core.access import allows
from apps.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation; seen by those who hold the permission, or by everybody without one."""

    title: str
    icon: str
    url_name: str
    permission: str = ""
    group: str = ""
    order: int = 50


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    icon: str
    url: str
    active: bool


@dataclass(slots=True)
class Navigation:
    entries: list[Entry]

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def groups(self, principal: Principal, path: str) -> list[tuple[str, list[Item]]]:
        """Groups in order, each with what this reader may open; `path` marks the page that is open."""
        home = reverse("backoffice:index")
        found: dict[str, list[Item]] = {}
        for entry in sorted(self.entries, key=lambda known: known.order):
            if entry.permission and not allows(principal, entry.permission):
                continue
            url = reverse(entry.url_name)
            active = path == url if url == home else path.startswith(url)
            found.setdefault(entry.group, []).append(Item(entry.title, entry.icon, url, active))
        return list(found.items())


navigation = Navigation([Entry("Home", "home", "backoffice:index", order=0)])


def shell_context(request: HttpRequest) -> dict[str, Any]:
    """The context of the shell's templates."""
    principal = reader(request)
    return {
        "navigation": navigation.groups(principal, request.path),
        "reader_label": principal.label,
        "reader_roles": sorted(principal.roles),
        "environment": settings.ENVIRONMENT,
        "colors": settings.UNFOLD["COLORS"],
        "accounts": settings.BACKOFFICE_ACCOUNT_LINKS,
        "logout_url": settings.BACKOFFICE_LOGOUT_URL,
    }
