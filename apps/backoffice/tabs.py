"""Tabs of an object's page. Only the open one is built, so that a page costs what it shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.backoffice.blocks import Block
from apps.backoffice.seen import Seen

Asked = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        build: `(row, seen, asked)`; `asked` is the query string.
        permission: another one than the section's, where it shows another domain.
        order: of the row of tabs; a section's own begin at 10.
        audit: the action under which opening it is put into the trail, beside the look at the object.
        refresh: after so many seconds the page reads its heading and this tab anew; 0: it doesn't.
    """

    name: str
    title: str
    build: Callable[[Any, Seen, Asked], Sequence[Block]]
    permission: str = ""
    order: int = 50
    audit: str = ""
    refresh: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands at the top of an object's page, already masked.

    Attributes:
        title: also of the browser's window.
        badges: `(text, tone)`.
        public_id: shown with its copy button.
        line: a few words beside it.
    """

    title: str
    public_id: str = ""
    badges: Sequence[tuple[str, str]] = ()
    line: str = ""
