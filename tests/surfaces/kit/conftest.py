"""Callers of the small surface in tests/surfaces/kit/world.py."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from apps.surfaces.kit.authentication import authenticators
from apps.surfaces.kit.throttling import throttle


@pytest.fixture(autouse=True)
def _small_world(settings: Settings) -> Iterator[None]:
    settings.ROOT_URLCONF = "tests.surfaces.kit.world"
    settings.SURFACE_AUTHENTICATORS = {
        "platform": ["tests.surfaces.kit.world.ByCookie", "tests.surfaces.kit.world.ByHeader"]
    }
    authenticators.cache_clear()
    throttle().forget()
    yield
    authenticators.cache_clear()


@pytest.fixture
def operator() -> Client:
    """A super_admin with a token."""
    return Client(headers={"Authorization": "Test super_admin"}, raise_request_exception=False)


@pytest.fixture
def anonymous() -> Client:
    return Client(raise_request_exception=False)
