"""Counts of evaluations outlive what goes wrong while they are written."""

from collections.abc import Mapping

import pytest
from django.db import Error, InterfaceError, OperationalError, connection

from apps.flags import counting
from apps.flags.counting import Counts


@pytest.mark.parametrize("wrong", [OperationalError, InterfaceError])
def test_what_could_not_be_written_is_kept_for_the_next_time(
    monkeypatch: pytest.MonkeyPatch, wrong: type[Error]
) -> None:
    """A connection that was cut says the one; one that is closed already the other, which is no DatabaseError."""

    def away(_counts: Mapping[tuple[str, str], int]) -> None:
        raise wrong

    handed_out: list[None] = []
    monkeypatch.setattr(counting, "add_counts", away)
    monkeypatch.setattr(counting, "note_handed_out", lambda: handed_out.append(None))
    monkeypatch.setattr(connection, "close", lambda: None)
    counts = Counts()
    monkeypatch.setattr(counts, "_start", lambda: None)
    counts.note("checkout", "on")
    counts.note_all()
    counts.write()
    counts.note("checkout", "on")
    counts.write()
    assert len(handed_out) == 2
    assert counts.take() == {("checkout", "on"): 2}


def test_answers_with_every_flag_are_noted_once_until_the_next_writing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handed_out: list[None] = []
    monkeypatch.setattr(counting, "note_handed_out", lambda: handed_out.append(None))
    monkeypatch.setattr(connection, "close", lambda: None)
    counts = Counts()
    monkeypatch.setattr(counts, "_start", lambda: None)
    for _ in range(3):
        counts.note_all()
    counts.write()
    counts.write()
    assert len(handed_out) == 1
