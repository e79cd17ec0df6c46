"""Bars of uptime and of latency as plain numbers for an SVG, with the same in words for who doesn't see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from apps.backoffice import cells
from apps.monitoring.selectors import Pace, Span

WIDTH, HEIGHT = 480, 26
_GAP = 2
_LEAST_BAD = 3  # a single failure among thousands is still to be seen
_TALL = 110
_CUT = 3  # times the slowest median: a single slow answer doesn't flatten the rest


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of the view box. Kinds: good, bad, none, usual, slowest."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Column:
    """The rectangles of one span of time, and what they say."""

    title: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Uptime:
    """The bar of one source. `share` is empty where nothing was asked."""

    title: str
    columns: Sequence[Column]
    share: str
    words: str
    first: str
    last: str = "now"
    width: int = WIDTH
    height: int = HEIGHT
    wide: bool = False
    template: ClassVar[str] = "monitoring/uptime.html"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers took."""

    title: str
    columns: Sequence[Column]
    words: str
    first: str
    last: str = "now"
    width: int = WIDTH
    height: int = _TALL
    wide: bool = True
    template: ClassVar[str] = "monitoring/latency.html"


def percent(good: int, answers: int) -> str:
    """`99.98 %`, cut and not rounded: 100 % is all of them."""
    hundredths = 10_000 * good // answers
    return "100 %" if good == answers else f"{hundredths // 100}.{hundredths % 100:02} %"


def uptime(spans: Sequence[Span], *, title: str, unit: str) -> Uptime:
    """A column for each span: green from below as far as answers were good, red above it, a stub where none came."""
    answers, good = sum(span.answers for span in spans), sum(span.good for span in spans)
    form = "%H:%M" if unit == "hour" else "%d %b"
    step = WIDTH / max(len(spans), 1)
    columns = [
        Column(_told(span, unit), _filled(span, round(place * step, 1), round(step - _GAP, 1)))
        for place, span in enumerate(spans)
    ]
    return Uptime(
        title=title,
        columns=columns,
        share=percent(good, answers) if answers else "",
        words=_summary(spans, answers, good, title=title, unit=unit),
        first=f"{spans[0].start:{form}}" if spans else "",
    )


def _filled(span: Span, x: float, width: float) -> list[Piece]:
    if not span.answers:
        return [Piece(x, HEIGHT - 3, width, 3, "none")]
    bad = span.answers - span.good
    tall = max(round(HEIGHT * bad / span.answers, 1), _LEAST_BAD) if bad else 0
    # Red stands on its own shape too: it hangs from the top, with a gap to what was good.
    good = HEIGHT - tall - (1 if bad else 0)
    pieces = [Piece(x, HEIGHT - good, width, good, "good")] if span.good else []
    return [*pieces, *([Piece(x, 0, width, tall, "bad")] if bad else [])]


def _told(span: Span, unit: str) -> str:
    when = f"{span.start:%Y-%m-%d %H:%M} UTC" if unit == "hour" else f"{span.start:%a %Y-%m-%d}"
    if not span.answers:
        return f"{when}: not asked"
    return f"{when}: {percent(span.good, span.answers)} of {cells.counted(span.answers, 'answer')} good"


def _summary(spans: Sequence[Span], answers: int, good: int, *, title: str, unit: str) -> str:
    if not answers:
        return f"{title}: not asked at all."
    troubled = [span for span in spans if span.good < span.answers]
    silent = sum(not span.answers for span in spans)
    told = f"{title}: {percent(good, answers)} of {cells.counted(answers, 'answer')} good."
    if troubled:
        worst = min(troubled, key=lambda span: span.good / span.answers)
        told += f" Failures in {cells.counted(len(troubled), unit)}, worst {_told(worst, unit)}."
    return told + (f" Not asked in {cells.counted(silent, unit)}." if silent else "")


def latency(paces: Sequence[Pace], *, title: str) -> Latency:
    """Two columns a span: the median, and lighter behind it the slowest."""
    known = [pace for pace in paces if pace.slowest is not None]
    slowest = max((pace.slowest or 0 for pace in known), default=0)
    usual = sorted(pace.median or 0 for pace in known)
    top = max(min(slowest, _CUT * (usual[-1] if usual else 0)), 1)
    step = WIDTH / max(len(paces), 1)
    columns = [_pace(pace, place * step, step - 1, top) for place, pace in enumerate(paces)]
    words = "Nothing was answered in this time."
    if known:
        words = f"Usually {usual[len(usual) // 2]:,} ms, at most {slowest:,} ms. The bars end at {top:,} ms."
    first = f"{paces[0].start:%H:%M}" if paces else ""
    return Latency(title=title, columns=columns, words=words, first=first)


def _pace(pace: Pace, x: float, width: float, top: int) -> Column:
    when = f"{pace.start:%H:%M} UTC"
    if pace.median is None or pace.slowest is None:
        return Column(f"{when}: no answer", [])
    pieces = []
    for kind, value in (("slowest", pace.slowest), ("usual", pace.median)):
        tall = max(round(_TALL * min(value, top) / top, 1), 1)
        pieces.append(Piece(round(x, 1), round(_TALL - tall, 1), round(width, 1), tall, kind))
    return Column(f"{when}: median {pace.median:,} ms, slowest {pace.slowest:,} ms", pieces)
