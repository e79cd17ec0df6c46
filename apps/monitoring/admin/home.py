"""What health contributes to the home page."""

from apps.backoffice import cells
from apps.backoffice.home import Matter, Matters, Panel, home
from apps.backoffice.site import site
from apps.core.clock import now
from apps.core.principal import Principal
from apps.monitoring import selectors
from apps.monitoring.admin import looks
from apps.monitoring.enums import SourceStatus

_SHOWN = 5


def unwell(principal: Principal) -> Matters:
    """Sources that are down, degraded, or not polled; the worst first, critical ones before others."""
    moment = now()
    found = sorted(
        selectors.in_trouble(moment),
        key=lambda each: (looks.of_status(each[1]).rank, not each[0].critical, each[0].service_id),
    )
    matters = [
        Matter(
            row.service_id,
            _detail(status, critical=row.critical, checked=cells.ago(row.last_checked_at)),
            site.link("health", str(row.id), principal) or "",
        )
        for row, status in found[:_SHOWN]
    ]
    tone = "red" if any(status == SourceStatus.UNHEALTHY for _, status in found) else "orange"
    return Matters(
        "Services not well",
        matters,
        "monitor_heart",
        tone,
        site.list_url("health"),
        more=len(found) > _SHOWN,
    )


def _detail(status: str, *, critical: bool, checked: cells.Cell) -> cells.Cell:
    look = looks.of_status(status)
    word = "not polled" if status == SourceStatus.UNKNOWN else look.word
    return cells.noted(cells.badge(f"{word}, critical" if critical else word, look.tone), checked)


home.matters.append(Panel("health", "health.read", unwell, order=5))
