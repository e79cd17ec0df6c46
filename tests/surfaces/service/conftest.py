"""Callers of the service surface; no test sees keys, tokens, values or budgets that another left."""

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.configuration.snapshot import store
from apps.identity.verification import forget_tokens
from apps.surfaces.kit.throttling import throttle
from tests.surfaces.machines import by_scopes


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    for forget in (store.forget, throttle().forget, forget_tokens):
        forget()
    yield
    store.forget()
    throttle().forget()


@pytest.fixture
def admin(db: None) -> Client:
    """A machine with the scope SUPER_ADMIN."""
    del db
    return by_scopes("SUPER_ADMIN")


@pytest.fixture
def inside(db: None) -> Client:
    """Somebody in the internal networks, without any credential."""
    del db
    return Client(raise_request_exception=False)
