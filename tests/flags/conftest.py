"""The snapshot of this process belongs to one test."""

from collections.abc import Iterator

import pytest

from apps.flags.snapshot import holder


@pytest.fixture(autouse=True)
def _fresh_snapshot() -> Iterator[None]:
    yield
    if not holder.is_empty:
        holder.forget()
