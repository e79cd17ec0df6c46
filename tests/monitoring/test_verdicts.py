"""What runs of answers amount to."""

import pytest

from apps.monitoring.verdicts import after, overall


def _played(answers: str, status: str = "unknown") -> str:
    """The statuses after each answer: `+` good, `-` bad; as initials."""
    failures = successes = 0
    told = ""
    for answer in answers:
        good = answer == "+"
        failures, successes = (0, successes + 1) if good else (failures + 1, 0)
        status = after(
            status, failures=failures, successes=successes, failure_threshold=3, success_threshold=2
        )
        told += str(status)[0]
    return told


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [
        ("+", "h"),
        ("-", "d"),
        ("+-+-+-+", "hhhhhhh"),
        ("+--", "hhd"),
        ("+--+", "hhdd"),
        ("+--++", "hhddh"),
        ("+---", "hhdu"),
        ("+---+-+-", "hhdudddd"),
        ("+---++", "hhdudh"),
        ("---", "ddu"),
        ("---+---", "ddudddu"),
    ],
)
def test_a_status_follows_runs_of_answers_and_not_single_ones(answers: str, statuses: str) -> None:
    assert _played(answers) == statuses


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ([], "healthy"),
        ([("healthy", True), ("healthy", False)], "healthy"),
        ([("unhealthy", True), ("healthy", False)], "unhealthy"),
        ([("healthy", True), ("unhealthy", False)], "degraded"),
        ([("degraded", True)], "degraded"),
        ([("degraded", False)], "degraded"),
        ([("unknown", True)], "degraded"),
        ([("healthy", True), ("unknown", False)], "healthy"),
    ],
)
def test_the_whole_is_as_bad_as_its_critical_sources(sources: list[tuple[str, bool]], found: str) -> None:
    assert overall(sources) == found
