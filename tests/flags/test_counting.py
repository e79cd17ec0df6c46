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

    monkeypatch.setattr(counting, "add_counts", away)
    monkeypatch.setattr(connection, "close", lambda: None)
    counts = Counts()
    monkeypatch.setattr(counts, "_start", lambda: None)
    counts.note("checkout", "on")
    counts.write()
    counts.note("checkout", "on")
    assert counts.take() == {("checkout", "on"): 2}
