"""Small pieces of HTML that lists and pages are made of. Everything that comes in is escaped."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.core.clock import now

Cell = str | SafeString

NOTHING: SafeString = mark_safe('<span class="sw-none" title="not known">–</span>')
_PUBLIC_ID = re.compile(r"[a-z]{2,5}_[0-9A-Z]{26}")
_UNITS = [("y", 365 * 86400), ("mo", 30 * 86400), ("d", 86400), ("h", 3600), ("min", 60)]


def badge(text: str, tone: str = "grey", title: str = "") -> SafeString:
    """A status. Tones: green blue grey red orange violet teal."""
    return format_html('<span class="sw-badge sw-{}" title="{}">{}</span>', tone, title or text, text)


def badges(pairs: Sequence[tuple[str, str]]) -> SafeString:
    """Several `(text, tone)` beside each other."""
    return format_html_join(" ", "{}", ((badge(text, tone),) for text, tone in pairs))


def ident(public_id: str) -> SafeString:
    """A public id, shortened to its telling end (ids of one day begin alike); the whole one in the title.

    What is no public id (the key of a flag) stays whole.
    """
    if not _PUBLIC_ID.fullmatch(public_id):
        return format_html('<span class="sw-id">{}</span>', public_id)
    prefix, _, body = public_id.partition("_")
    return format_html('<span class="sw-id" title="{}">{}_…{}</span>', public_id, prefix, body[-7:])


def titled(text: str, title: str) -> SafeString:
    """Words with what stands behind them in the title."""
    return format_html('<span title="{}">{}</span>', title, text)


def digest(value: str) -> SafeString:
    """The beginning of a hash; the whole one in the title."""
    return format_html('<span class="sw-id" title="{}">{}…</span>', value, value[:16])


def whole_id(value: str) -> SafeString:
    """An id in full, with its copy button."""
    return format_html(
        '<span class="sw-id">{}</span><button type="button" class="sw-copy" data-copy="{}" '
        'aria-label="Copy the id {}"><span class="material-symbols-outlined" aria-hidden="true">'
        "content_copy</span></button>",
        value, value, value,
    )  # fmt: skip


def link(url: str | None, text: Cell) -> Cell:
    """`text` as a link; as it is where the reader can't go there (`url` None)."""
    return format_html('<a class="sw-link" href="{}">{}</a>', url, text) if url else text


def day(moment: datetime | date | None) -> Cell:
    """`2026-11-21`, the whole instant in the title."""
    if moment is None:
        return NOTHING
    full = f"{moment:%Y-%m-%d %H:%M:%S} UTC" if isinstance(moment, datetime) else moment.isoformat()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), full, f"{moment:%Y-%m-%d}"
    )


def instant(moment: datetime | None) -> Cell:
    """`2026-11-21 13:05:09 UTC`, and how long ago that is; inside a table the instant alone."""
    if moment is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{} UTC">{} <span class="sw-unit">UTC</span></time>'
        '<span class="sw-ago">{}</span>',
        moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S.%f}", f"{moment:%Y-%m-%d %H:%M:%S}", _relative(moment),
    )  # fmt: skip


def ago(moment: datetime | None, never: str = "never") -> Cell:
    """`3 d ago`, or `in 5 h`; the instant in the title."""
    if moment is None:
        return format_html('<span class="sw-none">{}</span>', never)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}", _relative(moment),
    )  # fmt: skip


def _relative(moment: datetime) -> str:
    span = distance(now() - moment)
    if span == "0 min":
        return "just now"
    return f"{span} ago" if moment <= now() else f"in {span}"


def distance(span: timedelta) -> str:
    """The largest fitting unit of a span: `3 d`, `5 h`, `0 min`."""
    seconds = abs(span.total_seconds())
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 min"


def number(value: int | Decimal | float | None) -> Cell:
    """Grouped by thousands; what nobody knows yet is a dash, never 0."""
    return NOTHING if value is None else f"{value:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A figure with its word: `1 tenant`, `1,204 tenants`; `plural` where an s is not enough."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def money(amount: Decimal | None, currency: str | None) -> Cell:
    """Major units with the currency."""
    if amount is None:
        return NOTHING
    return format_html('{} <span class="sw-unit">{}</span>', f"{amount:,.2f}", currency or "")


def words(values: Sequence[Any]) -> Cell:
    """Values as small labels."""
    return badges([(str(value), "plain") for value in values]) if values else NOTHING


def or_nothing(value: Cell | None) -> Cell:
    return value or NOTHING


def paired(what: str, value: Cell) -> SafeString:
    """A word and its value: `tenant tnt_…`."""
    return format_html('<span class="sw-note">{}</span> {}', what, value)


def noted(value: Cell, note: Cell) -> SafeString:
    """A value with a quieter word behind it."""
    return format_html('{} <span class="sw-note">{}</span>', value, note)
