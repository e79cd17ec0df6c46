"""Who calls the control surface; no test sees tokens or budgets that another left."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from apps.identity.verification import forget_tokens
from apps.surfaces.kit.throttling import throttle
from tests.surfaces.expectations import versioned
from tests.surfaces.machines import by_scopes


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    forget_tokens()
    throttle().forget()
    yield
    throttle().forget()


@pytest.fixture
def notes(settings: Settings) -> None:
    """The small world of tests/surfaces/control/world.py."""
    settings.ROOT_URLCONF = "tests.surfaces.control.world"


@pytest.fixture
def admin(db: None) -> Client:
    del db
    return versioned(by_scopes("superadmin"))
