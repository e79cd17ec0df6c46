"""Who calls the console; no test sees tokens or budgets that another left."""

from collections.abc import Iterator

import pytest
from django.test import Client

from apps.identity.verification import forget_tokens
from apps.surfaces.kit.throttling import throttle
from apps.users.models import User
from tests.factories import make_staff
from tests.surfaces.callers import by_token


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    forget_tokens()
    throttle().forget()
    yield
    throttle().forget()


@pytest.fixture
def operator(db: None) -> User:
    del db
    return make_staff("super_admin")


@pytest.fixture
def master(operator: User) -> Client:
    return by_token(operator)
