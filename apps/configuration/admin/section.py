"""The section: its list is the catalogue, its objects are keys."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseNotAllowed
from django.urls import reverse

from apps.backoffice import pages as shell
from apps.backoffice.dialogs import Dialog
from apps.backoffice.errors import NoSuchPage, Refused
from apps.backoffice.listing import Rows
from apps.backoffice.model_admin import SUGGESTED, Button, ModelAdmin, Suggestion
from apps.backoffice.requests import reader
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.configuration import selectors
from apps.configuration.admin import pages
from apps.configuration.admin.dialogs import (
    ArchiveValue,
    ChangeKey,
    DeclareKey,
    RestoreRevision,
    SetValue,
    Undeclare,
)
from apps.configuration.models import ConfigValue, audit_target
from apps.configuration.querysets import visible_to
from apps.configuration.selectors import Overview
from apps.core import ids
from apps.core.access import allows
from apps.core.principal import Principal
from apps.core.write import Target


def _found(principal: Principal, term: str, tenant: str) -> list[tuple[str, list[Overview]]]:
    """The catalogue, narrowed to keys whose name or description holds every word."""
    words = term.lower().split()
    tenant_id = ids.parse_or_none(ids.TENANT, tenant)
    sections = []
    for title, overviews in selectors.overview(principal, tenant_id=tenant_id):
        kept = [
            found
            for found in overviews
            if all(word in f"{found.knob.name} {found.knob.description} {title}".lower() for word in words)
        ]
        if kept:
            sections.append((title, kept))
    return sections


@site.section
class ConfigurationAdmin(ModelAdmin):
    """Keys that code and operators declare, with what is set."""

    model = ConfigValue
    path: ClassVar[str] = "configuration"
    permission: ClassVar[str] = "configuration.read"
    title: ClassVar[str] = "Configuration"
    singular: ClassVar[str] = "key"
    icon: ClassVar[str] = "tune"
    group: ClassVar[str] = "Platform"
    order: ClassVar[int] = 55
    list_dialogs: ClassVar[Sequence[Dialog]] = [DeclareKey()]
    dialogs: ClassVar[Sequence[Dialog]] = [
        SetValue(),
        RestoreRevision(),
        ArchiveValue(),
        ChangeKey(),
        Undeclare(),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("values", "Values", pages.values_tab, order=10),
        Tab("history", "History", pages.history_tab, order=20),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal) if allows(principal, permission) else ConfigValue.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The catalogue by section; `?tenant=tnt_…` shows that tenant's values beside."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        principal = reader(request)
        if not allows(principal, self.permission):
            raise Refused(self.permission)
        term = request.GET.get("q", "").strip()[:120]
        tenant = request.GET.get("tenant", "").strip()[:40]
        base = reverse(f"backoffice:{self.path}")
        sections = _found(principal, term, tenant)
        of_tenant = ids.parse_or_none(ids.TENANT, tenant) is not None
        context = {
            "title": self.title,
            "section": self,
            "list_url": base,
            "term": term,
            "tenant": tenant,
            "blocks": pages.catalogue(sections, of_tenant=of_tenant, base=base),
            "buttons": [
                Button(dialog, reverse(f"backoffice:{self.path}-{dialog.name}"))
                for dialog in self.list_dialogs
                if allows(principal, dialog.permission)
            ],
            **(extra_context or {}),
        }
        return shell.page(request, "configuration/catalogue.html", context)

    def suggest(self, principal: Principal, term: str) -> list[Suggestion]:
        keys = [found for _, overviews in _found(principal, term, "") for found in overviews]
        return [
            Suggestion(found.knob.name, found.effective or "", self.url_of(found), self.icon)
            for found in keys[: SUGGESTED + 1]
        ]

    def find(self, principal: Principal, object_id: str, permission: str = "") -> Any:
        """A key by its name.

        Raises:
            NoSuchPage: nobody declared it.
        """
        if allows(principal, permission or self.permission):
            for _, overviews in selectors.overview(principal):
                for found in overviews:
                    if found.knob.name == object_id:
                        return found
        raise NoSuchPage

    def public_id(self, row: Any) -> str:
        found: Overview = row
        return found.knob.name

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        found: Overview = row
        badges = [("secret", "violet")] if found.knob.secret else []
        badges.append(("set", "blue") if found.platform is not None else ("default", "grey"))
        return Heading(found.knob.name, badges=badges, line=f"{found.effective or 'no value'} in force")

    def target(self, row: Any) -> Target:
        return audit_target(row.knob.name, None)


site.add_tab(
    "tenants",
    Tab("configuration", "Configuration", pages.of_tenant, permission="configuration.read", order=60),
)
