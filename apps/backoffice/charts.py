"""Charts as plain numbers for an SVG: no script, readable in both themes and by a screen reader."""

from dataclasses import dataclass

from apps.backoffice.home import BarChart, DayChart

_WIDTH = 900
_HEIGHT = 120
_GAP = 2


@dataclass(frozen=True, slots=True)
class Strip:
    """One horizontal bar; `width` in percent of the longest."""

    label: str
    value: int
    tone: str
    url: str
    width: int
    share: str


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    y: float


@dataclass(frozen=True, slots=True)
class Plot:
    """A bar a day, in units of the view box."""

    width: int
    height: int
    bars: list[Column]
    lines: list[Line]
    first: str
    middle: str
    last: str


def strips(chart: BarChart) -> list[Strip]:
    """Bars with their share of the whole; none where there is nothing at all."""
    total = sum(bar.value for bar in chart.bars)
    if not total:
        return []
    return [
        Strip(
            label=bar.label,
            value=bar.value,
            tone=bar.tone,
            url=bar.url,
            width=max(round(100 * bar.value / total), 1 if bar.value else 0),
            share=f"{100 * bar.value / total:.0f} %",
        )
        for bar in chart.bars
    ]


def plot(chart: DayChart) -> Plot:
    """A column for each day; an empty day keeps its place."""
    most = max((count for _, count in chart.days), default=0) or 1
    step = _WIDTH / max(len(chart.days), 1)
    bars = []
    for index, (day, count) in enumerate(chart.days):
        height = round(_HEIGHT * count / most, 1)
        bars.append(
            Column(
                x=round(index * step + _GAP / 2, 1),
                y=round(_HEIGHT - height, 1),
                width=round(step - _GAP, 1),
                height=height,
                title=f"{day:%a %Y-%m-%d}: {count:,}",
            )
        )
    days = [day for day, _ in chart.days]
    return Plot(
        width=_WIDTH,
        height=_HEIGHT,
        bars=bars,
        lines=[Line(0.5), Line(_HEIGHT / 2), Line(_HEIGHT - 0.5)],
        first=f"{days[0]:%d %b}" if days else "",
        middle=f"{days[len(days) // 2]:%d %b}" if days else "",
        last=f"{days[-1]:%d %b}" if days else "",
    )
