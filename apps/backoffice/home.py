"""The home page: figures, charts, and what needs a person now. Apps register, the reader's rights decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from apps.backoffice.cells import Cell
from apps.core.access import reach
from apps.core.principal import Principal

log = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `value` None: nobody knows it yet."""

    title: str
    value: int | float | str | None
    note: str = ""
    url: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: int
    tone: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class BarChart:
    title: str
    bars: Sequence[Bar]
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DayChart:
    title: str
    days: Sequence[tuple[date, int]]
    unit: str
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that waits for a person."""

    label: Cell
    detail: Cell = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Matters:
    """A list of them, at most five; `url` leads to all."""

    title: str
    matters: Sequence[Matter]
    icon: str
    tone: str = "orange"
    url: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """What an app contributes: `build(principal)` is called for readers who hold the permission.

    Figures and charts hold no personal data and are remembered for a minute for each reach; matters never are.
    """

    name: str
    permission: str
    build: Callable[[Principal], Any]
    order: int = 50


@dataclass(slots=True)
class Home:
    figures: list[Panel] = field(default_factory=list)
    charts: list[Panel] = field(default_factory=list)
    matters: list[Panel] = field(default_factory=list)


home = Home()


@dataclass(frozen=True, slots=True)
class Board:
    """`clear`: what was looked at and holds nothing, by its title."""

    figures: list[Figure]
    charts: list[BarChart | DayChart]
    matters: list[Matters]
    clear: list[str]


def board(principal: Principal) -> Board:
    """What this reader finds on the home page."""
    figures = [one for panel in _open(home.figures, principal) for one in _remembered(panel, principal)]
    charts = [_remembered(panel, principal) for panel in _open(home.charts, principal)]
    matters = [panel.build(principal) for panel in _open(home.matters, principal)]
    return Board(
        figures=figures,
        charts=charts,
        matters=[found for found in matters if found.matters],
        clear=[found.title for found in matters if not found.matters],
    )


def _open(panels: Sequence[Panel], principal: Principal) -> list[Panel]:
    held = [panel for panel in panels if reach(principal, panel.permission) is not None]
    return sorted(held, key=lambda panel: panel.order)


def _remembered(panel: Panel, principal: Principal) -> Any:
    """From the cache where it is at hand; without it the figure is simply counted again."""
    key = f"backoffice:home:{panel.name}:{reach(principal, panel.permission)}"
    try:
        found = cache.get(key)
    except (RedisError, OSError):
        return panel.build(principal)
    if found is not None:
        return found
    built = panel.build(principal)
    try:
        cache.set(key, built, timeout=REMEMBERED_SECONDS)
    except (RedisError, OSError) as away:
        log.warning("cache_away", error=type(away).__name__)
    return built
