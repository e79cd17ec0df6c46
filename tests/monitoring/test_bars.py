"""Bars: what is drawn, and the same in words."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.monitoring.admin.charts import HEIGHT, latency, percent, uptime
from apps.monitoring.selectors import Pace, Span

START = datetime(2026, 11, 21, 10, tzinfo=UTC)


def spans(*counts: tuple[int, int]) -> list[Span]:
    return [
        Span(START + timedelta(hours=place), answers, good) for place, (answers, good) in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("good", "answers", "shown"),
    [
        (100, 100, "100 %"),
        (99_999, 100_000, "99.99 %"),
        (1, 3, "33.33 %"),
        (0, 5, "0.00 %"),
        (2001, 2002, "99.95 %"),
    ],
)
def test_share_is_cut_so_that_100_percent_is_all(good: int, answers: int, shown: str) -> None:
    assert percent(good, answers) == shown


def test_bar_shows_good_from_below_bad_from_above_and_silence_as_a_stub() -> None:
    drawn = uptime(spans((4, 4), (4, 3), (0, 0), (4, 0)), title="Last 4 hours", unit="hour")
    kinds = [[piece.kind for piece in column.pieces] for column in drawn.columns]
    assert kinds == [["good"], ["good", "bad"], ["none"], ["bad"]]
    for column in drawn.columns[:2]:
        assert sum(piece.height for piece in column.pieces) in {HEIGHT, HEIGHT - 1}
    assert drawn.columns[3].pieces[0].height == HEIGHT
    assert drawn.columns[2].title == "2026-11-21 12:00 UTC: not asked"


def test_single_failure_among_thousands_is_still_seen() -> None:
    (column,) = uptime(spans((2880, 2879)), title="x", unit="hour").columns
    assert [(piece.kind, piece.height >= 3) for piece in column.pieces] == [("good", True), ("bad", True)]


def test_words_tell_what_the_bar_shows() -> None:
    told = uptime(spans((4, 4), (4, 3), (0, 0), (4, 0)), title="Last 4 hours", unit="hour")
    assert told.words == (
        "Last 4 hours: 58.33 % of 12 answers good. Failures in 2 hours, worst 2026-11-21 13:00 UTC: 0.00 % of "
        "4 answers good. Not asked in 1 hour."
    )
    assert told.share == "58.33 %"
    silent = uptime(spans((0, 0)), title="Last 1 hours", unit="hour")
    assert (silent.words, silent.share) == ("Last 1 hours: not asked at all.", "")
    day = uptime(spans((1, 0)), title="x", unit="day")
    assert "Failures in 1 day, worst Sat 2026-11-21: 0.00 % of 1 answer good." in day.words


def test_single_slow_answer_does_not_flatten_the_rest() -> None:
    paces = [
        Pace(START, 20, 40),
        Pace(START + timedelta(minutes=15)),
        Pace(START + timedelta(minutes=30), 10, 30_000),
    ]
    drawn = latency(paces, title="Latency")
    heights = [[piece.height for piece in column.pieces] for column in drawn.columns]
    assert heights[1] == []
    assert heights[0][1] > 30  # the median of 20 ms, with bars that end at 60
    assert heights[2][0] == drawn.height
    assert drawn.words == "Usually 20 ms, at most 30,000 ms. The bars end at 60 ms."
    assert drawn.columns[2].title == "10:30 UTC: median 10 ms, slowest 30,000 ms"


def test_latency_of_nothing_says_so() -> None:
    drawn = latency([Pace(START), Pace(START)], title="Latency")
    assert drawn.words == "Nothing was answered in this time."
    assert [list(column.pieces) for column in drawn.columns] == [[], []]
