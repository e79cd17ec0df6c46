"""How flags look in lists and headings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.backoffice import cells
from apps.core import ids
from apps.core.clock import now
from apps.flags import selectors
from apps.flags.admin import words
from apps.flags.admin.impact import Share, shares
from apps.flags.enums import ScheduleStatus
from apps.flags.models import FLAG, Flag, ScheduledChange

SOON = timedelta(days=7)
_WEEK = timedelta(days=7)
_STEP = timedelta(hours=6)
_BARS = int(_WEEK / _STEP)

NO_USE: SafeString = mark_safe('<span class="sw-none">none</span>')
HANDED_OUT: SafeString = mark_safe('<span class="sw-note">with all flags</span>')
Usage = Sequence[tuple[datetime, int]]


def public_id(flag: Flag) -> str:
    return ids.public(FLAG, flag.id)


def states(flag: Flag) -> list[tuple[str, str]]:
    """The state at a glance, as words and their tones: `on`, `off`, `12.5 %`, or `2 rules` and what they leave over."""
    if flag.is_archived:
        return [("archived", "grey")]
    share = 100 if flag.default_enabled else (flag.rollout or {}).get("percentage", 0)
    word, tone = {0: ("off", "grey"), 100: ("on", "green")}.get(share, (f"{share:g} %", "teal"))
    if not flag.rules:
        return [(word, tone)]
    rules = (cells.counted(len(flag.rules), "rule"), "blue")
    return [rules] if word == "off" else [rules, (f"else {word}", tone)]


def expiry(flag: Flag) -> list[tuple[str, str]]:
    if flag.is_archived or flag.expires_at is None or flag.expires_at > now() + SOON:
        return []
    if flag.expires_at <= now():
        return [("expired", "red")]
    return [(f"expires in {cells.distance(flag.expires_at - now())}", "orange")]


@dataclass(slots=True)
class Listed:
    """A flag of the list with what other queries know of it."""

    flag: Flag
    stale: Sequence[str] = ()
    pending: int = 0
    usage: Usage = ()
    share: Share | None = None

    def badges(self) -> list[tuple[str, str]]:
        found = [*states(self.flag), *expiry(self.flag)]
        if "expired" not in {text for text, _ in found}:
            found += [("stale", "orange")] if self.stale else []
        if self.pending:
            found.append(("scheduled", "violet"))
        return found


def listed(flags: Sequence[Flag]) -> list[Listed]:
    """What the list says of some flags: five queries whatever their number."""
    stale = selectors.stale_reasons(flags)
    usage = selectors.usage_by_hour([flag.key for flag in flags], since=now() - _WEEK)
    waiting = waiting_changes(flags)
    return [
        Listed(
            flag,
            [words.STALE[reason] for reason in stale.get(flag.id, [])],
            waiting.get(flag.id, 0),
            usage[flag.key],
            shares.of(flag.key),
        )
        for flag in flags
    ]


def waiting_changes(flags: Sequence[Flag]) -> Mapping[UUID, int]:
    """How many changes wait for their time, by flag."""
    rows = ScheduledChange.objects.filter(flag__in=flags, status=ScheduleStatus.PENDING)
    found: dict[UUID, int] = {}
    for flag_id in rows.values_list("flag_id", flat=True):
        found[flag_id] = found.get(flag_id, 0) + 1
    return found


def used(row: Listed) -> cells.Cell:
    """Evaluations of the last seven days; without any, whether clients took it with all others."""
    handed_out = row.flag.handed_out_at
    if not row.usage and handed_out is not None and handed_out > now() - _WEEK:
        return HANDED_OUT
    return _sparkline(row.usage)


def _sparkline(usage: Usage) -> cells.Cell:
    """In steps of six hours; the sums in words."""
    end = now()
    bars = [0] * _BARS
    for hour, count in usage:
        place = _BARS - 1 - int((end - hour) / _STEP)
        if 0 <= place < _BARS:
            bars[place] += count
    total = sum(bars)
    if not total:
        return NO_USE
    day = sum(count for hour, count in usage if hour > end - timedelta(days=1))
    said = f"{cells.counted(total, 'evaluation')} in 7 days, {day:,} in the last 24 hours"
    most = max(bars)
    path = "".join(
        f"M{at * 3} 16v-{max(round(15 * count / most), 1)}" for at, count in enumerate(bars) if count
    )
    return format_html(
        '<svg class="sw-spark" viewBox="-1.5 0 84 17" role="img" aria-label="{}"><title>{}</title>'
        '<path d="{}"/></svg>',
        said, said, path,
    )  # fmt: skip
