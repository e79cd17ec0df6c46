"""Callers of the automation surface; no test sees budgets or values that another left."""

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.configuration.snapshot import store
from apps.surfaces.kit.throttling import throttle
from tests.surfaces.machines import by_key


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    store.forget()
    throttle().forget()
    yield
    store.forget()
    throttle().forget()


@pytest.fixture
def holder(db: None) -> Client:
    """Somebody with a good key."""
    del db
    return by_key()


@pytest.fixture
def stranger(db: None) -> Client:
    """Somebody without any."""
    del db
    return Client(raise_request_exception=False)
