"""What configuration contributes to the home page."""

from apps.backoffice.home import Matter, Matters, Panel, home
from apps.backoffice.site import site
from apps.configuration.snapshot import store
from apps.core.principal import Principal

_SHOWN = 5


def out_of_order(principal: Principal) -> Matters:
    """Keys with a stored value that their declaration does not take: their default is in force instead."""
    ignored = sorted(store.current().ignored)
    matters = [
        Matter(key, "the default is in force", site.link("configuration", key, principal) or "")
        for key in ignored[:_SHOWN]
    ]
    url = site.list_url("configuration")
    return Matters("Settings out of order", matters, "tune", "orange", url, more=len(ignored) > _SHOWN)


home.matters.append(Panel("settings", "configuration.read", out_of_order, order=45))
