"""The few tags that the pages need."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.backoffice import cells, charts
from apps.backoffice.home import BarChart, DayChart

register = template.Library()


@register.simple_tag
def badge(text: str, tone: str) -> SafeString:
    return cells.badge(text, tone)


@register.simple_tag
def whole_id(value: str) -> cells.Cell:
    return cells.whole_id(value)


@register.simple_tag
def instant(moment: datetime) -> cells.Cell:
    return cells.instant(moment)


@register.filter
def grouped(value: Any) -> cells.Cell:
    """Thousands grouped; None as the dash; text as it is."""
    return cells.number(value) if value is None or isinstance(value, int | float | Decimal) else str(value)


@register.filter
def at(items: Sequence[Any], index: int) -> Any:
    return items[index]


@register.simple_tag
def chart(shown: BarChart | DayChart) -> SafeString:
    """One chart of the home page."""
    if isinstance(shown, BarChart):
        return render_to_string("backoffice/chart_bars.html", {"chart": shown, "bars": charts.strips(shown)})
    counts = [count for _, count in shown.days]
    context = {
        "chart": shown,
        "plot": charts.plot(shown),
        "total": sum(counts),
        "most": max(counts, default=0),
        "week": sum(counts[-7:]),
    }
    return render_to_string("backoffice/chart_days.html", context)
