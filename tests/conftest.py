"""What every test stands on: two database roles, an empty Redis, the clock as it is."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from apps.configuration import snapshot
from apps.flags.snapshot import holder
from tests import database


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Replaces pytest-django's: the owner migrates, tests run as the application's role."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with django_db_blocker.unblock(), database.test_database(worker) as name:
        emptied = pytest.MonkeyPatch()
        emptied.setattr(TransactionTestCase, "_fixture_teardown", _emptying(name))
        yield
        emptied.undo()


def _emptying(name: str) -> Any:
    def teardown(self: TransactionTestCase) -> None:
        del self
        connections["default"].close()
        database.empty(name)

    return teardown


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    """Counters, locks and messages of one test are not another's."""
    link = redis.Redis.from_url(settings.REDIS_URL)
    link.flushdb()
    yield
    link.close()


@pytest.fixture(autouse=True)
def _fresh_knobs() -> Iterator[None]:
    """What one test set in the configuration does not turn another's knobs."""
    yield
    if not snapshot.store.is_empty:
        snapshot.store.forget()


@pytest.fixture(autouse=True)
def _fresh_flags() -> Iterator[None]:
    """The flags that one test knew are not another's."""
    yield
    if not holder.is_empty:
        holder.forget()
