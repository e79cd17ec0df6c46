"""The snapshot of this process belongs to one test."""

from collections.abc import Iterator

import pytest

from apps.configuration.snapshot import store


@pytest.fixture(autouse=True)
def _fresh_snapshot() -> Iterator[None]:
    store.forget()
    yield
    store.forget()
