"""The command palette (Ctrl K): people, tenants, plans, and the pages and actions of whoever types.

Each search reads the rows anew, by the same selectors as the lists: a name that was changed a moment ago is found
under the new one and under no other, what is gone is not found, and a reader finds here what a list would show them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from apps.backoffice.model_admin import SUGGESTED, ModelAdmin, Suggestion
from apps.backoffice.shell import navigation
from apps.core.access import allows, masked
from apps.core.principal import Principal

SHORTEST = 2  # letters: fewer find too much to be of use
LONGEST = 254


@dataclass(frozen=True, slots=True)
class Found:
    """What one kind has, at most a handful; `more` leads to the list that has them all."""

    title: str
    suggestions: Sequence[Suggestion]
    more: str = ""


def asked(text: str | None) -> str:
    """What was typed, as it is searched for."""
    return (text or "").strip()[:LONGEST].replace("\0", "")


def find(sections: Iterable[ModelAdmin], principal: Principal, term: str) -> list[Found]:
    """Pages and actions whose words begin as typed, then what each section knows; nothing typed: all pages."""
    own = list(sections)
    found = [
        Found("Pages", _named(_pages(principal), term)),
        Found("Actions", _named(_actions(own, principal), term)),
    ]
    if len(term) >= SHORTEST:
        found += [_of(section, principal, term) for section in own if allows(principal, section.permission)]
    return sorted((one for one in found if one.suggestions), key=lambda kind: not _begins(kind, term))


def _begins(kind: Found, term: str) -> bool:
    """Whether a title begins as typed: such a kind stands before those that match elsewhere (in an address)."""
    return any(one.title.lower().startswith(term.lower()) for one in kind.suggestions)


def hints(sections: Iterable[ModelAdmin], principal: Principal) -> list[str]:
    """`Users: whole e-mail or id` for each section that is searched in a narrower way by who reads masked."""
    return [
        f"{section.title}: {section.search_hint_masked.lower()}"
        for section in sections
        if section.search_hint_masked and masked(principal, section.permission)
    ]


def _of(section: ModelAdmin, principal: Principal, term: str) -> Found:
    found = section.suggest(principal, term)
    more = section.list_url(q=term) if len(found) > SUGGESTED else ""
    return Found(section.title, found[:SUGGESTED], more)


def _named(suggestions: Iterable[Suggestion], term: str) -> list[Suggestion]:
    words = term.lower()
    return [
        one
        for one in suggestions
        if one.title.lower().startswith(words) or f" {words}" in f" {one.title.lower()}"
    ]


def _pages(principal: Principal) -> list[Suggestion]:
    groups = navigation.groups(principal, "")
    pages = [Suggestion(item.title, group, item.url, item.icon) for group, items in groups for item in items]
    own = [
        Suggestion(text, "Your account", url, "account_circle")
        for text, url in settings.BACKOFFICE_ACCOUNT_LINKS
    ]
    return [*pages, *own]


def _actions(sections: Iterable[ModelAdmin], principal: Principal) -> list[Suggestion]:
    """What is done without an object: the dialogs of the lists."""
    return [
        Suggestion(
            dialog.title, section.title, reverse(f"backoffice:{section.path}-{dialog.name}"), dialog.icon
        )
        for section in sections
        for dialog in section.list_dialogs
        if allows(principal, section.permission) and allows(principal, dialog.permission)
    ]
