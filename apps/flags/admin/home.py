"""What flags contribute to the home page."""

from datetime import timedelta

from apps.backoffice import cells
from apps.backoffice.home import Matter, Matters, Panel, home
from apps.backoffice.site import site
from apps.core.clock import now
from apps.core.principal import Principal
from apps.flags import querysets, selectors
from apps.flags.admin import looks, words
from apps.flags.enums import ScheduleStatus
from apps.flags.knobs import STALE_DAYS
from apps.flags.models import Flag, ScheduledChange

_SHOWN = 5
_RECENT = timedelta(days=14)


def _page(flag: Flag, principal: Principal) -> str:
    return site.link("flags", looks.public_id(flag), principal) or ""


def stale(principal: Principal) -> Matters:
    """Flags that may be no longer needed, those past their expiry first."""
    found = querysets.visible_to(principal).filter(querysets.stale(now(), STALE_DAYS.get()))
    rows = list(found.order_by("expires_at", "key")[: _SHOWN + 1])
    reasons = selectors.stale_reasons(rows)
    matters = [
        Matter(
            row.key, ", ".join(words.STALE[each] for each in reasons.get(row.id, [])), _page(row, principal)
        )
        for row in rows[:_SHOWN]
    ]
    url = site.list_url("flags", "state=stale")
    return Matters("Stale flags", matters, "flag", "blue", url, more=len(rows) > _SHOWN)


def failed(principal: Principal) -> Matters:
    """Scheduled changes of the last two weeks that could not be made."""
    changes = ScheduledChange.objects.filter(
        status=ScheduleStatus.FAILED, flag__is_archived=False, settled_at__gt=now() - _RECENT
    )
    rows = list(changes.select_related("flag").order_by("-settled_at")[: _SHOWN + 1])
    matters = [
        Matter(row.flag.key, cells.ago(row.settled_at), f"{_page(row.flag, principal)}?tab=schedule")
        for row in rows[:_SHOWN]
    ]
    url = site.list_url("flags", "state=failed")
    return Matters(
        "Scheduled changes that failed", matters, "event_busy", "red", url, more=len(rows) > _SHOWN
    )


home.matters.append(Panel("flags-failed", "flags.manage", failed, order=25))
home.matters.append(Panel("flags-stale", "flags.manage", stale, order=50))
